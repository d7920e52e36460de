import { DAY_SECONDS } from "../../../shared/durations.ts";
import type { Streams } from "../dynamodb/streams.ts";
import type { Decision, Permission } from "../iam/iam.ts";
import { permissionsOfEventSource } from "../iam/request.ts";
import type { Queue } from "../sqs/queue.ts";
import type { Resource } from "../template/template.ts";
import { type Pattern, parsePattern } from "./event-pattern.ts";
import type { DeployedFunction, Functions } from "./functions.ts";
import { createQueueSource, type EventSource } from "./queue-source.ts";
import { createStreamSource } from "./stream-source.ts";

interface MappingProperties {
  readonly FunctionName: string;
  readonly EventSourceArn: string;
  readonly BatchSize?: number;
  readonly Enabled?: boolean;
  readonly MaximumBatchingWindowInSeconds?: number;
  readonly FunctionResponseTypes?: readonly string[];
  readonly ScalingConfig?: { readonly MaximumConcurrency?: number };
  readonly FilterCriteria?: { readonly Filters?: readonly { readonly Pattern: string }[] };
  readonly BisectBatchOnFunctionError?: boolean;
  readonly MaximumRetryAttempts?: number;
  readonly MaximumRecordAgeInSeconds?: number;
  readonly ParallelizationFactor?: number;
  readonly StartingPosition?: string;
  readonly DestinationConfig?: { readonly OnFailure?: { readonly Destination?: string } };
}

export interface Sources {
  readonly functions: Functions;
  readonly queueByArn: (arn: string) => Queue | undefined;
  readonly streams: Streams;
  readonly authorise: (role: string, permission: Permission) => Decision;
}

/** Retention of a stream: Lambda cannot retry records longer than that. */
const STREAM_RETENTION_SECONDS = DAY_SECONDS;

/**
 * Creates the template's event source mappings (`AWS::Lambda::EventSourceMapping`), ready to start.
 * @throws when a mapping names what the template lacks, or the function's role may not read its source; CloudFormation
 * refuses such a mapping too
 */
export const createEventSources = (resources: readonly Resource[], parts: Sources): EventSource[] =>
  resources
    .filter(({ type }) => type === "AWS::Lambda::EventSourceMapping")
    .flatMap((mapping) => create(mapping, parts));

const create = ({ logicalId, stack, properties }: Resource, parts: Sources): EventSource[] => {
  const mapping = properties as unknown as MappingProperties;
  if (mapping.Enabled === false) return [];
  const target = parts.functions.find(mapping.FunctionName);
  if (!target) throw new Error(`event source mapping ${logicalId}: there is no function ${mapping.FunctionName}`);
  for (const permission of permissionsOfEventSource(mapping.EventSourceArn))
    assertAllowed(logicalId, target, permission, parts);
  const shared = {
    windowSeconds: mapping.MaximumBatchingWindowInSeconds ?? 0,
    reportsFailures: mapping.FunctionResponseTypes?.includes("ReportBatchItemFailures") ?? false,
    patterns: (mapping.FilterCriteria?.Filters ?? []).map(({ Pattern }): Pattern => parsePattern(Pattern)),
  };
  const queue = parts.queueByArn(mapping.EventSourceArn);
  if (queue) {
    const wanted = mapping.ScalingConfig?.MaximumConcurrency ?? Number.POSITIVE_INFINITY;
    const maximumConcurrency = Math.min(wanted, target.run.concurrency);
    return [
      createQueueSource(queue, target.run, { ...shared, batchSize: mapping.BatchSize ?? 10, maximumConcurrency }),
    ];
  }
  if (!mapping.EventSourceArn.includes(":dynamodb:")) {
    throw new Error(`event source mapping ${logicalId}: there is no queue or stream ${mapping.EventSourceArn}`);
  }
  return [
    createStreamSource(parts.streams, target.run, {
      ...shared,
      consumer: `${stack}/${logicalId}`,
      streamArn: mapping.EventSourceArn,
      batchSize: mapping.BatchSize ?? 100,
      bisects: mapping.BisectBatchOnFunctionError ?? false,
      maximumRetries: unlimited(mapping.MaximumRetryAttempts, Number.POSITIVE_INFINITY),
      maximumAgeSeconds: unlimited(mapping.MaximumRecordAgeInSeconds, STREAM_RETENTION_SECONDS),
      startsAtLatest: mapping.StartingPosition === "LATEST",
      parallelization: mapping.ParallelizationFactor ?? 1,
      onFailure: onFailure(logicalId, target, mapping.DestinationConfig?.OnFailure?.Destination, parts),
    }),
  ];
};

/** In a mapping -1 means no limit. */
const unlimited = (value: number | undefined, none: number): number =>
  value === undefined || value < 0 ? none : value;

const onFailure = (
  logicalId: string,
  target: DeployedFunction,
  destination: string | undefined,
  parts: Sources,
): ((message: string) => void) | undefined => {
  if (destination === undefined) return undefined;
  const queue = parts.queueByArn(destination);
  if (!queue) throw new Error(`event source mapping ${logicalId}: its destination ${destination} is no queue here`);
  assertAllowed(logicalId, target, { action: "sqs:SendMessage", resource: destination }, parts);
  return (message) => queue.send(message);
};

const assertAllowed = (
  logicalId: string,
  target: DeployedFunction,
  permission: Permission,
  { authorise }: Sources,
): void => {
  if (authorise(target.role, permission) === "allowed") return;
  throw new Error(
    `event source mapping ${logicalId}: the role ${target.role} of ${target.resource.name} may not ${permission.action} on ${permission.resource}`,
  );
};
