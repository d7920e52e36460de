/** Sends jobs to the SQS queues of the locations, each in its own region. */
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { PlannedJob, Timer } from "../jobs.ts";
import type { Location } from "../model.ts";
import { chunksOf, delaySeconds, touchJobs } from "../rules/plan.ts";

/** Limit of SendMessageBatch. */
const BATCH = 10;
const CALLS_AT_ONCE = 8;
/** Timeout of a call, so that a region which does not answer does not use up the time of the others. */
const CALL_TIMEOUT_MS = 8_000;

export interface SendReport {
  /** Jobs that were not accepted, and can be sent again. */
  readonly rejected: ReadonlySet<PlannedJob>;
  /** The last error of each location. */
  readonly errors: ReadonlyMap<string, Error>;
}

/** The endpoint comes from the region (or the environment, on one machine), never from the host of a queue URL. */
const sqsOf = (region: string): Pick<SQSClient, "send"> => new SQSClient({ region, useQueueUrlAsEndpoint: false });

export const createJobQueues = (
  locations: readonly Pick<Location, "name" | "region" | "jobsQueueUrl">[],
  clientOf: (region: string) => Pick<SQSClient, "send"> = sqsOf,
  now: () => Date = () => new Date(),
) => {
  const clients = new Map(locations.map(({ region }) => [region, clientOf(region)]));

  const sendTo = async (
    { name, region, jobsQueueUrl }: (typeof locations)[number],
    jobs: readonly PlannedJob[],
    rejected: Set<PlannedJob>,
    errors: Map<string, Error>,
  ) => {
    const batches = chunksOf(jobs, BATCH);
    const work = async () => {
      for (let batch = batches.shift(); batch; batch = batches.shift()) {
        const abortSignal = AbortSignal.timeout(CALL_TIMEOUT_MS);
        try {
          const { Failed = [] } = await clients.get(region)!.send(
            new SendMessageBatchCommand({
              QueueUrl: jobsQueueUrl,
              Entries: batch.map(({ job, dueAtSeconds }, index) => ({
                Id: String(index),
                MessageBody: JSON.stringify(job),
                // Relative to now, because earlier batches took time.
                DelaySeconds: delaySeconds(dueAtSeconds, now()),
              })),
            }),
            { abortSignal },
          );
          for (const { Id, Code, Message } of Failed) {
            rejected.add(batch[Number(Id)]!);
            errors.set(name, new Error(`${Code}: ${Message}`));
          }
        } catch (error) {
          // After a timeout the remaining batches of this location are given up too: each would wait as long.
          const lost = abortSignal.aborted ? [batch, ...batches.splice(0)] : [batch];
          for (const planned of lost.flat()) rejected.add(planned);
          errors.set(name, error as Error);
        }
      }
    };
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, work));
  };

  /** Jobs for locations that do not exist are dropped. */
  return async (jobs: readonly PlannedJob[]): Promise<SendReport> => {
    const rejected = new Set<PlannedJob>();
    const errors = new Map<string, Error>();
    const byLocation = Map.groupBy(jobs, ({ location }) => location);
    await Promise.all(
      locations.map((location) => sendTo(location, byLocation.get(location.name) ?? [], rejected, errors)),
    );
    return { rejected, errors };
  };
};
export type JobQueues = ReturnType<typeof createJobQueues>;

/** Timers due within this time are queued at once; dispatch, which looks as far ahead, finds later ones. */
const QUEUED_AHEAD_MS = 120_000;

interface TimerQueueParts {
  readonly queues: JobQueues;
  /** Names of all locations. */
  readonly locations: readonly string[];
  readonly now: () => Date;
  readonly log: (level: "warn", message: string, details: object) => void;
}

/**
 * Queues jobs that touch items when their timers are due. Errors are only logged, because dispatch finds a timer that is
 * not queued within a minute.
 */
export const createTimerQueue =
  ({ queues, locations, now, log }: TimerQueueParts) =>
  async (timers: readonly Timer[]): Promise<void> => {
    const soon = timers.filter(({ dueAt }) => Date.parse(dueAt) - now().getTime() <= QUEUED_AHEAD_MS);
    const { errors } = await queues(touchJobs(soon, locations, now()));
    for (const [location, error] of errors) log("warn", "timers could not be queued", { location, error });
  };
export type TimerQueue = ReturnType<typeof createTimerQueue>;
