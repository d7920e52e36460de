import fc from "fast-check";
import { expect, test } from "vitest";
import { rosterHash } from "../../../shared/history/block.ts";
import { CorruptHistory } from "../../../shared/history/packing.ts";
import { decodePoll, encodePoll, rosterOf, rosterOfPoll, type StoredPoll } from "../../../shared/history/poll.ts";
import { type InterfaceMemory, VERDICTS } from "../../../shared/rules/interface-verdicts.ts";

const u32 = fc.nat(2 ** 32 - 2);
const counter = fc.option(fc.nat(2 ** 32 - 2));
const wide = fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 2n }));
const reading = fc.record({
  index: u32,
  alias: fc.string({ maxLength: 64 }).map((text) => text.replace(/\s/g, " ")),
  type: fc.nat(300),
  admin: fc.nat(3),
  oper: fc.nat(7),
  lastChange: u32,
  discontinuity: u32,
  speedMbps: fc.nat(800_000),
  duplex: fc.nat(3),
  isWide: fc.boolean(),
  inOctets: wide,
  outOctets: wide,
  inPackets: wide,
  outPackets: wide,
  inErrors: counter,
  outErrors: counter,
  inDiscards: counter,
  outDiscards: counter,
  fcsErrors: counter,
  lateCollisions: counter,
});
const memory: fc.Arbitrary<InterfaceMemory> = fc.record({
  wasUp: fc.boolean(),
  bestMbps: fc.nat(800_000),
  verdicts: fc.subarray([...VERDICTS]),
  duplexSignMs: fc.nat(2_000_000_000).map((seconds) => seconds * 1000),
});
const poll: fc.Arbitrary<StoredPoll> = fc
  .record({
    atMs: fc.nat(2_000_000_000),
    upHundredths: u32,
    rows: fc.array(fc.tuple(reading, memory), { maxLength: 20 }),
  })
  .map(({ rows, ...when }) => ({
    ...when,
    interfaces: rows.map(([one], place) => ({ ...one, name: `Gi1/0/${place}` })),
    memory: new Map(rows.map(([, one], place) => [`Gi1/0/${place}`, one])),
  }));

test("a poll is read back as it was, and one of its interfaces alone", () => {
  fc.assert(
    fc.property(poll, (one) => {
      const roster = rosterOf(one);
      const data = encodePoll(one, rosterHash(roster));
      expect(rosterOfPoll(data, "a poll")).toBe(rosterHash(roster));
      expect(decodePoll(data, roster, "a poll")).toEqual(one);
      expect(decodePoll(data, roster, "a poll", "Gi1/0/1").interfaces).toEqual(
        one.interfaces.filter(({ name }) => name === "Gi1/0/1"),
      );
    }),
  );
});

test("a poll of another roster, a later version and a damaged one are corrupt", () => {
  const [one] = fc.sample(poll, 1);
  const data = encodePoll(one!, rosterHash(rosterOf(one!)));
  expect(() => decodePoll(data, [...rosterOf(one!), "more"], "a poll")).toThrow(CorruptHistory);
  expect(() => rosterOfPoll(Uint8Array.of(2, ...data.subarray(1)), "a poll")).toThrow(/version 2 is unknown/);
  expect(() => decodePoll(data.subarray(0, 20), rosterOf(one!), "a poll")).toThrow(CorruptHistory);
});
