/**
 * Assembles state-change. Everything outside it (tables, queues, receivers, clock) is passed in, so that a simulation
 * can replace it.
 */
import type { SNSClient } from "@aws-sdk/client-sns";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { DynamoDBRecord } from "aws-lambda";
import type { Topics } from "../../shared/alerts/channels/channel.ts";
import { channelsSetUp } from "../../shared/alerts/channels/index.ts";
import type { Retention } from "../../shared/history/retention.ts";
import type { Timer } from "../../shared/jobs.ts";
import { STORED_CHANNEL } from "../../shared/receiver.ts";
import { createPolicyStore, createWindowStore } from "../../shared/store/alerting.ts";
import { createChangeStore } from "../../shared/store/changes.ts";
import { createDecisionStore } from "../../shared/store/decisions.ts";
import { createDependencyStore } from "../../shared/store/dependencies.ts";
import { createDueStore } from "../../shared/store/due.ts";
import { createFormerStore } from "../../shared/store/former.ts";
import { createHistoryStore } from "../../shared/store/history.ts";
import { createIncidentAlertStore } from "../../shared/store/incident-alerts.ts";
import { createTimerQueue, type JobQueues } from "../../shared/store/jobs.ts";
import { createLocationStore } from "../../shared/store/locations.ts";
import { createMailboxStore, type Post } from "../../shared/store/mailbox.ts";
import { createPageNews } from "../../shared/store/page-news.ts";
import { createStatusPageStore } from "../../shared/store/status-pages.ts";
import { createStretchStore } from "../../shared/store/stretches.ts";
import { isSystemEvent } from "../../shared/system-events.ts";
import { createAlerting } from "./alerting.ts";
import { createConditions } from "./conditions.ts";
import { createDeliver } from "./deliver.ts";
import { createDependencyRules } from "./dependencies.ts";
import { createTellPages } from "./page-news.ts";
import { keyOf, newestOfEachItem } from "./records.ts";
import { createSend, receiversOf } from "./send.ts";
import { createStateChange } from "./state-change.ts";

export interface StateChangeOutside {
  readonly client: DynamoDBDocumentClient;
  readonly tables: { readonly monitors: string; readonly history: string };
  readonly retention?: Retention;
  /** Names of all locations. */
  readonly locations: readonly string[];
  readonly queues: JobQueues;
  readonly sns: Pick<SNSClient, "send">;
  readonly topics: Topics;
  /** Verified sender address of mail; undefined if mail is off. */
  readonly sender: string | undefined;
  /** Link to a monitor for people. */
  readonly url: (monitorId: string) => string | null;
  readonly now: () => Date;
  readonly log: (level: "info" | "warn" | "error", message: string, details: object) => void;
}

/** Records that could not be processed: Lambda delivers them again. */
export type FailedRecords = readonly { readonly itemIdentifier: string }[];

export function createRecordHandler(outside: StateChangeOutside) {
  const { client, tables, retention, locations: names, queues, sns, topics, sender, url, now, log } = outside;
  const former = createFormerStore(client, tables.monitors);
  const decisions = createDecisionStore(client, tables.monitors);
  const policies = createPolicyStore(client, tables.monitors);
  const windows = createWindowStore(client, tables.monitors);
  const locations = createLocationStore(client, tables.monitors);
  const changes = createChangeStore(client, tables.monitors);
  const stretches = createStretchStore(client, tables.history, retention);
  const receivers = receiversOf({ sns, topics, sender });
  const channels = [...channelsSetUp(receivers), STORED_CHANNEL];
  const mailbox = createMailboxStore(client, tables.monitors);
  const incidentAlerts = createIncidentAlertStore(client, tables.monitors);
  /** Notes on the incident, if it is about one, who is told before it is posted: what was told is then never missing there. */
  const post = async (mail: Post) => {
    if (!isSystemEvent(mail.alert.event)) await incidentAlerts.note(mail);
    await mailbox.post(mail, now());
  };
  const deliver = createDeliver({
    decisions,
    send: createSend({
      ...{ outside: receivers, decisions, stretches, changes, policies: policies.all, channels, post },
      tellPages: createTellPages(createPageNews(createStatusPageStore(client, tables.monitors), mailbox, now)),
    }),
    now,
    log,
  });

  const dependencies = createDependencyRules(
    createDependencyStore(client, tables.monitors),
    createDueStore(client, tables.monitors),
  );

  const history = createHistoryStore(client, tables.history, {
    now: () => now().getTime(),
    unreadable: (error) => log("error", "a block is corrupt", { error }),
  });

  const queueTimers = createTimerQueue({ queues, locations: names, now, log });

  return async (records: readonly DynamoDBRecord[]): Promise<FailedRecords> => {
    const timers: Timer[] = [];
    const look = createStateChange({
      decisions,
      rememberFormer: former.remember,
      conditions: createConditions({ locations: names, healths: locations.all, history, now }),
      url,
      channels,
      alerting: createAlerting(policies, windows),
      dependencies,
      deliver,
      queueTimer: (timer) => timers.push(timer),
      now,
    });
    const newest = newestOfEachItem(records);
    const results = await Promise.allSettled(newest.map((record) => look(keyOf(record))));
    const failed: { itemIdentifier: string }[] = [];
    for (const [index, result] of results.entries()) {
      const { dynamodb } = newest[index]!;
      if (result.status === "fulfilled") continue;
      failed.push({ itemIdentifier: dynamodb?.SequenceNumber ?? "" });
      log("error", "a change could not be decided", { key: dynamodb?.Keys, error: result.reason });
    }
    await queueTimers(timers);
    return failed;
  };
}
