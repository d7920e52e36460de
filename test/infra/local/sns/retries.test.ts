import { describe, expect, test } from "vitest";
import { retryDelay, retryPolicy } from "../../../../infra/local/sns/retries.ts";
import { subscribe } from "./fixture.ts";

test.for([
  ["failed to parse", "{"],
  ["Total policy retry time", '{"healthyRetryPolicy":{"numRetries":50,"minDelayTarget":100,"maxDelayTarget":100}}'],
  ["numRetries must be", '{"healthyRetryPolicy":{"numRetries":101}}'],
  ["minDelayTarget must be", '{"healthyRetryPolicy":{"minDelayTarget":21}}'],
  ["more than numRetries", '{"healthyRetryPolicy":{"numMinDelayRetries":2,"numMaxDelayRetries":2}}'],
  ["unknown member numTries", '{"healthyRetryPolicy":{"numTries":2}}'],
  ["throttlePolicy is not supported", '{"throttlePolicy":{"maxReceivesPerSecond":1}}'],
  ["linear or exponential on one machine", '{"healthyRetryPolicy":{"backoffFunction":"geometric"}}'],
] as const)("refuses a delivery policy: %s", async ([why, DeliveryPolicy]) => {
  await expect(subscribe("http", "http://127.0.0.1:1/", { DeliveryPolicy })).rejects.toThrow(why);
});

describe("waits before it tries again as SNS does", () => {
  const delays = (protocol: "http" | "email" | "sqs", policy?: object, count = 100) => {
    const attributes = policy ? { DeliveryPolicy: JSON.stringify({ healthyRetryPolicy: policy }) } : {};
    const retries = retryPolicy({ protocol, attributes: attributes as Record<string, string> });
    const all = Array.from({ length: count }, (_, index) => retryDelay(retries, index + 1));
    return all.filter((delay) => delay !== undefined).map(Math.round);
  };
  test("an HTTP subscriber without a policy: three times, 20 s apart", () => {
    expect(delays("http")).toEqual([20, 20, 20]);
  });
  test("one with a policy: at once, at the least delay, backing off, at the longest", () => {
    const policy = { minDelayTarget: 2, maxDelayTarget: 32, numRetries: 9, numNoDelayRetries: 1 };
    const phases = { numMinDelayRetries: 1, numMaxDelayRetries: 2 };
    const exponential = { ...policy, ...phases, backoffFunction: "exponential" };
    expect(delays("http", exponential)).toEqual([0, 2, 2, 4, 8, 16, 32, 32, 32]);
    expect(delays("http", { ...policy, numRetries: 5 })).toEqual([0, 2, 12, 22, 32]);
  });
  test("a mailbox: 50 times within seven hours, and no policy changes that", () => {
    const mail = delays("email", { numRetries: 1 });
    expect(mail).toHaveLength(50);
    expect(mail.slice(0, 3)).toEqual([10, 10, 10]);
    expect(mail.slice(11)).toEqual(Array(39).fill(600));
  });
  test("a queue: for weeks", () => {
    expect(delays("sqs").slice(0, 6)).toEqual([0, 0, 0, 1, 1, 1]);
    expect(delays("sqs")).toHaveLength(100);
  });
});
