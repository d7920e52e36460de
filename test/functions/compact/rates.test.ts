/** Rates of interfaces: what compact makes of the counters of a day and of a month. */
import { expect, test } from "vitest";
import type { StoredPoll } from "../../../shared/history/poll.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import { createCounterStore } from "../../../shared/store/counters.ts";
import { createRateStore } from "../../../shared/store/rates.ts";
import { interfaceReading } from "../../support/interfaces.ts";
import { DAY, MIDNIGHT, monitorOf, startHistory } from "./fixture.ts";

/** 2026-11-30T00:00:00Z, the last day of its month. */
const LAST_DAY = MIDNIGHT + 10 * DAY;

async function start() {
  const h = await startHistory();
  const options = {
    history: h.history,
    retention: DEFAULT_RETENTION,
    now: () => h.clock.now * 1000,
    sleep: async () => {},
    unreadable: (error: Error) => expect.unreachable(error.message),
  };
  const monitor = monitorOf("switch", {
    protocol: "interfaces",
    host: "10.0.3.2",
    port: 161,
    intervalSeconds: 300,
    locations: ["eu"],
    shard: "300#0",
    placements: [{ shard: "300#0", fromTick: 0, toTick: null }],
  });
  h.clock.now = LAST_DAY;
  const { shard } = await h.shards.place(300, ["eu"]);
  await h.create({ ...monitor, shard, placements: [{ shard, fromTick: 0, toTick: null }] });
  const device = { id: "switch", location: "eu", target: "10.0.3.2 161" };
  const counters = createCounterStore(h.client, h.tables.history, options);
  let octets = 0n;
  return {
    ...h,
    device,
    counters,
    rates: createRateStore(h.client, h.tables.history, options),
    /** A poll at a second, after so many bytes since the last one. */
    poll: (second: number, bytes: number, more: Partial<StoredPoll> = {}) => {
      octets += BigInt(bytes);
      const reading = interfaceReading({ name: "Gi1/0/1", inOctets: octets, outOctets: 2n * octets });
      const poll = {
        atMs: second * 1000,
        upHundredths: (second - MIDNIGHT) * 100,
        interfaces: [reading],
        memory: new Map(),
      };
      return counters.putPoll(device, { ...poll, ...more });
    },
  };
}

test("a day becomes sums of 5 minutes, and the month's last one its figures; a second run changes nothing", async () => {
  await using h = await start();
  const expected: number[] = [];
  for (let n = 0; n <= 288; n++) {
    // Of the interval that ends here: 1,000 bytes a second, 30,000 in the fullest 20 of 288.
    const bytes = n >= 100 && n < 120 ? 9_000_000 : 300_000;
    await h.poll(LAST_DAY + n * 300, bytes);
    if (n > 0) expected.push(bytes);
  }
  h.clock.now = LAST_DAY + DAY + 100;
  await h.compact();
  expect(await h.rates.progress(h.device)).toBe(LAST_DAY); // the day's last polls may still come
  h.clock.now = LAST_DAY + DAY + 1_000;
  await h.compact();
  const read = async () => ({
    days: await h.rates.days(h.device, "Gi1/0/1", LAST_DAY, LAST_DAY + DAY),
    months: [...(await h.rates.months(h.device, "Gi1/0/1", LAST_DAY, LAST_DAY + DAY))],
  });
  const made = await read();
  expect(made.days.map(({ inBytes }) => inBytes)).toEqual(expected);
  expect(made.days.every(({ seconds, outBytes, inBytes }) => seconds === 300 && outBytes === 2 * inBytes)).toBe(true);
  expect(made.months).toMatchObject([
    [
      "2026-11",
      {
        // 20 of 288 are 6.9 %: the 95th percentile is one of them.
        inPercentile95: (8 * 9_000_000) / 300,
        outPeak: (2 * 8 * 9_000_000) / 300,
        seconds: DAY,
        inBytes: 268 * 300_000 + 20 * 9_000_000,
      },
    ],
  ]);
  expect(await h.rates.progress(h.device)).toBe(LAST_DAY + DAY);
  await h.compact();
  expect(await read()).toEqual(made);
});

test("a gap stays a gap, and a restart too", async () => {
  await using h = await start();
  for (const n of [0, 1, 2, 10, 11]) await h.poll(LAST_DAY + n * 300, 3_000);
  await h.poll(LAST_DAY + 12 * 300, 3_000, { upHundredths: 100 });
  h.clock.now = LAST_DAY + DAY + 1_000;
  await h.compact();
  const days = await h.rates.days(h.device, "Gi1/0/1", LAST_DAY, LAST_DAY + DAY);
  expect(days.flatMap(({ seconds }, slot) => (seconds > 0 ? [slot] : []))).toEqual([0, 1, 10]);
});
