/** Tells status pages, for their subscribers, that an incident began or ended. */
import type { Incident, Monitor } from "../../shared/model.ts";
import type { PageNewsStore } from "../../shared/store/page-news.ts";

type Owner = Pick<Monitor, "id" | "name"> & Partial<Pick<Monitor, "tags">>;

/** May be repeated: the same news is told once. */
export type TellPages = (owner: Owner, incident: Incident) => Promise<void>;

export const createTellPages =
  (news: Pick<PageNewsStore, "ofMonitor">): TellPages =>
  async ({ id, name, tags = {} }, incident) => {
    // What nobody was told is a blip, in maintenance, flapping or caused by something else: no stranger is told of it.
    if (incident.alertCount === 0) return;
    const monitor = { id, name, tags };
    const { severity, startedAt, endedAt } = incident;
    await news.ofMonitor(monitor, {
      id: `${incident.id}.${endedAt === null ? "began" : "ended"}`,
      at: endedAt ?? startedAt,
      content: { kind: "incident", monitor, incident: { id: incident.id, severity, startedAt, endedAt } },
    });
  };
