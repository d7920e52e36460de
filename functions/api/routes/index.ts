/** Every call of the API. To add a resource: its file, its test, its row here. */
import type { Route } from "../route.ts";
import { declarative } from "./apply.ts";
import { badges } from "./badges.ts";
import { checks } from "./checks.ts";
import { health } from "./health.ts";
import { incidents } from "./incidents.ts";
import { metrics } from "./metrics.ts";
import { monitors } from "./monitors.ts";
import { openapi } from "./openapi.ts";
import { protocols } from "./protocols.ts";
import { results } from "./results.ts";
import { stats } from "./stats.ts";
import { subscriptions } from "./subscriptions.ts";
import { tokens } from "./tokens.ts";

export const routes: readonly Route[] = [
  monitors,
  declarative,
  checks,
  incidents,
  results,
  stats,
  badges,
  metrics,
  subscriptions,
  tokens,
  protocols,
  openapi,
  health,
].flat();
