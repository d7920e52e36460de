import { expect, test } from "vitest";
import { fuzz } from "../../support/fuzz.ts";

/** Memory that 5,000 answers may leave behind; one unbounded read would leave more. */
const MAX_GROWTH_BYTES = 150e6;

test("no parser crashes, hangs or grows on 5,000 mutated answers", { timeout: 120_000 }, async () => {
  const seed = Date.now() % 2 ** 31;
  const result = await fuzz(5000, seed);
  expect(result.answers, `seed ${seed}`).toBe(5000);
  // Some mutations leave an answer right: were there none, the answers would not reach the parsers.
  expect(result.open, `seed ${seed}`).toBeGreaterThan(100);
  expect(result.heapGrowthBytes, `seed ${seed}`).toBeLessThan(MAX_GROWTH_BYTES);
});
