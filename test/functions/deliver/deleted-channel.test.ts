/** A channel that was deleted is told the end of what it was told of, and nothing else; its secrets go with that. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDeliveryStore } from "../../../shared/store/deliveries.ts";
import { type Receiver, startReceiver } from "../../support/receiver.ts";
import { iso, START, startMailboxes } from "./fixture.ts";

const PAGER = "channel:pager";
const KEY = "0123456789abcdef0123456789abcdef";

let w: Awaited<ReturnType<typeof startMailboxes>>;
let service: Receiver;
beforeEach(async () => {
  w = await startMailboxes();
  service = await startReceiver(() => ({ status: 202, body: { status: "success" } }));
  w.world.http = service.http;
  const channel = {
    id: "pager",
    name: "Pager",
    kind: "pagerduty" as const,
    settings: {},
    secrets: ["routingKey"],
    revision: 1,
    createdAt: iso(0),
    updatedAt: iso(0),
  };
  await w.channels.create(channel, { routingKey: KEY }, w.world.clock());
});
afterEach(async () => {
  await w.stop();
  await service[Symbol.asyncDispose]();
});

const at = async (seconds: number) => {
  w.world.now = START + seconds;
  await w.deliver(PAGER);
};
const post = (number: number, monitorId: string) => w.post(number, { receiver: PAGER, monitorId });
const remove = async () =>
  w.channels.remove(
    (await w.channels.get("pager"))!,
    () => createDeliveryStore(w.client, w.tables.monitors).untoldEnds(PAGER),
    w.world.clock(),
  );
const heard = () =>
  service.received.map(({ body }) => JSON.parse(body)).map((sent) => [sent.event_action, sent.dedup_key]);
const secret = async () => (await w.item("CHANNEL#pager", "SECRET"))?.secrets;
const states = async () => (await w.mail(PAGER)).map(({ sk, state }) => [String(sk).split("#")[1], state]);

test("is told the end of an incident that it was told of, after which its secrets are gone", async () => {
  await post(1, "m1");
  await post(1, "m2");
  await at(0);
  expect(await remove()).toBe(true);
  expect([await w.channels.get("pager"), await secret()]).toEqual([undefined, { routingKey: KEY }]);

  w.world.now = START + 60;
  await post(2, "m1");
  await at(60);
  expect(heard().at(-1)).toEqual(["resolve", "m1.1"]);
  expect(service.received.at(-1)?.body).toContain(KEY);
  expect(await secret()).toEqual({ routingKey: KEY });

  await post(2, "m2");
  await at(61);
  expect(heard().slice(2)).toEqual([
    ["resolve", "m1.1"],
    ["resolve", "m2.1"],
  ]);
  expect(await w.item("CHANNEL#pager", "SECRET")).not.toHaveProperty("secrets");
});

test("is told nothing else: neither of other incidents nor more of this one", async () => {
  await post(1, "m1");
  await at(0);
  await remove();
  await post(3, "m1");
  await post(1, "m2");
  await at(60);
  await post(2, "m2");
  await at(61);
  expect(heard()).toEqual([["trigger", "m1.1"]]);
  expect((await states()).toSorted()).toEqual([
    ["m1.1.1", "sent"],
    ["m1.1.3", "undeliverable"],
    ["m2.1.1", "undeliverable"],
    ["m2.1.2", "undeliverable"],
  ]);
});

test("an end that the service refuses for a while is tried again", async () => {
  await post(1, "m1");
  await at(0);
  await remove();
  service.answers(() => ({ status: 500 }));
  await post(2, "m1");
  await at(60);
  expect(await secret()).toEqual({ routingKey: KEY });
  service.answers(() => ({ status: 202 }));
  await at(100);
  expect(heard().at(-1)).toEqual(["resolve", "m1.1"]);
  expect(await secret()).toBeUndefined();
});

test("is told nothing a day later, and keeps no secrets if nothing is owed to it", async () => {
  await post(1, "m1");
  await at(0);
  await remove();
  w.world.now = START + 86_400;
  await post(2, "m1");
  await at(86_400);
  expect(heard()).toEqual([["trigger", "m1.1"]]);
  expect((await states()).at(-1)).toEqual(["m1.1.2", "undeliverable"]);
});

test("keeps no secrets if the end of everything was told", async () => {
  await post(1, "m1");
  await post(2, "m1");
  await at(0);
  await remove();
  expect(await w.item("CHANNEL#pager", "SECRET")).toBeUndefined();
});

test("what comes while it is being deleted waits", async () => {
  await post(1, "m1");
  await at(0);
  const channel = (await w.channels.get("pager"))!;
  const deliveries = createDeliveryStore(w.client, w.tables.monitors);
  const readOwed = async () => {
    await post(2, "m1");
    await at(1);
    return deliveries.untoldEnds(PAGER);
  };
  await w.channels.remove(channel, readOwed, w.world.clock());
  expect((await states()).at(-1)).toEqual(["m1.1.2", "waiting"]);
  await at(60);
  expect(heard().at(-1)).toEqual(["resolve", "m1.1"]);
});
