/** Queues and the functions that they feed. */
import { expect, test } from "vitest";
import { byPlainId, ofType, render, synthesise } from "./synthesised.ts";

const { resources } = await synthesise({ alertSender: "ops@example.com" });

test("each queue feeds its function", () => {
  const mappings = ofType(resources, "AWS::Lambda::EventSourceMapping")
    .map(([, { Properties }]) => Properties)
    .filter(({ EventSourceArn }) => !render(EventSourceArn).endsWith(".StreamArn"))
    .map(({ EventSourceArn, FunctionName, BatchSize, FunctionResponseTypes, ScalingConfig }) => [
      render(EventSourceArn),
      render(FunctionName),
      BatchSize,
      FunctionResponseTypes,
      ScalingConfig,
    ]);
  expect(mappings).toEqual([
    ["SiteJobs.Arn", "SiteProbeFunction", 1, ["ReportBatchItemFailures"], undefined],
    ["DeliveryMail.Arn", "DeliveryDeliverFunction", 10, undefined, { MaximumConcurrency: 2 }],
  ]);
});

test("a message to deliver is repeated soon after its invocation died, and is never a dead letter", () => {
  const { Properties } = byPlainId(resources, "DeliveryMail");
  expect(Properties).toMatchObject({ VisibilityTimeout: 90, MessageRetentionPeriod: 3600, SqsManagedSseEnabled: true });
  expect(Properties).not.toHaveProperty("RedrivePolicy");
});
