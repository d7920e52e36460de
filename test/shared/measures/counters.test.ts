/** Differences of counters: equal to those by hand, or void. */
import { describe, expect, test } from "vitest";
import type { InterfacePoll, InterfaceReading } from "../../../shared/contract/poll.ts";
import { intervalsBetween, perMillion, total, utilisation } from "../../../shared/measures/counters.ts";
import { interfaceReading } from "../../support/interfaces.ts";

const INTERVAL = 60;
const first = interfaceReading();
const pollOf = (
  seconds: number,
  reading: InterfaceReading,
  upHundredths = 1_000_000 + seconds * 100,
): InterfacePoll => ({
  atMs: 1_795_809_600_000 + seconds * 1000,
  upHundredths,
  interfaces: [reading],
});
/** From a reading to one a minute later. */
const minuteTo = (
  more: Partial<InterfaceReading>,
  { before = {}, seconds = 60, up }: { before?: Partial<InterfaceReading>; seconds?: number; up?: number } = {},
) =>
  intervalsBetween(
    pollOf(0, { ...first, ...before }),
    pollOf(seconds, { ...first, ...before, ...more }, up),
    INTERVAL,
  ).get("Gi1/0/7");

test("sums are those by hand", () => {
  const found = minuteTo({
    inOctets: first.inOctets! + 6_000_000n,
    outOctets: first.outOctets! + 12n,
    inPackets: first.inPackets! + 4_000n,
    outPackets: first.outPackets! + 1n,
    inErrors: 3,
    outErrors: 4,
    inDiscards: 5,
    outDiscards: 6,
    fcsErrors: 2,
    lateCollisions: 1,
  });
  const counts = {
    inBytes: 6_000_000,
    outBytes: 12,
    inPackets: 4_000,
    outPackets: 1,
    errors: 7,
    discards: 11,
    fcsErrors: 2,
    lateCollisions: 1,
  };
  expect(found).toMatchObject({ seconds: 60, flaps: 0, speedMbps: 1_000, counts });
  expect(utilisation(6_000_000, 60, 1_000)).toBeCloseTo(0.08);
  expect(perMillion(7, counts)).toBeCloseTo(7e6 / 4_008);
});

test("the agent's clock says how long it was", () => {
  expect(minuteTo({}, { seconds: 61, up: 1_000_000 + 5_950 })).toMatchObject({ seconds: 59.5 });
});

describe("a difference that may be wrong is void", () => {
  test.each<[string, string, Partial<InterfaceReading>, Parameters<typeof minuteTo>[1]]>([
    ["gap", "more than three intervals", {}, { seconds: 181 }],
    ["gap", "polls of one moment", {}, { seconds: 0 }],
    ["restarted", "the uptime went back", {}, { up: 500 }],
    ["restarted", "the uptime grew by less than the time", {}, { before: {}, up: 1_000_000 + 1_000 }],
    ["renumbered", "another index", { index: 8 }, {}],
    ["discontinuity", "the discontinuity time moved", { discontinuity: 7 }, {}],
    ["discontinuity", "from 64 to 32 bits", { isWide: false }, {}],
    ["no-counters", "no octets", { inOctets: null }, {}],
    ["faster-than-the-line", "a reset that the agent does not tell", { inOctets: 0n }, {}],
    ["faster-than-the-line", "1.1 x the line rate", { inOctets: first.inOctets! + 8_250_000_001n }, {}],
    ["faster-than-the-line", "errors that went back", { inErrors: 3 }, { before: { inErrors: 4 } }],
    ["faster-than-the-line", "went back, without a speed", { inOctets: 0n }, { before: { speedMbps: 0 } }],
    ["may-have-wrapped-twice", "32 bits at 1 Gb/s", {}, { before: { isWide: false } }],
    ["may-have-wrapped-twice", "32 bits without a speed", {}, { before: { isWide: false, speedMbps: 0 } }],
  ])("%s: %s", (why, _what, more, how) => {
    expect(minuteTo(more, how)).toMatchObject({ counts: null, why });
  });

  test("and no zero: sums leave it out, with its time", () => {
    const [good, bad] = [minuteTo({ inOctets: first.inOctets! + 100n })!, minuteTo({}, { up: 500 })!];
    expect(total([good, bad])).toMatchObject({ inBytes: 100, seconds: 60 });
  });
});

test("counters that wrap once are read across it", () => {
  const wide = { inOctets: 2n ** 64n - 10n };
  expect(minuteTo({ inOctets: 90n }, { before: wide })).toMatchObject({ counts: { inBytes: 100 } });
  const narrow = { isWide: false, speedMbps: 100, inOctets: 2n ** 32n - 10n, inErrors: 2 ** 32 - 1 };
  expect(minuteTo({ inOctets: 90n, inErrors: 1 }, { before: narrow })).toMatchObject({
    counts: { inBytes: 100, errors: 2 },
  });
});

test("what is exactly 1.1 x the line rate counts", () => {
  expect(minuteTo({ inOctets: first.inOctets! + 8_250_000_000n })?.counts).not.toBeNull();
});

test("a link that changed and changed back counts twice; after a restart nothing is known", () => {
  expect(minuteTo({ oper: 2, lastChange: 1_000_500 })).toMatchObject({ flaps: 1 });
  expect(minuteTo({ lastChange: 1_000_500 })).toMatchObject({ flaps: 2 });
  expect(minuteTo({ lastChange: 50 }, { up: 500 })).toMatchObject({ flaps: 0 });
});

test("interfaces are compared by name: new ones and others have no interval", () => {
  const before = pollOf(0, first);
  const poll = { ...pollOf(60, first), interfaces: [interfaceReading({ name: "new", index: 7 })] };
  expect(intervalsBetween(before, poll, INTERVAL).size).toBe(0);
});
