export interface MetricTotal {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Adds up the metrics that functions print in CloudWatch's embedded metric format: lines of JSON whose `_aws` says
 * which of the line's members are metrics. CloudWatch would read the same lines.
 */
export class MetricTotals {
  readonly #totals = new Map<string, MetricTotal>();
  #lines = 0;

  /** @returns whether the line was a metric line. */
  read(line: string): boolean {
    if (!line.includes('"_aws"')) return false;
    let entry: Record<string, unknown> & { _aws?: { CloudWatchMetrics?: { Metrics?: { Name: string }[] }[] } };
    try {
      entry = JSON.parse(line);
    } catch {
      return false; // a text that only looks like one
    }
    const names = (entry._aws?.CloudWatchMetrics ?? []).flatMap(({ Metrics }) =>
      (Metrics ?? []).map(({ Name }) => Name),
    );
    for (const name of new Set(names)) {
      for (const value of [entry[name]].flat()) if (typeof value === "number") this.#add(name, value);
    }
    this.#lines += 1;
    return true;
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
