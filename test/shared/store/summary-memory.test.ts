/** Summaries that are kept in memory equal those that are read anew, whatever was written between. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { DAY_SECONDS as DAY, HOUR_SECONDS as HOUR } from "../../../shared/durations.ts";
import { constantRow, type Row, summaryOf } from "../../../shared/history/summary.ts";
import { createSummaryStore, type Period } from "../../../shared/store/summaries.ts";
import { createSummaryMemory } from "../../../shared/store/summary-memory.ts";
import { startTables } from "../../support/tables.ts";

/** 2026-11-20T00:00:00Z, epoch seconds. */
const MIDNIGHT = 1_795_132_800;

const row = (status: number): Row => constantRow(1 + (status % 6));
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("hours"), count: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("correct"), count: fc.integer({ min: 1, max: 200 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("read"),
      count: fc.integer({ min: 0, max: 250 }),
      /** Of hours or days, from so many back. */
      back: fc.integer({ min: 1, max: 300 }),
      period: fc.constantFrom<Period>("HOUR", "DAY"),
    }),
  },
);

test("past summaries in memory equal those in the table after any hours, corrections and readings", async () => {
  await using tables = await startTables();
  const clock = { now: MIDNIGHT };
  const store = createSummaryStore(tables.client, tables.tables.history, { now: () => clock.now * 1000 });
  let bucket = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      bucket++;
      clock.now = MIDNIGHT;
      let corrections = 0;
      /** Writes as `compact` does: a correction of an earlier hour or day before the newest hour, which counts it. */
      const put = async (period: Period, start: number, status: number) => {
        const found = (await store.summaries(bucket, period, start, start + 1, { isConsistent: true })).get(start);
        const rows = summaryOf(new Map([["a", row(status)], ...(status % 2 ? ([["b", row(status)]] as const) : [])]));
        expect(await store.put(bucket, period, { ...rows, start, version: found?.version ?? 0, corrections })).toBe(
          true,
        );
      };
      const warm = createSummaryMemory(store);
      for (const [n, one] of steps.entries()) {
        const newest = clock.now - HOUR;
        if (one.kind === "hours")
          for (let left = one.count; left > 0; left--) {
            if ((clock.now + HOUR) % DAY === 0) await put("DAY", clock.now + HOUR - DAY, n);
            await put("HOUR", clock.now, n);
            clock.now += HOUR;
          }
        else if (one.kind === "correct" && newest >= MIDNIGHT) {
          const start = Math.max(MIDNIGHT, newest - one.count * HOUR);
          const day = Math.floor(start / DAY) * DAY;
          if (start < newest) await put("HOUR", start, n);
          if (day + DAY <= clock.now) await put("DAY", day, n);
          corrections++;
          await put("HOUR", newest, n + 1);
        } else if (one.kind === "read" && "back" in one) {
          const seconds = one.period === "HOUR" ? HOUR : DAY;
          const end = Math.floor(clock.now / seconds) * seconds;
          const first = end - one.back * seconds;
          const starts = Array.from({ length: one.count }, (_, at) => first + at * seconds).filter((at) => at < end);
          const read = async (memory: ReturnType<typeof createSummaryMemory>) => {
            const known = await memory.newest(bucket, Math.floor((clock.now - 2) / DAY) * DAY);
            const found = await known.past(one.period, starts, clock.now);
            return { newest: known.newest, past: starts.map((start) => found.get(start)) };
          };
          expect(await read(warm)).toEqual(await read(createSummaryMemory(store)));
        }
      }
    }),
    { numRuns: 12 },
  );
}, 120_000);
