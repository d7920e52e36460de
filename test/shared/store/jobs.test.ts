import type { SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import { expect, test, vi } from "vitest";
import type { PlannedJob } from "../../../shared/jobs.ts";
import { createJobQueues } from "../../../shared/store/jobs.ts";

const LOCATIONS = [{ name: "a", region: "eu-west-1", jobsQueueUrl: "https://sqs.example.com/a" }];
const heartbeats = (count: number, dueAtSeconds: number): PlannedJob[] =>
  Array.from({ length: count }, (_, at) => ({ location: "a", job: { kind: "heartbeat", at }, dueAtSeconds }));

test("how long a job waits is computed when it is sent, however long the batches before it took", async () => {
  let now = 1_000_000;
  const delays = new Set<string>();
  const send = async ({ input }: SendMessageBatchCommand) => {
    for (const { DelaySeconds } of input.Entries!) delays.add(`${now} ${DelaySeconds}`);
    await new Promise((resolve) => setImmediate(resolve));
    now += 1_000; // every call takes a second
    return {};
  };
  const queues = createJobQueues(
    LOCATIONS,
    () => ({ send }) as never,
    () => new Date(now),
  );
  const { rejected } = await queues(heartbeats(200, 1_030));
  expect(rejected.size).toBe(0);
  expect(delays.size).toBeGreaterThan(2);
  for (const sent of delays) {
    const [at, delay] = sent.split(" ").map(Number) as [number, number];
    expect(at / 1000 + delay).toBe(1_030);
  }
});

test("a region that does not answer is waited for once, and what is left of its jobs is rejected", async () => {
  const realTimeout = AbortSignal.timeout;
  using _faster = vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => realTimeout(ms / 100));
  let calls = 0;
  const send = (_command: unknown, { abortSignal }: { abortSignal: AbortSignal }) => {
    calls++;
    return new Promise((_resolve, reject) => {
      abortSignal.addEventListener("abort", () => reject(new Error("Request aborted")));
    });
  };
  const queues = createJobQueues(LOCATIONS, () => ({ send }) as never);
  const jobs = heartbeats(500, 0);
  const { rejected, errors } = await queues(jobs);
  expect(rejected.size).toBe(500);
  expect(errors.has("a")).toBe(true);
  expect(calls).toBe(8);
});
