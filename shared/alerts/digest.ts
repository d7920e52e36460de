/** Renders a digest: many alerts in one message for people. Pure. */
import type { Alert } from "../model.ts";
import type { Digest } from "./channels/channel.ts";
import { escapeHtml, mailSubject } from "./render.ts";

/** Alerts that a digest names; of the others it says how many there are. */
const MAX_NAMED = 20;

/** "37 alerts: 30 down, 7 recovered" */
export const digestTitle = ({ alerts }: Digest): string => {
  const counts = (["down", "degraded", "recovered", "closed"] satisfies Alert["event"][]).flatMap((event) => {
    const count = alerts.filter((alert) => alert.event === event).length;
    return count > 0 ? [`${count} ${event}`] : [];
  });
  return `${alerts.length} alerts: ${counts.join(", ")}`;
};

export function digestText(digest: Digest): string {
  const { alerts, url } = digest;
  const named = alerts.slice(0, MAX_NAMED).map((alert) => `${mailSubject(alert)}, since ${alert.startedAt}`);
  const more = alerts.length > MAX_NAMED ? [`and ${alerts.length - MAX_NAMED} more`] : [];
  return `${[`${digestTitle(digest)}.`, "", ...named, ...more, ...(url ? ["", `All incidents: ${url}`] : [])].join("\n")}\n`;
}

export const digestHtml = (digest: Digest): string =>
  `<!doctype html>\n<html><body style="font-family:sans-serif;font-size:14px">${escapeHtml(digestText(digest)).replaceAll("\n", "<br>\n")}</body></html>\n`;
