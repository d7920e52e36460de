/** Routes `/v1/status-pages/{id}/subscribers`: who gets mail about a status page. People subscribe on the page itself. */
import { z } from "zod";
import { show } from "../../../../shared/issues.ts";
import { MOST_SUBSCRIBERS } from "../../../../shared/status-page/subscribing.ts";
import { Problem } from "../../http/problem.ts";
import { moment, pageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { existingPage } from "./status-pages.ts";

const subscriberView = z
  .object({
    id: z.string().meta({ description: "Id.", example: "0a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f" }),
    address: z.string().meta({ description: "Mail address.", example: "ann@example.com" }),
    confirmedAt: moment.nullable().describe("When the address was confirmed; null: it gets no mail yet."),
    createdAt: moment.describe("When it was subscribed."),
  })
  .meta({ id: "StatusPageSubscriber", description: "Somebody who gets mail about a status page." });

const listSubscribers = route({
  method: "GET",
  path: "/v1/status-pages/{id}/subscribers",
  operationId: "listStatusPageSubscribers",
  summary: "List the subscribers of a status page",
  description: `All of them, the oldest first; there are at most ${MOST_SUBSCRIBERS}. An address that is not confirmed within a day disappears.`,
  scope: "write",
  responses: { 200: { description: "The subscribers.", schema: pageOf(subscriberView) } },
  handle: async ({ params }, deps) => {
    const { id: pageId } = await existingPage(deps, params.id ?? "");
    const nowSeconds = deps.now().getTime() / 1000;
    const items = (await deps.pages.subscribers(pageId).all())
      .filter(({ expiresAtSeconds = Number.POSITIVE_INFINITY }) => expiresAtSeconds > nowSeconds)
      .toSorted((a, b) => a.createdAt.localeCompare(b.createdAt))
      .map(({ id, address, confirmedAt, createdAt }) => ({ id, address, confirmedAt, createdAt }));
    return { body: { items, nextCursor: null } };
  },
});

const deleteSubscriber = route({
  method: "DELETE",
  path: "/v1/status-pages/{id}/subscribers/{subscriberId}",
  operationId: "deleteStatusPageSubscriber",
  summary: "Remove a subscriber of a status page",
  description: "The address gets no more mail about the page, and may subscribe again.",
  scope: "write",
  responses: { 204: { description: "Removed." } },
  handle: async ({ params, record }, deps) => {
    const page = await existingPage(deps, params.id ?? "");
    const subscribers = deps.pages.subscribers(page.id);
    const known = await subscribers.get(params.subscriberId ?? "");
    if (!known) throw new Problem("not-found", `there is no subscriber ${show(params.subscriberId)} of this page`);
    await subscribers.remove(known);
    await record([{ resource: page.id, name: page.title, changes: { [`subscribers.${known.id}`]: [true, null] } }]);
    return { status: 204 };
  },
});

export const pageSubscribers: readonly Route[] = [listSubscribers, deleteSubscriber];
