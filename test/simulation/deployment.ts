/** What the template says of the account that is simulated: tables, time limits, queues, the stream's mapping. */

import { type TableDefinition, tableDefinition } from "../../infra/local/dynamodb/table-definition.ts";
import { matchesPattern, parsePattern } from "../../infra/local/lambda/event-pattern.ts";
import type { Resource } from "../../infra/local/template/template.ts";
import type { Change } from "./table.ts";

interface StreamSettings {
  readonly wants: (change: Change) => boolean;
  readonly batchSize: number;
  readonly maxRetries: number;
  readonly maxAgeMs: number;
}

export interface Deployment {
  readonly tables: { readonly monitors: TableDefinition; readonly history: TableDefinition };
  /** Time limits of the functions, by the names that the simulation gives them. */
  readonly timeoutMs: Readonly<Record<FunctionName, number>>;
  readonly queue: {
    readonly visibilityMs: number;
    readonly retentionMs: number;
    readonly maxReceives: number;
  };
  /** The mappings of the monitors' stream. */
  readonly streams: Readonly<Record<"state-change" | "deliver", StreamSettings>>;
}

/** Parts of their logical ids. */
const FUNCTIONS = {
  api: "ApiFunction",
  dispatch: "DispatchFunction",
  probe: "ProbeFunction",
  "state-change": "StateChangeFunction",
  deliver: "DeliverFunction",
  compact: "CompactFunction",
};
export type FunctionName = keyof typeof FUNCTIONS;

/** @throws when the template lacks something */
export function deploymentOf(resources: readonly Resource[]): Deployment {
  const find = (type: RegExp, fits: (resource: Resource) => boolean) => {
    const found = resources.find((resource) => type.test(resource.type) && fits(resource));
    if (!found) throw new Error(`the template has no such resource: ${type} ${fits}`);
    return found.properties;
  };
  const table = (word: string) => {
    const found = resources.find(
      ({ type, name }) => /^AWS::DynamoDB::(Global)?Table$/.test(type) && name.includes(word),
    );
    if (!found) throw new Error(`the template has no table of the name ${word}`);
    return tableDefinition(found.type, found.name, found.properties);
  };
  const timeoutOf = (part: string) =>
    1000 * Number(find(/^AWS::Lambda::Function$/, ({ logicalId }) => logicalId.includes(part)).Timeout);
  const queue = find(
    /^AWS::SQS::Queue$/,
    ({ name, properties }) => /\bjobs\b/.test(name) && properties.RedrivePolicy !== undefined,
  );
  const streamOf = (name: FunctionName): StreamSettings => {
    const mapping = find(/^AWS::Lambda::EventSourceMapping$/, ({ logicalId }) => logicalId.includes(FUNCTIONS[name]));
    const { Filters = [] } = (mapping.FilterCriteria ?? {}) as { Filters?: readonly { readonly Pattern: string }[] };
    const patterns = Filters.map(({ Pattern }) => parsePattern(Pattern));
    return {
      wants: (change) => patterns.length === 0 || patterns.some((pattern) => matchesPattern(pattern, eventOf(change))),
      batchSize: Number(mapping.BatchSize),
      maxRetries: Number(mapping.MaximumRetryAttempts),
      maxAgeMs: 1000 * Number(mapping.MaximumRecordAgeInSeconds),
    };
  };
  return {
    tables: { monitors: table("monitors"), history: table("history") },
    timeoutMs: Object.fromEntries(
      Object.entries(FUNCTIONS).map(([name, part]) => [name, timeoutOf(part)]),
    ) as Deployment["timeoutMs"],
    queue: {
      visibilityMs: 1000 * Number(queue.VisibilityTimeout),
      retentionMs: 1000 * Number(queue.MessageRetentionPeriod),
      maxReceives: (queue.RedrivePolicy as { maxReceiveCount: number }).maxReceiveCount,
    },
    streams: { "state-change": streamOf("state-change"), deliver: streamOf("deliver") },
  };
}

/** What filters look at. */
const eventOf = ({ key, before, after }: Change) => ({
  eventName: after ? (before ? "MODIFY" : "INSERT") : "REMOVE",
  dynamodb: { Keys: Object.fromEntries(Object.entries(key).map(([name, value]) => [name, { S: String(value) }])) },
});
