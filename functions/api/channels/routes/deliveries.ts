/** Route `GET /v1/channels/{id}/deliveries`: what a channel was told, and what its service answered. */
import { z } from "zod";
import { type Receiver, receiverOfStored } from "../../../../shared/receiver.ts";
import { oneOf } from "../../../../shared/schema.ts";
import { DELIVERY_STATES, type Delivered } from "../../../../shared/store/deliveries.ts";
import { existingKept } from "../../alerting/kept.ts";
import type { Deps } from "../../deps.ts";
import { pageBody, startOf, takePage } from "../../http/page.ts";
import { moment, monitorId, monitorName, pageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { deliveredEvent, page } from "../../http/schemas.ts";

const READ_AT_ONCE = 200;
/** After this time a page that has something is sent, even if it is short. */
const LATE_MS = 10_000;

const deliveryState = oneOf(DELIVERY_STATES).meta({
  id: "DeliveryState",
  description: "What became of it; `undeliverable` is given up for good.",
  example: "sent",
});

const deliveryView = z
  .object({
    alertId: z.string().meta({
      description: "The same for all receivers, and each time it is sent again.",
      example: "7ca139c8bbaa9b19b116.1795341600000.1",
    }),
    event: deliveredEvent,
    monitor: z
      .object({ id: monitorId, name: monitorName })
      .meta({ id: "DeliveryMonitor", description: "The monitor as it was then." }),
    incidentId: z.string().meta({ description: "Id of the incident.", example: "7ca139c8bbaa9b19b116.1795341600000" }),
    createdAt: moment.describe("When the alert was made."),
    state: deliveryState,
    attempts: z.int().meta({ description: "How often it was tried.", example: 1 }),
    attemptedAt: moment.nullable().describe("When it was tried last; null before the first attempt."),
    nextAttemptAt: moment.nullable().describe("When it is tried again; null unless it waits."),
    answer: z
      .string()
      .nullable()
      .meta({ description: "What the service said last, without secrets; null before that.", example: "HTTP 200 ok" }),
    digest: z.string().nullable().meta({
      description: "Id of the message about many alerts that it was a part of; null if alone.",
      example: null,
    }),
  })
  .meta({ id: "Delivery", description: "One alert for one channel, and what became of it." });

const presentDelivery = ({ place: _place, alert, ...delivery }: Delivered) => ({
  alertId: alert.alertId,
  event: alert.event,
  monitor: { id: alert.monitor.id, name: alert.monitor.name },
  incidentId: alert.incidentId,
  ...delivery,
});

/** All pages of a channel's deliveries from a position on. */
async function* pagesFrom({ deliveries, now }: Deps, receiver: Receiver, position: string | undefined) {
  for (let before = position, ended = false; !ended; ) {
    const { items, next } = await deliveries.list(receiver, READ_AT_ONCE, now(), before);
    yield items;
    ended = next === null;
    before = next ?? undefined;
  }
}

async function* selected(pages: AsyncIterable<readonly Delivered[]>, state: Delivered["state"] | undefined) {
  for await (const items of pages)
    yield items
      .filter((item) => state === undefined || item.state === state)
      .map((item) => ({ item: presentDelivery(item), position: item.place }));
}

export const deliveries: Route = route({
  method: "GET",
  path: "/v1/channels/{id}/deliveries",
  operationId: "listDeliveries",
  summary: "What a channel was told",
  description: "Of the last 30 days, newest first. A page that takes more than 10 s may be short.",
  scope: "read",
  query: z.strictObject({ state: deliveryState.optional().describe("Only those in this state."), ...page }),
  responses: { 200: { description: "A page of deliveries.", schema: pageOf(deliveryView) } },
  handle: async ({ params, query: { state, limit, cursor } }, deps) => {
    const { id } = await existingKept(deps.channels, params.id ?? "", "channel");
    const question = JSON.stringify(["deliveries", id, state]);
    const start = startOf(cursor, question);
    const end = deps.now().getTime() + LATE_MS;
    const pages = pagesFrom(deps, receiverOfStored(id), start?.position);
    const taken = await takePage(selected(pages, state), limit, { isLate: () => deps.now().getTime() > end });
    const { items, nextCursor } = pageBody(taken, null, question);
    return { body: { items, nextCursor } };
  },
});
