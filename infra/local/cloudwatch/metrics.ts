/** Identity of a CloudWatch metric: namespace, name and all dimensions. */
export interface MetricName {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Takes one value of a metric. */
export type PutMetric = (metric: MetricName, value: number) => void;

export type Statistic = "Sum" | "Average" | "Minimum" | "Maximum" | "SampleCount";

interface Summary {
  count: number;
  sum: number;
  min: number;
  max: number;
}

/**
 * Metrics by minute, in memory. The caller ends each minute by a timer, so that a change of the system clock makes no gap
 * and hides none.
 */
export class Metrics {
  readonly #keptMinutes: number;
  /** Oldest first. */
  readonly #minutes: Map<string, Summary>[] = [];
  #current = new Map<string, Summary>();
  #start = new Map<string, Summary>();
  #ended = 0;

  /** @param keptMinutes how far back `statistic` is asked */
  constructor(keptMinutes: number) {
    this.#keptMinutes = keptMinutes;
  }

  readonly put: PutMetric = (metric, value) => {
    const key = keyOf(metric);
    const { count, sum, min, max } = this.#current.get(key) ?? { count: 0, sum: 0, min: value, max: value };
    const summary = { count: count + 1, sum: sum + value, min: Math.min(min, value), max: Math.max(max, value) };
    this.#current.set(key, summary);
  };

  endMinute(): void {
    this.#minutes.push(this.#current);
    if (this.#minutes.length > this.#keptMinutes) this.#minutes.shift();
    this.#current = new Map();
    this.#ended += 1;
  }

  /** Takes the values put until now as the state at the start, not as a minute. */
  begin(): void {
    this.#start = this.#current;
    this.#current = new Map();
  }

  /** The metric at the start. @returns undefined when the window ends after the start, or there was no value */
  atStart(metric: MetricName, ago: number): number | undefined {
    return ago < this.#ended ? undefined : this.#start.get(keyOf(metric))?.max;
  }

  /** Whether this process ran for all of these minutes: before its start, missing data means nothing. */
  covers(minutes: number, ago: number): boolean {
    return minutes + ago <= this.#ended;
  }

  /**
   * @param ago minutes between the window's end and now; the current minute does not count
   * @returns undefined when there was no value
   */
  statistic(metric: MetricName, statistic: Statistic, minutes: number, ago: number): number | undefined {
    const key = keyOf(metric);
    const end = this.#minutes.length - ago;
    const found = this.#minutes
      .slice(Math.max(0, end - minutes), Math.max(0, end))
      .flatMap((minute) => minute.get(key) ?? []);
    if (found.length === 0) return undefined;
    const total = (field: "count" | "sum") => found.reduce((sum, summary) => sum + summary[field], 0);
    switch (statistic) {
      case "Sum":
        return total("sum");
      case "SampleCount":
        return total("count");
      case "Average":
        return total("sum") / total("count");
      case "Minimum":
        return Math.min(...found.map(({ min }) => min));
      case "Maximum":
        return Math.max(...found.map(({ max }) => max));
    }
  }
}

const keyOf = ({ namespace, name, dimensions }: MetricName): string =>
  JSON.stringify([namespace, name, Object.entries(dimensions).sort()]);
