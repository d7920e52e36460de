/** A monitor in short: what lists, metrics, uptime and the overview show of each of many, without settings and views. */
import type { Monitor, Timestamp, View } from "../model.ts";
import type { Item } from "./read.ts";

const TOP_FIELDS = {
  id: true,
  revision: true,
  name: true,
  key: true,
  tags: true,
  paused: true,
  maintenanceCountsAsDowntime: true,
  status: true,
  since: true,
  shard: true,
  settingsVersion: true,
  settingsChangedAt: true,
  createdAt: true,
  updatedAt: true,
  deletedAt: true,
} as const;
const CHECK_FIELDS = { protocol: true, host: true, port: true, intervalSeconds: true, locations: true } as const;

export interface MonitorRow extends Pick<Monitor, keyof typeof TOP_FIELDS | keyof typeof CHECK_FIELDS> {
  /** Position in the list by name. */
  readonly listKey: string;
  /** When settings or status changed last, as the index `changed` has it. */
  readonly changedAt: Timestamp;
  /** From the view that explains the status; null without views. */
  readonly cause: Pick<View, "state" | "reason" | "message"> | null;
  /** When the first certificate expires, in epoch milliseconds; null without one. */
  readonly certificateEndsMs: number | null;
  /** Whether somebody has taken on its incident. */
  readonly acknowledged: boolean;
  /** Ids of its parents. */
  readonly dependsOn: readonly string[];
  /** Ids of the channels that its own steps name. */
  readonly channels: readonly string[];
}

const NAMES = ["check", "views", "listKey", "changedAt", "dependsOn", ...Object.keys(TOP_FIELDS)];
export const ROW_PROJECTION = {
  ProjectionExpression: [
    ...NAMES.map((name) => `#${name}`),
    ...Object.keys(CHECK_FIELDS).map((name) => `#check.#${name}`),
    "#incident.#acknowledged",
    "#alerts.#steps",
  ]
    .filter((path) => path !== "#check")
    .join(", "),
  ExpressionAttributeNames: Object.fromEntries(
    [...NAMES, ...Object.keys(CHECK_FIELDS), "incident", "acknowledged", "alerts", "steps"].map((name) => [
      `#${name}`,
      name,
    ]),
  ),
};

/** The view that explains the status: the oldest one of that health, or else the oldest. */
function causeOf(views: readonly View[], status: Monitor["status"]): MonitorRow["cause"] {
  const all = views.toSorted((a, b) => (a.since < b.since ? -1 : 1));
  const cause = all.find(({ health }) => health === status) ?? all[0];
  return cause ? { state: cause.state, reason: cause.reason, message: cause.message } : null;
}

/** End of the certificate in evidence of TLS, as `shared/engine/tls.ts` writes it. */
const validTo = ({ evidence }: View): number =>
  Date.parse(String((evidence.tls as { readonly validTo?: unknown } | undefined)?.validTo));

export const rowFromItem = ({ views, check, incident, alerts, ...top }: Item): MonitorRow => {
  const fields = {
    key: null,
    tags: {},
    deletedAt: null,
    maintenanceCountsAsDowntime: false,
    ...top,
    ...(check as object),
  } as MonitorRow;
  const seen = (views ?? {}) as Readonly<Record<string, View>>;
  const ends = Object.values(seen).map(validTo).filter(Number.isFinite);
  return {
    ...fields,
    cause: causeOf(
      fields.locations.flatMap((name) => seen[name] ?? []),
      fields.status,
    ),
    certificateEndsMs: ends.length === 0 ? null : Math.min(...ends),
    dependsOn: fields.dependsOn ?? [],
    channels: ((alerts as Partial<Monitor["alerts"]> | undefined)?.steps ?? []).flatMap(({ channels }) => channels),
    acknowledged: Boolean((incident as { readonly acknowledged?: unknown } | null | undefined)?.acknowledged),
  };
};
