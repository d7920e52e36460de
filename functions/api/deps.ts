/** Dependencies of the routes. `index.ts` makes them from the environment, tests from local servers. */

import type { Logger } from "@aws-lambda-powertools/logger";
import type { Metrics } from "@aws-lambda-powertools/metrics";
import type { SNSClient } from "@aws-sdk/client-sns";
import type { Outside, Topics } from "../../shared/alerts/channels/channel.ts";
import type { SubscriberCount } from "../../shared/alerts/subscribers.ts";
import type { SweepRights } from "../../shared/engine/sweep-permission.ts";
import type { Retention } from "../../shared/history/retention.ts";
import type { Location } from "../../shared/model.ts";
import type { PolicyStore, WindowStore } from "../../shared/store/alerting.ts";
import type { AuditStore } from "../../shared/store/audit.ts";
import type { ChangeStore } from "../../shared/store/changes.ts";
import type { ChannelStore } from "../../shared/store/channels.ts";
import type { CounterStore } from "../../shared/store/counters.ts";
import type { DeliveryStore } from "../../shared/store/deliveries.ts";
import type { DependencyStore } from "../../shared/store/dependencies.ts";
import type { DueStore } from "../../shared/store/due.ts";
import type { FormerStore } from "../../shared/store/former.ts";
import type { HistoryStore } from "../../shared/store/history.ts";
import type { IncidentAlertStore } from "../../shared/store/incident-alerts.ts";
import type { IncidentStore } from "../../shared/store/incidents.ts";
import type { LinkSecret } from "../../shared/store/link-secret.ts";
import type { LocationStore } from "../../shared/store/locations.ts";
import type { MailboxStore } from "../../shared/store/mailbox.ts";
import type { MonitorStore } from "../../shared/store/monitors.ts";
import type { NoteStore } from "../../shared/store/notes.ts";
import type { PageNewsStore } from "../../shared/store/page-news.ts";
import type { PlanningStore } from "../../shared/store/planning.ts";
import type { RateStore } from "../../shared/store/rates.ts";
import type { SessionStore } from "../../shared/store/sessions.ts";
import type { ShardStore } from "../../shared/store/shards.ts";
import type { StatusPageStore } from "../../shared/store/status-pages.ts";
import type { StatusReader } from "../../shared/store/status-reader.ts";
import type { StretchStore } from "../../shared/store/stretches.ts";
import type { SubscriptionStore } from "../../shared/store/subscriptions.ts";
import type { SweepStore } from "../../shared/store/sweeps.ts";
import type { TokenStore } from "../../shared/store/tokens.ts";
import type { Access } from "./http/access.ts";
import type { FairShare } from "./http/fair-share.ts";
import type { LoginGuard } from "./http/login-guard.ts";
import type { Probes } from "./monitors/probes.ts";

export interface Deps {
  readonly version: string;
  readonly locations: readonly Location[];
  readonly monitors: MonitorStore;
  readonly policies: PolicyStore;
  readonly windows: WindowStore;
  /** All windows, whoever asks: when monitors were in maintenance is the same for everybody who sees them. */
  readonly allWindows: WindowStore["all"];
  /** Which monitors an incident held back. */
  readonly dependencies: Pick<DependencyStore, "heldBy">;
  /** Has items decided again. */
  readonly due: DueStore;
  /** Deleted monitors, for their history and for monitors that are created again with the same key. */
  readonly former: FormerStore;
  readonly shards: ShardStore;
  /** What was found by sweeps. */
  readonly sweeps: SweepStore;
  /** Counters of devices' interfaces. */
  readonly counters: CounterStore;
  /** Traffic of interfaces over time. */
  readonly rates: RateStore;
  /** What may be swept. */
  readonly sweepRights: SweepRights;
  /** Lists all shards, for `/v1/metrics`. */
  readonly planning: PlanningStore;
  readonly incidents: IncidentStore;
  readonly changes: Pick<ChangeStore, "list" | "of">;
  /** To whom the alerts about incidents went. */
  readonly incidentAlerts: IncidentAlertStore;
  readonly pages: StatusPageStore;
  /** Tells subscribers of status pages. */
  readonly pageNews: PageNewsStore;
  /** Reads the secret with which links in alerts are signed. */
  readonly linkSecret: LinkSecret;
  /** Notes on incidents. */
  readonly notes: NoteStore;
  readonly tokens: TokenStore;
  /** Status over time of one monitor. */
  readonly stretches: StretchStore;
  /** Status over time of all monitors. */
  readonly statusReader: StatusReader;
  readonly audit: AuditStore;
  /** Makes a unique id. */
  readonly newId: () => string;
  /** What SNS does not keep of subscriptions. */
  readonly subscriptions: SubscriptionStore;
  /** Browsers that are logged in. */
  readonly sessions: SessionStore;
  readonly logins: LoginGuard;
  readonly fairShare: FairShare;
  readonly access: Access;
  /** Health of the locations. */
  readonly heartbeats: LocationStore;
  readonly history: HistoryStore;
  /** How long the functions that write history keep it. */
  readonly retention: Retention;
  readonly probes: Probes;
  readonly channels: ChannelStore;
  /** What channels were told. */
  readonly deliveries: DeliveryStore;
  /** What test alerts are sent through. */
  readonly receivers: Outside;
  readonly sns: Pick<SNSClient, "send">;
  readonly topics: Topics;
  /** Leaves a message for topic `system`. */
  readonly notify: MailboxStore["notify"];
  /** Counts the confirmed subscriptions of a topic. */
  readonly subscribersOf: SubscriberCount;
  /** ARN of the dead-letter queue of subscriptions. */
  readonly deadLetterArn: string | undefined;
  /** The OpenAPI document, made at build time. */
  readonly openapi: () => Promise<string>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly now: () => Date;
}
