import type { SESClient, SendRawEmailCommand } from "@aws-sdk/client-ses";
import type { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { createDelivery } from "../../../functions/deliver/wiring.ts";
import type { Intercept } from "../../../infra/local/dynamodb/database.ts";
import type { HttpSend } from "../../../shared/alerts/http.ts";
import { outsideOf } from "../../../shared/alerts/outside.ts";
import { createChannelStore } from "../../../shared/store/channels.ts";
import { createDueStore } from "../../../shared/store/due.ts";
import { receiverOfKey } from "../../../shared/store/keys.ts";
import { createMailboxStore } from "../../../shared/store/mailbox.ts";
import { inProcessClient } from "../../support/in-process-client.ts";
import { numberedAlert } from "../../support/mail.ts";
import { readMail } from "../../support/raw-mail.ts";
import { startTables } from "../../support/tables.ts";

export const START = Date.parse("2026-11-23T10:00:00.000Z") / 1000;
export const iso = (seconds: number) => new Date((START + seconds) * 1000).toISOString();

type Refusal = "permanent" | "temporary";

/** Deliver on a real table; only the receivers, the queues and the clock belong to the test. */
export async function startMailboxes(intercept?: Intercept) {
  const tables = await startTables(intercept ? { intercept } : {});
  const client = inProcessClient(tables.database, "deliver");
  const table = tables.tables.monitors;
  const mailbox = createMailboxStore(client, table);
  const world = {
    now: START,
    /** `<receiver> <alertId>` of each message that was taken, in order. */
    received: [] as string[],
    /** Each attempt, taken or not. */
    asked: [] as string[],
    refuse: {} as Record<string, Refusal>,
    /** Called at each attempt. */
    onAttempt: async () => {},
    /** Called when deliver waits. */
    onSleep: async (_ms: number): Promise<void> => {},
    /** What webhooks answer. */
    webhookStatus: 200,
    /** Sends what goes over HTTP, in place of the webhook above. */
    http: undefined as HttpSend | undefined,
    retries: [] as { receiver: string; inSeconds: number }[],
    delivered: 0,
    undeliverable: 0,
    errors: [] as unknown[],
    clock: () => new Date(world.now * 1000),
  };
  const hear = async (receiver: string, alertId: string) => {
    world.asked.push(`${receiver} ${alertId}`);
    await world.onAttempt();
    const refusal = world.refuse[`${receiver} ${alertId}`] ?? world.refuse[receiver];
    if (refusal)
      throw Object.assign(new Error("refused"), { name: refusal === "permanent" ? "InvalidParameter" : "Throttling" });
    world.received.push(`${receiver} ${alertId}`);
  };
  let leases = 0;
  const start = (waitingAtOnce?: number) =>
    createDelivery({
      ...(waitingAtOnce && { waitingAtOnce }),
      client,
      table,
      locations: ["a"],
      queues: async (jobs) => {
        for (const { job, dueAtSeconds } of jobs)
          if (job.kind === "touch")
            for (const { pk } of job.timers)
              world.retries.push({ receiver: receiverOfKey(pk), inSeconds: dueAtSeconds - world.now });
        return { rejected: new Set(), errors: new Map() };
      },
      receivers: outsideOf({
        sns: {
          send: ({ input }: PublishCommand) => {
            const message = JSON.parse(input.Message!);
            if (input.TopicArn === "alerts") return hear("sns", JSON.parse(message.default).alertId);
            return hear("people", /^Alert: (.*)$/m.exec(message.email)?.[1] ?? input.Subject!);
          },
        } as unknown as SNSClient,
        ses: {
          send: ({ input }: SendRawEmailCommand) => {
            const { to, subject, text } = readMail(input);
            const [digest] = /^\d+ alerts: .*/.exec(subject) ?? [];
            const ids = [...text.matchAll(/^Alert: (.*)$/gm)].map(([, id]) => id);
            return hear(`email:${to}`, digest ?? ids.join("+"));
          },
        } as unknown as SESClient,
        topics: { alerts: "alerts", people: "people", system: "system" },
        sender: "sender@example.com",
        http: async (request, signal) => {
          if (world.http) return world.http(request, signal);
          const { url, body } = request;
          const { webhookStatus: status } = world;
          await hear(`webhook ${new URL(url).host}`, JSON.parse(body ?? "{}").alertId ?? "");
          return { status, headers: status === 429 ? { "retry-after": "300" } : {}, body: "answer" };
        },
      }),
      now: world.clock,
      newId: () => `lease ${leases++}`,
      random: () => 0,
      url: null,
      sleep: (ms) => world.onSleep(ms),
      log: (level, _message, { error }: { error?: unknown }) => {
        if (level === "error" && error instanceof Error) world.errors.push(error);
      },
      delivered: ({ delivered, undeliverable }) => {
        world.delivered += delivered;
        world.undeliverable += undeliverable;
      },
    });
  const deliverTo = start();
  const items = async (pk: string) => {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": pk },
      }),
    );
    return Items;
  };
  return {
    ...tables,
    client,
    mailbox,
    channels: createChannelStore(client, table),
    due: createDueStore(client, table),
    world,
    post: (number: number, { receiver = "sns", monitorId = "m1", at = world.now - START } = {}) =>
      mailbox.post(
        { receiver, alert: numberedAlert(number, monitorId), createdAt: iso(at), sequence: number },
        world.clock(),
      ),
    /** Another process, for passes at the same time. */
    another: start,
    deliver: (...receivers: string[]) => deliverTo(receivers.length > 0 ? receivers : ["sns"]),
    mail: (receiver = "sns") => items(`MAIL#${receiver}`),
    state: async (receiver = "sns") => (await items(`RECEIVER#${receiver}`))[0],
    item: async (pk: string, sk: string) =>
      (await client.send(new GetCommand({ TableName: table, Key: { pk, sk } }))).Item,
    change: (pk: string, sk: string, path: string, value: unknown) =>
      client.send(
        new UpdateCommand({
          TableName: table,
          Key: { pk, sk },
          UpdateExpression: `SET ${path} = :value`,
          ExpressionAttributeValues: { ":value": value },
        }),
      ),
  };
}
