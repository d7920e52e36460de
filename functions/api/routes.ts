/** All routes of the API. To add a resource: its file, its test, its row here. */

import { maintenanceWindows } from "./alerting/routes/maintenance-windows.ts";
import { policies } from "./alerting/routes/policies.ts";
import { audit } from "./audit/routes/audit.ts";
import { baselines } from "./changes/routes/baseline.ts";
import { changes } from "./changes/routes/changes.ts";
import { kinds } from "./channels/routes/channel-kinds.ts";
import { channels } from "./channels/routes/channels.ts";
import { deliveries } from "./channels/routes/deliveries.ts";
import { results } from "./history/routes/results.ts";
import { stats } from "./history/routes/stats.ts";
import { timeline } from "./history/routes/timeline.ts";
import { uptime } from "./history/routes/uptime.ts";
import type { Route } from "./http/route.ts";
import { health } from "./http/routes/health.ts";
import { landings } from "./http/routes/landing.ts";
import { openapi } from "./http/routes/openapi.ts";
import { protocols } from "./http/routes/protocols.ts";
import { sessions } from "./http/routes/sessions.ts";
import { tokens } from "./http/routes/tokens.ts";
import { acknowledging } from "./incidents/routes/acknowledge.ts";
import { acknowledgeLinks } from "./incidents/routes/acknowledge-link.ts";
import { held } from "./incidents/routes/held.ts";
import { incidents } from "./incidents/routes/incidents.ts";
import { notes } from "./incidents/routes/notes.ts";
import { timelines } from "./incidents/routes/timeline.ts";
import { interfaces } from "./interfaces/routes/interfaces.ts";
import { traffic } from "./interfaces/routes/traffic.ts";
import { locations } from "./locations/routes/locations.ts";
import { declarative } from "./monitors/routes/apply-list.ts";
import { badges } from "./monitors/routes/badges.ts";
import { bulk } from "./monitors/routes/bulk.ts";
import { checks } from "./monitors/routes/checks.ts";
import { metrics } from "./monitors/routes/metrics.ts";
import { monitors } from "./monitors/routes/monitors.ts";
import { tags } from "./monitors/routes/tags.ts";
import { overview } from "./overview/routes/overview.ts";
import { pageNotices } from "./status-pages/routes/notices.ts";
import { statusPages } from "./status-pages/routes/status-pages.ts";
import { pageSubscribers } from "./status-pages/routes/subscribers.ts";
import { subscriptions } from "./subscriptions/routes/subscriptions.ts";
import { sweeps } from "./sweeps/routes/sweeps.ts";

export const routes: readonly Route[] = [
  monitors,
  declarative,
  bulk,
  checks,
  incidents,
  acknowledging,
  acknowledgeLinks,
  held,
  notes,
  changes,
  baselines,
  sweeps,
  interfaces,
  traffic,
  timelines,
  results,
  stats,
  uptime,
  overview,
  timeline,
  locations,
  tags,
  badges,
  metrics,
  policies,
  maintenanceWindows,
  statusPages,
  pageNotices,
  pageSubscribers,
  subscriptions,
  channels,
  deliveries,
  kinds,
  tokens,
  audit,
  sessions,
  protocols,
  openapi,
  health,
  landings,
].flat();
