import type { SESClient, SendRawEmailCommand } from "@aws-sdk/client-ses";
import type { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { DynamoDBRecord } from "aws-lambda";
import { withSettings } from "../../../functions/api/monitors/with-settings.ts";
import { createDelivery } from "../../../functions/deliver/wiring.ts";
import { createRecordHandler } from "../../../functions/state-change/wiring.ts";
import type { Intercept } from "../../../infra/local/dynamodb/database.ts";
import { outsideOf } from "../../../shared/alerts/outside.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import type { Alert, Health, ItemKey, MonitorSettings } from "../../../shared/model.ts";
import { createDecisionStore } from "../../../shared/store/decisions.ts";
import { createDueStore } from "../../../shared/store/due.ts";
import { MAILBOX_SK, monitorKey, receiverOfKey } from "../../../shared/store/keys.ts";
import { createMonitorStore } from "../../../shared/store/monitors.ts";
import { createStretchStore } from "../../../shared/store/stretches.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { inProcessClient } from "../../support/in-process-client.ts";
import { viewOf } from "../../support/monitors.ts";
import { readMail } from "../../support/raw-mail.ts";
import { startTables } from "../../support/tables.ts";

export const START = Date.parse("2026-11-23T10:00:00.000Z") / 1000;
export const iso = (seconds: number) => new Date((START + seconds) * 1000).toISOString();

/** State-change and deliver on real tables; only the receivers, the queues and the clock belong to the test. */
export async function startWorld(intercept?: Intercept) {
  /** Items that deliver has put for state-change, which the stream would bring. */
  const notices: ItemKey[] = [];
  /** Receivers that the stream has brought to deliver. */
  const receivers = new Set<string>();
  const tables = await startTables({
    intercept(request) {
      const { Item, Key } = request.body as Partial<Record<"Item" | "Key", Record<"pk" | "sk", { S: string }>>>;
      const { pk, sk } = Item ?? {};
      if (pk?.S.startsWith("NOTICE#")) notices.push({ pk: pk.S, sk: sk!.S });
      if (request.operation === "UpdateItem" && Key?.sk.S === MAILBOX_SK) receivers.add(receiverOfKey(Key.pk.S));
      return pk?.S.startsWith("MAIL#") && world.isMailDown ? "fail-before" : (intercept?.(request) ?? "proceed");
    },
  });
  const client = inProcessClient(tables.database, "state-change");
  const decisions = createDecisionStore(client, tables.tables.monitors);
  const monitors = createMonitorStore(client, tables.tables.monitors);
  const views = createViewStore(client, tables.tables.monitors);
  const due = createDueStore(client, tables.tables.monitors);
  const world = {
    ...tables,
    client,
    decisions,
    monitors,
    due,
    stretches: createStretchStore(tables.client, tables.tables.history),
    id: "m1",
    now: START,
    received: [] as { receiver: string; alert: Alert }[],
    system: [] as string[],
    undeliverable: 0,
    /** Whether nothing can be posted. */
    isMailDown: false,
    timers: [] as { pk: string; inSeconds: number }[],
    refuse: {} as Record<string, "permanent" | "temporary">,
    clock: () => new Date(world.now * 1000),
    /** Events that topic `people` was told, which is told what topic `alerts` is. */
    people: [] as (string | undefined)[],
    events: (receiver = "sns") =>
      world.received.filter((one) => one.receiver === receiver).map(({ alert }) => alert.event),
    see: (health: Health, seconds: number, version = 1) =>
      views.save(world.id, version, "a", viewOf(health, START + seconds), world.now * 1000),
    edit: async (settings: Partial<MonitorSettings>) => {
      const before = (await monitors.get(world.id))!;
      const placing = { shard: before.shard, now: world.clock(), retention: DEFAULT_RETENTION };
      return monitors.saveSettings(before, withSettings(before, { ...before, ...settings }, placing), world.now * 1000);
    },
    delete: async () => monitors.markDeleted((await monitors.get(world.id))!, world.clock()),
    monitor: async () => (await monitors.get(world.id))!,
    item: async (key: ItemKey = monitorKey(world.id)) =>
      (await client.send(new GetCommand({ TableName: tables.tables.monitors, Key: { ...key } }))).Item,
    incidents: async () => {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tables.tables.monitors,
          KeyConditionExpression: "pk = :pk AND begins_with(sk, :incident)",
          ExpressionAttributeValues: { ":pk": monitorKey(world.id).pk, ":incident": "INCIDENT#" },
        }),
      );
      return Items;
    },
    /** What dispatch would touch by then, of both kinds. */
    timersBefore: async (seconds: number) => {
      const moment = new Date((START + seconds) * 1000);
      return (await Array.fromAsync([due.before(moment), due.overdueLooks(moment)], (pages) => Array.fromAsync(pages)))
        .flat(2)
        .map(({ kind, dueAt }) => `${kind} ${Date.parse(dueAt) / 1000 - START}`);
    },
  };
  const hear = (receiver: string, note: () => void) => {
    const refusal = world.refuse[receiver];
    if (refusal)
      throw Object.assign(new Error("refused"), { name: refusal === "permanent" ? "MessageRejected" : "Throttling" });
    note();
  };
  const sns = {
    send: async ({ input }: PublishCommand) => {
      if (input.TopicArn === "system") hear("system", () => world.system.push(`${input.Subject}: ${input.Message}`));
      else if (input.TopicArn === "people") {
        const event = input.MessageAttributes?.event?.StringValue;
        hear("people", () => world.people.push(event));
      } else {
        const alert: Alert = JSON.parse(JSON.parse(input.Message!).default);
        hear("sns", () => world.received.push({ receiver: "sns", alert }));
      }
    },
  } as unknown as SNSClient;
  const outside = {
    client,
    sns,
    topics: { alerts: "alerts", people: "people", system: "system" },
    sender: "sender@example.com",
    now: world.clock,
    log: () => {},
  };
  const handle = createRecordHandler({
    ...outside,
    tables: tables.tables,
    locations: ["a", "b"],
    queues: async (jobs) => {
      // Two locations carry each timer.
      for (const { job, location } of jobs)
        if (job.kind === "touch" && location === "a")
          for (const { pk, dueAt } of job.timers)
            world.timers.push({ pk, inSeconds: Date.parse(dueAt) / 1000 - world.now });
      return { rejected: new Set(), errors: new Map() };
    },
    url: () => null,
  });
  let leases = 0;
  const ses = {
    send: async ({ input }: SendRawEmailCommand) => {
      const { to, subject } = readMail(input);
      const receiver = `email:${to}`;
      const event = /^\[(\w+)/.exec(subject)?.[1]?.toLowerCase();
      hear(receiver, () => world.received.push({ receiver, alert: { event } as Alert }));
    },
  } as unknown as SESClient;
  const deliverTo = createDelivery({
    client,
    now: world.clock,
    log: () => {},
    table: tables.tables.monitors,
    locations: [],
    queues: async () => ({ rejected: new Set(), errors: new Map() }),
    receivers: outsideOf({ sns, ses, topics: outside.topics, sender: outside.sender }),
    newId: () => `lease ${leases++}`,
    random: () => 0,
    url: null,
    sleep: async () => {},
    delivered: ({ undeliverable }) => {
      world.undeliverable += undeliverable;
    },
  });
  /** What a stream record of an item leads to in state-change. @returns whether it need not come again */
  const decideOn = async ({ pk, sk }: ItemKey) => {
    const record = { dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } }, SequenceNumber: "1" } } as DynamoDBRecord;
    return (await handle([record])).length === 0;
  };
  /** What deliver does when the stream or a timer brings it receivers, and state-change with what deliver tells it. */
  const deliver = async () => {
    await deliverTo(receivers);
    for (const key of notices.splice(0)) await decideOn(key);
  };
  const lookAt = async (key: ItemKey) => {
    const isDone = await decideOn(key);
    await deliver();
    return isDone;
  };
  return { ...world, look: () => lookAt(monitorKey(world.id)), lookAt, decideOn, deliver, world };
}
