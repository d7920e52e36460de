import type { PublishCommand } from "@aws-sdk/client-sns";
import { expect, test } from "vitest";
import { createSend, receiversOf } from "../../../functions/state-change/send.ts";
import type { OutboxItem } from "../../../shared/store/decisions.ts";

test("a message about the monitoring goes to topic system, as a transactional text message", async () => {
  const sent: object[] = [];
  const sns = { send: async ({ input }: PublishCommand) => sent.push(input) } as never;
  const send = createSend({
    outside: receiversOf({ sns, topics: { alerts: "alerts", people: "people", system: "system" }, sender: undefined }),
    decisions: { projectIncident: () => Promise.reject(new Error("no incident")) },
    changes: { project: () => Promise.reject(new Error("no change")) },
    stretches: { record: () => Promise.reject(new Error("no stretch")) },
    policies: async () => [],
    channels: [],
    tellPages: () => Promise.reject(new Error("no page")),
    post: () => Promise.reject(new Error("no alert")),
  });
  const createdAt = "2026-11-23T10:00:00.000Z";
  const due = {
    key: "a",
    receiver: "system",
    createdAt,
    sequence: 1,
    delivery: { attempts: 0, nextAttemptAt: createdAt },
  };
  const content = { kind: "system", subject: "eu is silent", message: "No heartbeat." } as const;
  expect(await send({ ...due, content }, {} as OutboxItem)).toMatchObject({ kind: "delivered" });
  expect(sent).toEqual([
    {
      TopicArn: "system",
      Subject: "eu is silent",
      Message: "No heartbeat.",
      MessageAttributes: { "AWS.SNS.SMS.SMSType": { DataType: "String", StringValue: "Transactional" } },
    },
  ]);
});
