/**
 * Route `/v1/acknowledge`: the page behind the signed link of an alert. It has a path of its own, because the gateway
 * throttles by path, and a crowd at a call without a token must not slow those with one.
 */
import { z } from "zod";
import { readLinkToken } from "../../../../shared/alerts/acknowledge-link.ts";
import { expecting } from "../../../../shared/issues.ts";
import { parseReceiver, STORED_CHANNEL } from "../../../../shared/receiver.ts";
import type { Deps } from "../../deps.ts";
import { audited } from "../../http/audit.ts";
import { Problem } from "../../http/problem.ts";
import { type Reply, type Route, route } from "../../http/route.ts";
import { acknowledgedPage, askPage, endedPage, PAGE_HEADERS, wrongLinkPage } from "../acknowledge-page.ts";
import { acknowledge, monitorInTrouble } from "../acknowledging.ts";

const query = z.strictObject({
  token: z
    .string({ error: expecting("the token of the link") })
    .max(2_000)
    .meta({
      description: "Who got the link, for which incident, until when, and our signature.",
      example: "WyI3Y2ExMzljOGJi.0Wb8nE",
    }),
});
const html = (description: string) =>
  ({
    description,
    schema: z.string(),
    contentTypes: ["text/html"],
    headers: ["content-security-policy", "referrer-policy"],
    example: wrongLinkPage(),
  }) as const;
const responses = {
  200: html("A page for people, which says how the incident stands."),
  404: html("A page that says that the link is wrong or has expired."),
};

const answer = (body: string, status = 200): Reply => ({ status, body, headers: PAGE_HEADERS });

/** How the incident of a link stands: still without anybody, taken on, or over. */
const standing = async (deps: Deps, incidentId: string): Promise<Reply> => {
  try {
    const { name, incident } = await monitorInTrouble(deps, incidentId);
    const trouble = { name, incident: incident! };
    const { acknowledged } = trouble.incident;
    return answer(acknowledged ? acknowledgedPage(trouble, acknowledged) : askPage(trouble));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const [past] = await deps.incidents.getMany([incidentId]);
    return past ? answer(endedPage(past.monitorName, past.endedAt)) : answer(wrongLinkPage(), 404);
  }
};

const linkOf = async ({ linkSecret, now }: Deps, token: string) => readLinkToken(token, await linkSecret(), now());

const getPage = route({
  method: "GET",
  path: "/v1/acknowledge",
  operationId: "getAcknowledgePage",
  summary: "Page that asks whether to acknowledge an incident",
  description: "For people: the link of an alert leads here. Reading it changes nothing.",
  scope: null,
  query,
  responses,
  handle: async ({ query: { token } }, deps) => {
    const link = await linkOf(deps, token);
    return link ? standing(deps, link.incidentId) : answer(wrongLinkPage(), 404);
  },
});

/** Whom a link was sent to, for people: a mail address, or the name of a channel. */
const nameOf = async ({ channels }: Deps, receiver: string) => {
  const { channel, target } = parseReceiver(receiver);
  if (channel !== STORED_CHANNEL || target === undefined) return receiver;
  return (await channels.get(target))?.name ?? receiver;
};

const acknowledgeByLink = route({
  method: "POST",
  path: "/v1/acknowledge",
  operationId: "acknowledgeByLink",
  summary: "Acknowledge an incident by the link of an alert",
  description: "The form of the page sends this. A link works until somebody has acknowledged, for seven days at most.",
  scope: null,
  query,
  responses,
  handle: async ({ query: { token }, requestId }, deps) => {
    const link = await linkOf(deps, token);
    if (!link) return answer(wrongLinkPage(), 404);
    const { incidentId, receiver } = link;
    const by = `link sent to ${await nameOf(deps, receiver)}`;
    const begun = { requestId, by: { id: receiver, name: by }, operation: "acknowledgeByLink", resource: incidentId };
    try {
      await audited(deps, begun, (record) => acknowledge(deps, incidentId, { by, note: null }, record));
    } catch (error) {
      // The incident is over: the page says so.
      if (!(error instanceof Problem) || error.code === "changed-meanwhile") throw error;
    }
    return standing(deps, incidentId);
  },
});

export const acknowledgeLinks: readonly Route[] = [getPage, acknowledgeByLink];
