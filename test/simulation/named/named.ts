/** Scenarios by hand: one for each bug that was ever found, and for each condition in a store. Each is a test. */
import { idOfKey } from "../api-client.ts";
import type { FaultName, Only } from "../faults.ts";
import type { Cut, Edit, FaultWindow, Scenario, SentSettings, TargetEvent, TargetKind } from "../scenario.ts";

/** An event that people are told, and the seconds between which they are. */
export type Telling = readonly [event: string, from: number, to: number];

export interface Named {
  /** What happens, and what is right. */
  readonly name: string;
  readonly scenario: Scenario;
  /** Everything that topic `alerts` carries, in order. Of one of several monitors only where `of` names it. */
  readonly told: readonly Telling[];
  readonly of?: string;
  /** Status of the monitor at the end; `gone` where there is none. Default `up`. */
  readonly status?: string;
  /** Health of the views at the end, by location. */
  readonly views?: Readonly<Record<string, string>>;
  /** Words that the subjects on topic `system` contain, one entry for each message, in any order. Default: none are sent. */
  readonly system?: readonly string[];
  /** How the monitor's incidents ended, in order; null for one that is open. Default: as many `recovered` as were told. */
  readonly incidents?: readonly (string | null)[];
  /** Kinds of violations that are no fault here, with the reason. */
  readonly excused?: Readonly<Record<string, string>>;
}

/** Compact runs after 37 minutes of it. */
const START_MS = Date.parse("2026-12-01T12:30:00Z");

export const settings = (more: Partial<SentSettings> = {}): SentSettings => ({
  name: "m",
  key: "m",
  protocol: "tcp",
  host: "h",
  port: 443,
  timeoutMs: 2_000,
  retries: { count: 0, delayMs: 500 },
  degradedAboveMs: null,
  failureThreshold: 1,
  recoveryThreshold: 1,
  intervalSeconds: 10,
  locations: ["a"],
  quorum: "majority",
  alerts: { afterSeconds: 0, emails: [] },
  ...more,
});

/** About an hour with one monitor, and nothing amiss unless said. */
export const story = (more: Partial<Scenario> & { readonly monitor?: Partial<SentSettings> } = {}): Scenario => {
  const { monitor, ...rest } = more;
  return {
    seed: "named",
    startMs: START_MS,
    seconds: 3_900,
    skewMs: 0,
    jitterMs: 500,
    monitors: [{ at: 20, settings: settings(monitor) }],
    events: [],
    cuts: [],
    edits: [],
    faults: [],
    ...rest,
  };
};

export const EVERYWHERE = { locations: ["a", "b", "c"] } as const;

export const not = (kind: TargetKind, from: number, to: number, more: Partial<TargetEvent> = {}): TargetEvent => ({
  host: "h",
  from,
  to,
  kind,
  ...more,
});
export const down = (from: number, to: number, more: Partial<TargetEvent> = {}) => not("refused", from, to, more);

export const cut = (location: string, from: number, to: number, how: Cut["how"] = "all"): Cut => ({
  location,
  from,
  to,
  how,
});

export const edit = (at: number, action: Edit["action"], changed?: Partial<SentSettings>, key = "m"): Edit => ({
  at,
  key,
  action,
  ...(changed && { settings: changed }),
});

/** A fault that strikes at each occasion of a window. */
export const always = (
  fault: FaultName,
  from: number,
  to: number,
  only?: Only,
  more: Partial<FaultWindow> = {},
): FaultWindow => ({
  fault,
  strength: 1,
  from,
  to,
  ...(only && { only }),
  ...more,
});

export const BLOCKS: Only = { caller: "probe", service: "dynamodb", operations: ["Put"], item: "SHARD#" };
export const VIEWS: Only = { caller: "probe", service: "dynamodb", operations: ["Update"], item: "MONITOR#" };
export const DECISIONS: Only = {
  caller: "state-change",
  service: "dynamodb",
  operations: ["Update"],
  item: "MONITOR#",
};
/** The incidents of monitor `m` as items of their own. */
export const PROJECTIONS: Only = { ...DECISIONS, item: `MONITOR#${idOfKey("m")} INCIDENT#` };
export const REMOVALS: Only = { ...DECISIONS, operations: ["Delete"] };
