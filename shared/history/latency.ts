/**
 * Encodes latencies for history: three significant digits in 13 bits.
 *
 * Code 0 is "none". Codes from 1 on count the mantissas 100 to 999 of each decade from 0.001 ms to 999 s, so that
 * neighbouring latencies have neighbouring codes and noise of some per cent differs in the low byte only.
 */

/** Decades from 0.00100 ms (10^-5 x 100) to 999,000 ms (10^3 x 999). */
const LOWEST_EXPONENT = -5;
const HIGHEST_EXPONENT = 3;
const PER_DECADE = 900;

/** Highest code in use; also the bound that decoders check. */
export const MAX_LATENCY_CODE = (HIGHEST_EXPONENT - LOWEST_EXPONENT + 1) * PER_DECADE;

/**
 * Code of a latency, rounded to three significant digits and clamped to 0.001 ms and 999 s; 0 for null.
 * @throws RangeError for NaN and negative numbers
 */
export function latencyCode(latencyMs: number | null): number {
  if (latencyMs === null) return 0;
  const known = CODES.get(latencyMs);
  if (known !== undefined) return known;
  if (!(latencyMs >= 0)) throw new RangeError(`latency must be a number of milliseconds from 0, got ${latencyMs}`);
  if (latencyMs >= 999_000) return MAX_LATENCY_CODE;
  if (latencyMs <= 0.001) return 1;
  // "1.23e+1": three digits, rounded, and the decade they fall in.
  const [digits, exponent] = latencyMs.toExponential(2).split("e") as [string, string];
  return (Number(exponent) - 2 - LOWEST_EXPONENT) * PER_DECADE + Number(digits.replace(".", "")) - 100 + 1;
}

/** The latency of a code in milliseconds, or null for 0. @throws RangeError for a code out of range */
export function latencyOf(code: number): number | null {
  if (code === 0) return null;
  if (code > MAX_LATENCY_CODE) throw new RangeError(`latency code must be at most ${MAX_LATENCY_CODE}, got ${code}`);
  const exponent = Math.floor((code - 1) / PER_DECADE) + LOWEST_EXPONENT;
  return scale(((code - 1) % PER_DECADE) + 100, exponent);
}

/** x times 10^exponent, dividing for negative exponents: 123 / 100 is 1.23, 123 x 0.01 is not always. */
const scale = (x: number, exponent: number) => (exponent < 0 ? x / 10 ** -exponent : x * 10 ** exponent);

/** Codes by rounded latency, because one request may encode a year of latencies that were decoded before. */
const CODES = new Map(Array.from({ length: MAX_LATENCY_CODE }, (_, i) => [latencyOf(i + 1)!, i + 1]));
