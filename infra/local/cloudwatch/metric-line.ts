import type { MetricName } from "./metrics.ts";

interface MetricLine {
  readonly _aws?: {
    readonly CloudWatchMetrics?: readonly {
      readonly Namespace?: string;
      readonly Dimensions?: readonly (readonly string[])[];
      readonly Metrics?: readonly { readonly Name: string }[];
    }[];
  };
  readonly [member: string]: unknown;
}

export interface MetricValue extends MetricName {
  readonly value: number;
}

/**
 * Reads a line of CloudWatch's embedded metric format: JSON whose `_aws` says which of its members are metrics.
 * @returns undefined for any other line
 */
export const parseMetricLine = (text: string): MetricValue[] | undefined => {
  if (!text.includes('"_aws"')) return undefined;
  let line: MetricLine;
  try {
    line = JSON.parse(text) as MetricLine;
  } catch {
    return undefined; // text that only looks like a metric line
  }
  return (line._aws?.CloudWatchMetrics ?? []).flatMap(
    ({ Namespace: namespace = "", Dimensions = [[]], Metrics = [] }) =>
      Dimensions.flatMap((names) => {
        const dimensions = Object.fromEntries(names.map((name) => [name, String(line[name])]));
        return Metrics.flatMap(({ Name: name }) =>
          [line[name]]
            .flat()
            .flatMap((value) => (typeof value === "number" ? [{ namespace, name, dimensions, value }] : [])),
        );
      }),
  );
};
