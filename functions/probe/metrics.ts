/**
 * Metrics of the probe, printed in CloudWatch's embedded metric format (EMF) once a minute: a line per tick would cost
 * more in logs than the checks cost in Lambda time.
 */
import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { PortState } from "../../shared/model.ts";
import type { TickReport } from "./tick.ts";

const EVERY_MS = 60_000;

/**
 * Metric by state. CloudWatch bills each name that appears in an hour ($0.30 a month), so the rarer states share one.
 */
const NAMES: Readonly<Record<PortState, string>> = {
  open: "ChecksOpen",
  closed: "ChecksClosed",
  filtered: "ChecksFiltered",
  unmeasured: "ChecksUnmeasured",
  "open|filtered": "ChecksOther",
  unresolved: "ChecksOther",
  mismatch: "ChecksOther",
  "tls-error": "ChecksOther",
};

export const createProbeMetrics = (metrics: Metrics, now: () => number) => {
  const counts = new Map<string, number>();
  let publishedAt = now();
  const count = (name: string, amount: number) => {
    if (amount > 0) counts.set(name, (counts.get(name) ?? 0) + amount);
  };
  return {
    record({ result, outcomes, lagMs, late }: TickReport): void {
      count("LateJobs", result === "late" ? 1 : 0);
      count("LateChecks", late);
      if (result !== "checked") return;
      metrics.addMetric("TickLagMs", MetricUnit.Milliseconds, lagMs);
      const latencies: number[] = [];
      for (const { state, timings, stalled } of outcomes.values()) {
        count(NAMES[state], 1);
        if (timings.latencyMs !== undefined && !stalled) latencies.push(timings.latencyMs);
      }
      const median = latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length / 2)];
      if (median !== undefined) metrics.addMetric("CheckLatencyMs", MetricUnit.Milliseconds, median);
    },
    /** Publishes if a minute has passed since the last time. */
    publish(): void {
      if (now() - publishedAt < EVERY_MS) return;
      publishedAt = now();
      for (const [name, amount] of counts) metrics.addMetric(name, MetricUnit.Count, amount);
      counts.clear();
      metrics.publishStoredMetrics();
    },
  };
};
