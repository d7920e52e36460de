import type { MetricValue } from "./metric-line.ts";

export interface MetricTotal {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/** Adds up the metrics that a function prints, over its whole life and by name alone: for benchmarks. */
export class MetricTotals {
  readonly #totals = new Map<string, MetricTotal>();
  #lines = 0;

  add(values: readonly MetricValue[]): void {
    for (const { name, value } of values) this.#add(name, value);
    this.#lines += 1;
  }

  /** How many metric lines there were: what CloudWatch Logs would bill for. */
  get lines(): number {
    return this.#lines;
  }

  get(name: string): MetricTotal | undefined {
    return this.#totals.get(name);
  }

  all(): Record<string, MetricTotal> {
    return Object.fromEntries(this.#totals);
  }

  #add(name: string, value: number): void {
    const { count, sum, min, max } = this.#totals.get(name) ?? { count: 0, sum: 0, min: value, max: value };
    this.#totals.set(name, {
      count: count + 1,
      sum: sum + value,
      min: Math.min(min, value),
      max: Math.max(max, value),
    });
  }
}
