/**
 * A hundred thousand mutated answers over all parsers: `node --expose-gc test/fuzz.ts [count] [seed]`.
 * The test suite holds them against 5,000 (`test/shared/protocols/fuzz.test.ts`).
 */
import { fuzz } from "./support/fuzz.ts";

const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
console.log(`${count} answers, seed ${seed}`);
const startedAt = performance.now();
const { answers, open, slowestMs, heapGrowthBytes } = await fuzz(count, seed);
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
console.log(
  `${answers} answers in ${seconds} s, ${open} of them read as open; slowest check ${slowestMs.toFixed(0)} ms; heap grew by ${(heapGrowthBytes / 1e6).toFixed(1)} MB`,
);
