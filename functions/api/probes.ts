/**
 * What the API asks of the other functions: a first look at a monitor soon (spot job), a shard planned at once, or a
 * check right now. Each location's queue and probe live in its own region.
 */
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { CheckSettings, Job, Location, Monitor, Outcome } from "../../shared/model.ts";

/** SQS takes ten messages in one call. */
const MESSAGES_PER_CALL = 10;

const each = <K, V>(make: (key: K) => V) => {
  const made = new Map<K, V>();
  return (key: K): V => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
};

export const createProbes = (locations: readonly Location[], dispatchFunctionName: string) => {
  // The endpoint comes from the region (or the environment, on one machine), never from the host of a queue URL.
  const queues = each((region: string) => new SQSClient({ region, useQueueUrlAsEndpoint: false }));
  const lambdas = each((region: string) => new LambdaClient({ region }));
  // Dispatch runs where we run.
  const home = new LambdaClient({});
  const byName = new Map(locations.map((location) => [location.name, location]));

  const send = async ({ region, jobsQueueUrl }: Location, jobs: readonly Job[]) => {
    const { Failed = [] } = await queues(region).send(
      new SendMessageBatchCommand({
        QueueUrl: jobsQueueUrl,
        Entries: jobs.map((job, index) => ({ Id: String(index), MessageBody: JSON.stringify(job) })),
      }),
    );
    if (Failed[0]) throw new Error(`${Failed.length} jobs were not taken: ${Failed[0].Message ?? Failed[0].Code}`);
  };

  return {
    /** Has each location look at these monitors as soon as it can. @throws AggregateError when some were not queued */
    async spot(monitors: readonly Pick<Monitor, "id" | "settingsVersion" | "locations">[]): Promise<void> {
      const sends: Promise<void>[] = [];
      for (const location of locations) {
        const jobs = monitors
          .filter((monitor) => monitor.locations.includes(location.name))
          .map(({ id, settingsVersion }): Job => ({ kind: "spot", monitorId: id, settingsVersion }));
        for (let start = 0; start < jobs.length; start += MESSAGES_PER_CALL)
          sends.push(send(location, jobs.slice(start, start + MESSAGES_PER_CALL)));
      }
      const errors = (await Promise.allSettled(sends)).flatMap((sent) =>
        sent.status === "rejected" ? [sent.reason] : [],
      );
      if (errors.length > 0) throw new AggregateError(errors, `spot jobs were not queued: ${errors[0]}`);
    },

    /** Has a new shard planned now instead of within a minute. */
    async plan(shard: string): Promise<void> {
      await home.send(
        new InvokeCommand({
          FunctionName: dispatchFunctionName,
          InvocationType: "Event",
          Payload: Buffer.from(JSON.stringify({ source: "api", shard })),
        }),
      );
    },

    /**
     * One check from one location, now.
     * @throws Error when the probe failed or did not answer in time
     */
    async check(locationName: string, check: CheckSettings, signal: AbortSignal): Promise<Outcome> {
      const location = byName.get(locationName);
      if (!location) throw new Error(`there is no location ${locationName} any more`);
      const { Payload, FunctionError } = await lambdas(location.region).send(
        new InvokeCommand({
          FunctionName: location.probeFunctionName,
          InvocationType: "RequestResponse",
          Payload: Buffer.from(JSON.stringify({ kind: "check", check })),
        }),
        { abortSignal: signal },
      );
      const answer = JSON.parse(Buffer.from(Payload ?? []).toString() || "null");
      if (FunctionError) throw new Error(`the probe failed: ${answer?.errorMessage ?? FunctionError}`);
      if (answer?.errors) throw new Error(`the probe refused the settings: ${JSON.stringify(answer.errors)}`);
      return answer;
    },
  };
};
export type Probes = ReturnType<typeof createProbes>;
