/**
 * Assembles the API. Everything outside it (tables, other functions, topics, clock) is passed in, so that a simulation
 * can replace it.
 */
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { createSubscriberCount } from "../../shared/alerts/subscribers.ts";
import { createPolicyStore, createWindowStore } from "../../shared/store/alerting.ts";
import { createAuditStore } from "../../shared/store/audit.ts";
import { createChangeStore } from "../../shared/store/changes.ts";
import { createChannelStore } from "../../shared/store/channels.ts";
import { createCounterStore } from "../../shared/store/counters.ts";
import { createDeliveryStore } from "../../shared/store/deliveries.ts";
import { createDependencyStore } from "../../shared/store/dependencies.ts";
import { createDueStore } from "../../shared/store/due.ts";
import { createFormerStore } from "../../shared/store/former.ts";
import { createHistoryStore } from "../../shared/store/history.ts";
import { createIncidentAlertStore } from "../../shared/store/incident-alerts.ts";
import { createIncidentStore } from "../../shared/store/incidents.ts";
import { createLinkSecret } from "../../shared/store/link-secret.ts";
import { createLocationStore } from "../../shared/store/locations.ts";
import { createMailboxStore } from "../../shared/store/mailbox.ts";
import { createMonitorStore } from "../../shared/store/monitors.ts";
import { createNoteStore } from "../../shared/store/notes.ts";
import { createPageNews } from "../../shared/store/page-news.ts";
import { createPlanningStore } from "../../shared/store/planning.ts";
import { createRateStore } from "../../shared/store/rates.ts";
import type { Waiting } from "../../shared/store/read.ts";
import { createSessionStore } from "../../shared/store/sessions.ts";
import { createShardStore } from "../../shared/store/shards.ts";
import { createStatusPageStore } from "../../shared/store/status-pages.ts";
import { createStatusReader } from "../../shared/store/status-reader.ts";
import { createStretchStore } from "../../shared/store/stretches.ts";
import { createSubscriptionStore } from "../../shared/store/subscriptions.ts";
import { createSummaryStore } from "../../shared/store/summaries.ts";
import { createSweepStore } from "../../shared/store/sweeps.ts";
import { createTokenStore } from "../../shared/store/tokens.ts";
import { createApi, type Handler } from "./api.ts";
import type { Deps } from "./deps.ts";
import { FULL_ACCESS } from "./http/access.ts";
import { createFairShare } from "./http/fair-share.ts";
import { createLoginGuard } from "./http/login-guard.ts";

/** Dependencies that are made here. */
type Stores =
  | "audit"
  | "subscriptions"
  | "policies"
  | "windows"
  | "allWindows"
  | "dependencies"
  | "due"
  | "monitors"
  | "former"
  | "shards"
  | "sweeps"
  | "counters"
  | "rates"
  | "planning"
  | "incidents"
  | "changes"
  | "incidentAlerts"
  | "linkSecret"
  | "notes"
  | "pages"
  | "pageNews"
  | "channels"
  | "deliveries"
  | "notify"
  | "subscribersOf"
  | "heartbeats"
  | "history"
  | "stretches"
  | "statusReader"
  | keyof Authentication;

/** What authenticates callers and limits them. */
export function createAuthentication(client: DynamoDBDocumentClient, monitorsTable: string, waiting: Waiting = {}) {
  const tokens = createTokenStore(client, monitorsTable);
  const sessions = createSessionStore(client, monitorsTable, waiting);
  return {
    tokens,
    sessions,
    logins: createLoginGuard(sessions),
    fairShare: createFairShare(tokens),
    access: FULL_ACCESS,
  };
}
type Authentication = ReturnType<typeof createAuthentication>;

export interface ApiOutside extends Omit<Deps, Stores | "newId"> {
  readonly client: DynamoDBDocumentClient;
  readonly tables: { readonly monitors: string; readonly history: string };
  /** Makes a unique id. Default: random. */
  readonly newId?: () => string;
  /** Default: a real timer. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

export function createApiOf({ client, tables, newId = randomUUID, sleep, ...outside }: ApiOutside): Handler {
  const { logger, now, retention } = outside;
  const waiting = sleep ? { sleep } : {};
  const windows = createWindowStore(client, tables.monitors);
  const pages = createStatusPageStore(client, tables.monitors);
  const stretches = createStretchStore(client, tables.history, retention);
  const historyOptions = {
    retention,
    now: () => now().getTime(),
    unreadable: (error: Error) => logger.error("corrupt history is left out", { error }),
    ...waiting,
  };
  const history = createHistoryStore(client, tables.history, historyOptions);
  return createApi({
    ...outside,
    newId,
    monitors: createMonitorStore(client, tables.monitors, { newId, ...waiting }),
    former: createFormerStore(client, tables.monitors, { ...waiting, retention }),
    policies: createPolicyStore(client, tables.monitors),
    windows,
    allWindows: windows.all,
    dependencies: createDependencyStore(client, tables.monitors),
    due: createDueStore(client, tables.monitors),
    shards: createShardStore(client, tables.monitors),
    sweeps: createSweepStore(client, tables.history),
    counters: createCounterStore(client, tables.history, { ...historyOptions, history }),
    rates: createRateStore(client, tables.history, { sleep: setTimeout, ...historyOptions }),
    planning: createPlanningStore(client, tables.monitors),
    changes: createChangeStore(client, tables.monitors, waiting),
    incidents: createIncidentStore(client, tables.monitors, waiting),
    incidentAlerts: createIncidentAlertStore(client, tables.monitors, waiting),
    linkSecret: createLinkSecret(client, tables.monitors),
    notes: createNoteStore(client, tables.monitors),
    pages,
    pageNews: createPageNews(pages, createMailboxStore(client, tables.monitors), now),
    subscriptions: createSubscriptionStore(client, tables.monitors),
    audit: createAuditStore(client, tables.monitors, waiting),
    channels: createChannelStore(client, tables.monitors),
    deliveries: createDeliveryStore(client, tables.monitors),
    notify: createMailboxStore(client, tables.monitors).notify,
    subscribersOf: createSubscriberCount(outside.sns, now),
    ...createAuthentication(client, tables.monitors, waiting),
    heartbeats: createLocationStore(client, tables.monitors),
    history,
    stretches,
    statusReader: createStatusReader(
      { stretches, summaries: createSummaryStore(client, tables.history, historyOptions) },
      now,
    ),
  });
}
