/** What the routes work with. `index.ts` makes it from the environment, tests make it from local servers. */
import type { Logger } from "@aws-lambda-powertools/logger";
import type { Metrics } from "@aws-lambda-powertools/metrics";
import type { SNSClient } from "@aws-sdk/client-sns";
import type { Retention } from "../../shared/history/retention.ts";
import type { Location } from "../../shared/model.ts";
import type { FormerStore } from "../../shared/store/former.ts";
import type { HistoryStore } from "../../shared/store/history.ts";
import type { IncidentStore } from "../../shared/store/incidents.ts";
import type { LocationStore } from "../../shared/store/locations.ts";
import type { MonitorStore } from "../../shared/store/monitors.ts";
import type { PlanningStore } from "../../shared/store/planning.ts";
import type { ShardStore } from "../../shared/store/shards.ts";
import type { TokenStore } from "../../shared/store/tokens.ts";
import type { Probes } from "./monitors/probes.ts";

export interface Deps {
  readonly version: string;
  readonly locations: readonly Location[];
  readonly monitors: MonitorStore;
  /** Where deleted monitors' outcomes lie, for those that come back. */
  readonly former: FormerStore;
  readonly shards: ShardStore;
  /** All shards, for what is told of every monitor. */
  readonly planning: PlanningStore;
  readonly incidents: IncidentStore;
  readonly tokens: TokenStore;
  /** How the locations are. */
  readonly heartbeats: LocationStore;
  readonly history: HistoryStore;
  /** How long the functions that write history keep it. */
  readonly retention: Retention;
  readonly probes: Probes;
  readonly sns: SNSClient;
  readonly topics: { readonly alerts: string; readonly system: string };
  /** Queue for messages that a subscriber could not be given; subscriptions name it. */
  readonly deadLetterArn: string | undefined;
  /** The OpenAPI document, made at build time. */
  readonly openapi: () => Promise<string>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly now: () => Date;
}
