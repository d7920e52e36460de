import { expect, test } from "vitest";
import type { OutboxContent } from "../../../shared/model.ts";
import {
  afterFailure,
  dueDeliveries,
  MAX_PENDING,
  outboxTimer,
  overflow,
  pending,
} from "../../../shared/rules/outbox.ts";

const now = new Date("2026-11-23T10:00:00.000Z");
const iso = (offsetSeconds: number) => new Date(now.getTime() + offsetSeconds * 1000).toISOString();
const content = (subject: string): OutboxContent => ({ kind: "system", subject, message: "" });
const due = (outbox: Parameters<typeof dueDeliveries>[0], at = now) =>
  dueDeliveries(outbox, at).map(({ key, receiver }) => `${key}>${receiver}`);

test("a new entry is due for every receiver at once", () => {
  expect(due({ a: pending(content("a"), ["sns", "email:x"], iso(0)) })).toEqual(["a>sns", "a>email:x"]);
});

test("a receiver hears in order: what failed for one delays that one only", () => {
  const failed = {
    ...pending(content("a"), [], iso(-60)),
    deliveries: { "email:x": { attempts: 1, nextAttemptAt: iso(5) } },
  };
  const later = pending(content("b"), ["sns", "email:x"], iso(-10));
  expect(due({ b: later, a: failed })).toEqual(["b>sns"]);
  expect(due({ b: later, a: failed }, new Date(now.getTime() + 6000))).toEqual(["a>email:x", "b>sns"]);
});

test("failures back off, doubling, for 24 hours; a refusal for good ends them at once", () => {
  let delivery = { attempts: 0, nextAttemptAt: iso(0) };
  const pauses: number[] = [];
  for (let i = 0; i < 9; i++) {
    const next = afterFailure(delivery, iso(0), { permanent: false }, now)!;
    pauses.push((Date.parse(next.nextAttemptAt) - now.getTime()) / 1000);
    delivery = next;
  }
  expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 640, 900, 900]);
  expect(afterFailure(delivery, iso(-24 * 3600), { permanent: false }, now)).toBeNull();
  expect(afterFailure(delivery, iso(0), { permanent: true }, now)).toBeNull();
});

test("something waiting always has a timer", () => {
  expect(outboxTimer({}, now)).toBeNull();
  expect(outboxTimer({ a: pending(content("a"), ["sns"], iso(0)) }, now)).toBe(iso(60));
  const retry = { ...pending(content("a"), [], iso(0)), deliveries: { sns: { attempts: 1, nextAttemptAt: iso(10) } } };
  expect(outboxTimer({ a: retry, b: pending(content("b"), ["email:x"], iso(0)) }, now)).toBe(iso(10));
});

test("beyond the limit the oldest messages go, incidents never", () => {
  const entries = Array.from({ length: MAX_PENDING + 2 }, (_, i) => [`m${i}`, pending(content("m"), ["sns"], iso(i))]);
  const incident = { ...pending(content("i"), ["incident"], iso(-99)), content: { kind: "incident" } as OutboxContent };
  expect(overflow({ ...Object.fromEntries(entries), incident })).toEqual(["m0", "m1"]);
});
