import { expect, test } from "vitest";
import type { OutboxContent } from "../../../shared/model.ts";
import {
  afterFailure,
  dueDeliveries,
  MAX_PENDING,
  OVERFLOW,
  outboxTimer,
  overflow,
  pending,
  sequenceFrom,
} from "../../../shared/rules/outbox.ts";

const now = new Date("2026-11-23T10:00:00.000Z");
const iso = (offsetSeconds: number) => new Date(now.getTime() + offsetSeconds * 1000).toISOString();
const content = (subject: string): OutboxContent => ({ kind: "system", subject, message: "" });
const due = (outbox: Parameters<typeof dueDeliveries>[0], at = now) =>
  dueDeliveries(outbox, at).map(({ key, receiver }) => `${key}>${receiver}`);

test("a new entry is due for every receiver at once", () => {
  expect(due({ a: pending(content("a"), ["sns", "email:x"], 1, iso(0)) })).toEqual(["a>sns", "a>email:x"]);
});

test("a receiver hears in order: what failed for one delays that one only", () => {
  const failed = {
    ...pending(content("a"), [], 1, iso(-60)),
    deliveries: { "email:x": { attempts: 1, nextAttemptAt: iso(5) } },
  };
  const later = pending(content("b"), ["sns", "email:x"], 2, iso(-10));
  expect(due({ b: later, a: failed })).toEqual(["b>sns"]);
  expect(due({ b: later, a: failed }, new Date(now.getTime() + 6000))).toEqual(["a>email:x", "b>sns"]);
});

test("the order is that of the sequence, whatever the clocks of the writers said", () => {
  const first = pending(content("degraded"), ["sns"], 100, iso(7));
  const second = pending(content("recovered"), ["sns"], 200, iso(0));
  expect(due({ b: second, a: first }, new Date(now.getTime() + 9000))).toEqual(["a>sns"]);
});

test("a later revision's entries follow those of the one before", () => {
  const [one, two] = [sequenceFrom(7), sequenceFrom(8)];
  const sequences = [...Array.from({ length: 50 }, one), two(), two()];
  expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
  expect(new Set(sequences).size).toBe(52);
});

test("an attempt planned by a clock that was ahead is due; one that a failure planned is not", () => {
  const at = (seconds: number) => ({
    ...pending(content("a"), [], 1, iso(0)),
    deliveries: { sns: { attempts: 3, nextAttemptAt: iso(seconds) } },
  });
  expect([180, 181].map((seconds) => due({ a: at(seconds) }))).toEqual([[], ["a>sns"]]);
  expect(outboxTimer({ a: at(86_400) }, now)).toBe(iso(60));
});

test("failures back off, doubling, up to two minutes; a refusal for good ends them at once", () => {
  let delivery = { attempts: 0, nextAttemptAt: iso(0) };
  const pauses: number[] = [];
  for (let i = 0; i < 6; i++) {
    const next = afterFailure(delivery, iso(0), { kind: "refused", isPermanent: false, error: "" }, now)!;
    pauses.push((Date.parse(next.nextAttemptAt) - now.getTime()) / 1000);
    delivery = next;
  }
  expect(pauses).toEqual([10, 20, 40, 80, 120, 120]);
  expect(afterFailure(delivery, iso(0), { kind: "refused", isPermanent: true, error: "" }, now)).toBeNull();
});

test("a delivery is given up after 24 hours of failures, not by a clock that jumps a day ahead", () => {
  const failed = (attempts: number, hours: number) =>
    afterFailure(
      { attempts, nextAttemptAt: iso(0) },
      iso(-hours * 3600),
      { kind: "refused", isPermanent: false, error: "" },
      now,
    );
  expect(failed(700, 24)).toBeNull();
  expect(failed(700, 23)).not.toBeNull();
  expect(failed(3, 24)).not.toBeNull();
});

test("something waiting always has a timer", () => {
  expect(outboxTimer({}, now)).toBeNull();
  expect(outboxTimer({ a: pending(content("a"), ["sns"], 1, iso(0)) }, now)).toBe(iso(60));
  const retry = {
    ...pending(content("a"), [], 1, iso(0)),
    deliveries: { sns: { attempts: 1, nextAttemptAt: iso(10) } },
  };
  expect(outboxTimer({ a: retry, b: pending(content("b"), ["email:x"], 2, iso(0)) }, now)).toBe(iso(10));
});

test("beyond the limit the oldest messages go, incidents and the news of this never", () => {
  const entries = Array.from({ length: MAX_PENDING + 2 }, (_, i) => [
    `m${i}`,
    pending(content("m"), ["sns"], i + 10, iso(-i)),
  ]);
  const incident = pending({ kind: "incident" } as OutboxContent, ["incident"], 1, iso(-99));
  const news = pending(content("dropped"), ["system"], 2, iso(-99));
  expect(overflow({ ...Object.fromEntries(entries), incident, [OVERFLOW]: news }).toSorted()).toEqual(["m0", "m1"]);
});

test("large messages go sooner, the newest never", () => {
  const large = (kilobytes: number, sequence: number) =>
    pending({ kind: "system", subject: "", message: "x".repeat(kilobytes * 1024) }, ["sns"], sequence, iso(0));
  expect(overflow({ a: large(30, 1), b: large(30, 2), c: large(30, 3) })).toEqual(["a"]);
  expect(overflow({ a: large(1, 1), b: large(1, 2), c: large(70, 3) }).toSorted()).toEqual(["a", "b"]);
});

test("stretches of status that wait for the history never push an alert out, and keep a limit of their own", () => {
  const entry = (n: number, content: OutboxContent) => pending(content, ["status"], n, "2026-11-23T10:00:00.000Z");
  const stretch = (n: number): OutboxContent => ({ kind: "status", stretch: { status: "up", since: `${n}` } });
  const notice: OutboxContent = { kind: "system", subject: "s", message: "m" };
  const outbox = {
    first: entry(0, notice),
    ...Object.fromEntries(Array.from({ length: 70 }, (_, n) => [`status#${n}`, entry(n + 1, stretch(n))])),
  };
  expect(overflow(outbox)).toEqual(Array.from({ length: 10 }, (_, n) => `status#${n}`));
});
