/** Storms: people get digests, machines each alert. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { iso, START, startMailboxes } from "./fixture.ts";

const OPS = "email:ops@example.com";

let w: Awaited<ReturnType<typeof startMailboxes>>;
beforeEach(async () => {
  w = await startMailboxes();
});
afterEach(() => w.stop());

const post = (from: number, to: number, receiver = OPS) =>
  Promise.all(Array.from({ length: to - from }, (_, n) => w.post(1, { receiver, monitorId: `m${from + n}` })));
const digests = () => w.world.received.flatMap((one) => / (\d+) alerts: /.exec(one)?.[1] ?? []).map(Number);
const at = async (seconds: number) => {
  w.world.now = START + seconds;
  await w.deliver(OPS);
};

test("from the tenth alert within a minute on, people get one message each 30 s, and the counts add up", async () => {
  await post(0, 40);
  await at(0);
  expect(w.world.received).toHaveLength(10);
  expect(digests()).toEqual([31]);
  await post(40, 100);
  await at(5);
  expect(digests()).toEqual([31]);
  expect(w.world.retries.at(-1)).toEqual({ receiver: OPS, inSeconds: 25 });
  await post(100, 102); // is not even looked at before the next digest is due
  await at(6);
  await at(30);
  expect(digests()).toEqual([31, 62]);
  const mail = await w.mail(OPS);
  expect(mail.filter(({ state }) => state === "sent")).toHaveLength(102);
  expect(mail.filter(({ digest }) => digest !== null)).toHaveLength(93);
  await at(200);
  await post(200, 203);
  await at(200);
  expect(w.world.received).toHaveLength(14);
});

test("nine alerts within a minute are nine messages", async () => {
  await post(0, 5);
  await at(0);
  await post(5, 9);
  await at(50);
  expect(w.world.received).toHaveLength(9);
  expect(digests()).toEqual([]);
});

test("topic people gets digests like a person, and four messages a second", async () => {
  const waits: number[] = [];
  w.world.onSleep = async (ms) => void waits.push(ms);
  await post(0, 40, "people");
  await w.deliver("people");
  expect(w.world.received).toHaveLength(10);
  expect(digests()).toEqual([31]);
  // The clock stands still: each wait is counted from the first message.
  expect(waits).toEqual([250, 500, 750, 1_000, 1_250, 1_500, 1_750, 2_000, 2_250]);
});

test("machines get each alert, the worst first", async () => {
  await post(0, 30, "sns");
  await w.post(2, { monitorId: "a" });
  await w.deliver();
  expect(w.world.received).toHaveLength(31);
  expect(w.world.received.at(-1)).toBe("sns a.1.2");
});

test("a digest that is refused is tried again with what has come meanwhile", async () => {
  w.world.refuse[OPS] = "temporary";
  await post(0, 20);
  await at(0);
  expect(w.world.received).toEqual([]);
  await post(20, 25);
  w.world.refuse = {};
  await at(10);
  expect(digests()).toEqual([25]);
  expect(await w.state(OPS)).toMatchObject({ failures: 0, digestAt: iso(10) });
});

test("what people are told of one monitor stays in order through a storm", async () => {
  w.world.refuse[`${OPS} m0.1.1`] = "temporary";
  await post(0, 20);
  await w.post(2, { receiver: OPS, monitorId: "m0" });
  await at(0);
  const left = (await w.mail(OPS)).filter(({ state }) => state === "waiting").map(({ alert }) => alert.alertId);
  expect(left.toSorted()).toEqual(["m0.1.1", "m0.1.2"]);
});
