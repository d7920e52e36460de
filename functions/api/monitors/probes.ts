/**
 * Requests from the API to other functions: spot checks of monitors (by queue), planning of a shard, or a check right
 * now (by invocation). Each location's queue and probe are in its own region.
 */
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { CheckSettings, Location, Monitor, Outcome } from "../../../shared/model.ts";
import type { CheckAnswer, CheckRequest, PlanRequest } from "../../../shared/payloads.ts";
import { spotJobs } from "../../../shared/rules/plan.ts";
import { createJobQueues, type JobQueues } from "../../../shared/store/jobs.ts";

const each = <K, V>(make: (key: K) => V) => {
  const made = new Map<K, V>();
  return (key: K): V => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
};

const payloadOf = <Request>(request: Request) => Buffer.from(JSON.stringify(request));

interface Clients {
  readonly queues: JobQueues;
  /** Client for a region. Default: the function's own. */
  readonly lambdaOf: (region?: string) => Pick<LambdaClient, "send">;
}

const clientsOf = (locations: readonly Location[]): Clients => ({
  queues: createJobQueues(locations),
  lambdaOf: (region) => new LambdaClient(region === undefined ? {} : { region }),
});

export const createProbes = (
  locations: readonly Location[],
  dispatchFunctionName: string,
  { queues, lambdaOf }: Clients = clientsOf(locations),
) => {
  const lambdas = each(lambdaOf);
  // Dispatch is in the same region as the API.
  const home = lambdaOf();
  const byName = new Map(locations.map((location) => [location.name, location]));

  return {
    /** Queues spot checks of these monitors at all their locations. @throws AggregateError if some were not queued */
    async spot(monitors: readonly Pick<Monitor, "id" | "settingsVersion" | "locations">[]): Promise<void> {
      const jobs = spotJobs(monitors, [...byName.keys()]);
      const { rejected, errors } = await queues(jobs);
      if (rejected.size > 0)
        throw new AggregateError(
          [...errors.values()],
          `${rejected.size} spot jobs were not queued: ${[...errors.values()][0]}`,
        );
    },

    /** Has dispatch plan a new shard now instead of within a minute. */
    async plan(shard: string): Promise<void> {
      await home.send(
        new InvokeCommand({
          FunctionName: dispatchFunctionName,
          InvocationType: "Event",
          Payload: payloadOf<PlanRequest>({ source: "api", shard }),
        }),
      );
    },

    /**
     * Checks once from one location, now.
     * @throws Error if the probe failed or did not answer in time
     */
    async check(locationName: string, check: CheckSettings, signal: AbortSignal): Promise<Outcome> {
      const location = byName.get(locationName);
      if (!location) throw new Error(`there is no location ${locationName} any more`);
      const { Payload, FunctionError } = await lambdas(location.region).send(
        new InvokeCommand({
          FunctionName: location.probeFunctionName,
          InvocationType: "RequestResponse",
          Payload: payloadOf<CheckRequest>({ kind: "check", check }),
        }),
        { abortSignal: signal },
      );
      const text = Buffer.from(Payload ?? []).toString() || "null";
      if (FunctionError) throw new Error(`the probe failed: ${JSON.parse(text)?.errorMessage ?? FunctionError}`);
      const answer = JSON.parse(text) as CheckAnswer;
      if (answer === null) throw new Error("the probe did not finish the check in time");
      if ("errors" in answer) throw new Error(`the probe refused the settings: ${JSON.stringify(answer.errors)}`);
      return answer;
    },
  };
};
export type Probes = ReturnType<typeof createProbes>;
