import type { Resource } from "../template/template.ts";
import { addUp, type Expression, parseExpression } from "./expression.ts";
import type { MetricName, Metrics, Statistic } from "./metrics.ts";

/** The state that follows from an alarm's periods. Where there are too few data points it is undefined: the state stays. */
export interface Evaluation {
  readonly state: "ALARM" | "OK";
  /** One sentence, worded as CloudWatch's. */
  readonly reason: string;
}

export interface Alarm {
  readonly name: string;
  readonly arn: string;
  readonly description: string;
  /** ARNs of the topics that are notified, by new state. */
  readonly actions: Readonly<Record<Evaluation["state"], readonly string[]>>;
  /** Minutes of metrics that an evaluation reads. */
  readonly minutes: number;
  /** Properties in the template. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly metrics: readonly MetricName[];
  evaluate(metrics: Metrics): Evaluation | undefined;
}

interface MetricProperties {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
}

interface Query {
  readonly Id: string;
  readonly Expression?: string;
  readonly MetricStat?: { readonly Metric: MetricProperties; readonly Period: number; readonly Stat: string };
  readonly ReturnData?: boolean;
}

interface AlarmProperties extends Partial<MetricProperties> {
  readonly ActionsEnabled?: boolean;
  readonly AlarmActions?: readonly string[];
  readonly AlarmDescription?: string;
  readonly AlarmName?: string;
  readonly ComparisonOperator: string;
  readonly DatapointsToAlarm?: number;
  readonly EvaluationPeriods: number;
  readonly Metrics?: readonly Query[];
  readonly OKActions?: readonly string[];
  readonly Period?: number;
  readonly Statistic?: string;
  readonly Tags?: unknown;
  readonly Threshold: number;
  readonly TreatMissingData?: string;
}

/** The supported properties. Ignoring another one would change what the alarm means. */
const PROPERTIES = Object.keys({
  ActionsEnabled: true,
  AlarmActions: true,
  AlarmDescription: true,
  AlarmName: true,
  ComparisonOperator: true,
  DatapointsToAlarm: true,
  Dimensions: true,
  EvaluationPeriods: true,
  MetricName: true,
  Metrics: true,
  Namespace: true,
  OKActions: true,
  Period: true,
  Statistic: true,
  Tags: true,
  Threshold: true,
  TreatMissingData: true,
} satisfies Record<keyof AlarmProperties, true>);

const STATISTICS: Record<Statistic, true> = {
  Sum: true,
  Average: true,
  Minimum: true,
  Maximum: true,
  SampleCount: true,
};

interface Comparison {
  readonly holds: (value: number, threshold: number) => boolean;
  readonly text: string;
}

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  GreaterThanThreshold: { holds: (value, threshold) => value > threshold, text: "greater than" },
  GreaterThanOrEqualToThreshold: { holds: (value, threshold) => value >= threshold, text: "greater than or equal to" },
  LessThanThreshold: { holds: (value, threshold) => value < threshold, text: "less than" },
  LessThanOrEqualToThreshold: { holds: (value, threshold) => value <= threshold, text: "less than or equal to" },
};

const MISSING_BREACHES: Readonly<Record<string, boolean>> = { breaching: true, notBreaching: false };

/** @throws when the alarm has something unsupported: it would never ring, unnoticed */
export const parseAlarm = ({ logicalId, name, arn, properties }: Resource): Alarm => {
  const given = properties as unknown as AlarmProperties;
  const refuse = (what: string): never => {
    throw new Error(`alarm ${logicalId}: ${what} is not supported here`);
  };
  const unknown = Object.keys(properties).find((property) => !PROPERTIES.includes(property));
  if (unknown !== undefined) refuse(unknown);
  const comparison = COMPARISONS[given.ComparisonOperator] ?? refuse(`ComparisonOperator ${given.ComparisonOperator}`);
  const missingBreaches =
    MISSING_BREACHES[given.TreatMissingData ?? "missing"] ??
    refuse(`TreatMissingData ${given.TreatMissingData ?? "missing"}`);
  const { metrics, minutes, earlier, read } = parseMetrics(given, refuse);
  const periods = given.EvaluationPeriods;
  const needed = given.DatapointsToAlarm ?? periods;
  const isHeard = given.ActionsEnabled ?? true;
  return {
    name,
    arn: arn!,
    description: given.AlarmDescription ?? "",
    actions: { ALARM: (isHeard && given.AlarmActions) || [], OK: (isHeard && given.OKActions) || [] },
    minutes: minutes * periods + earlier,
    properties,
    metrics,
    evaluate: (store) => {
      const values: (number | undefined)[] = [];
      let [breaching, fine] = [0, 0];
      for (let period = 0; period < periods; period += 1) {
        const ago = period * minutes;
        const value = read(store, ago);
        const isWhole = store.covers(minutes, ago);
        if (!isWhole && value === undefined) continue;
        const breaches = value === undefined ? missingBreaches : comparison.holds(value, given.Threshold);
        // A sum over part of a period may still grow.
        if (!isWhole && !(breaches && given.ComparisonOperator.startsWith("Greater"))) continue;
        values.push(value);
        if (breaches) breaching += 1;
        else fine += 1;
      }
      if (breaching < needed && fine <= periods - needed) return undefined;
      const state = breaching >= needed ? "ALARM" : "OK";
      return { state, reason: reasonOf(state, values, comparison, given.Threshold) };
    },
  };
};

const parseMetrics = (given: AlarmProperties, refuse: (what: string) => never) => {
  const single = { Metric: given as MetricProperties, Period: given.Period ?? 0, Stat: given.Statistic ?? "none" };
  const queries = given.Metrics ?? [{ Id: "m", MetricStat: single, ReturnData: true }];
  const returned = queries.filter(({ ReturnData }) => ReturnData ?? true);
  const [wanted] = returned;
  if (wanted === undefined || returned.length > 1) return refuse("an alarm without its one metric with ReturnData");
  const byId = new Map(
    queries.flatMap(({ Id, MetricStat }) => (MetricStat ? [[Id, parseMetric(MetricStat, refuse)] as const] : [])),
  );
  const { terms, isDifference }: Expression =
    wanted.Expression === undefined
      ? { terms: [{ id: wanted.Id, fill: undefined }], isDifference: false }
      : parseExpression(wanted.Expression);
  const used = terms.map(({ id }) => byId.get(id) ?? refuse(`${id}, which is no metric`));
  const minutes = used[0]!.minutes;
  if (used.some((one) => one.minutes !== minutes)) refuse("a sum of metrics of different periods");
  const sum = (store: Metrics, ago: number) =>
    addUp(terms, (id) => {
      const { metric, statistic } = byId.get(id)!;
      // Before the start of this process the metric counts as it was at the start.
      return (
        store.statistic(metric, statistic, minutes, ago) ?? (isDifference ? store.atStart(metric, ago) : undefined)
      );
    });
  const difference = (store: Metrics, ago: number) => {
    const [now, before] = [sum(store, ago), sum(store, ago + minutes)];
    return now === undefined || before === undefined ? undefined : now - before;
  };
  return {
    metrics: used.map(({ metric }) => metric),
    minutes,
    /** Minutes before a period that its value depends on. */
    earlier: isDifference ? minutes : 0,
    read: isDifference ? difference : sum,
  };
};

const parseMetric = ({ Metric, Period, Stat }: NonNullable<Query["MetricStat"]>, refuse: (what: string) => never) => {
  if (!Object.hasOwn(STATISTICS, Stat)) refuse(`statistic ${Stat}`);
  if (!(Period > 0 && Period % 60 === 0)) refuse(`period ${Period}`);
  const dimensions = Object.fromEntries((Metric.Dimensions ?? []).map(({ Name, Value }) => [Name, Value]));
  const metric: MetricName = { namespace: Metric.Namespace, name: Metric.MetricName, dimensions };
  return { metric, statistic: Stat as Statistic, minutes: Period / 60 };
};

const reasonOf = (
  state: Evaluation["state"],
  values: readonly (number | undefined)[],
  comparison: Comparison,
  threshold: number,
): string => {
  const shown = values.map((value) => value ?? "none").join(", ");
  const was = state === "ALARM" ? "Threshold crossed" : "Threshold not crossed";
  return `${was}: the newest periods have [${shown}]; it rings when they are ${comparison.text} ${threshold}.`;
};
