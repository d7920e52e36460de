/** A monitor that is being written: the texts of the form, and what they mean to the API. Pure. */
import { defaultRetries, defaultTimeoutMs, timeToAlertSeconds } from "../../../../shared/monitor/timing.ts";
import { type Flapping, isSwept, type Monitor } from "../model.ts";
import { type Configurable, settingsFrom, textsOf, variantOf } from "../parts/settings-schema.ts";
import { addressesFrom, numberOr, tagsFrom, tagsText } from "../parts/texts.ts";
import { bodyOfEscalation, draftOfEscalation, type EscalationDraft, NO_ESCALATION } from "../policies/policy.ts";

export interface Draft extends EscalationDraft {
  readonly host: string;
  readonly protocol: string;
  /** Empty: the protocol's own. */
  readonly port: string;
  readonly name: string;
  /** A name of one's own for programs, which stays. Empty: none. */
  readonly key: string;
  /** `key=value`, with commas between them. */
  readonly tags: string;
  /** Which kind of settings, where the protocol has several. */
  readonly kind: number;
  /** Texts by name; empty ones are left out. */
  readonly settings: Readonly<Record<string, string>>;
  readonly intervalSeconds: number;
  readonly afterSeconds: number;
  readonly failureThreshold: number;
  readonly recoveryThreshold: number;
  /** Empty: never. */
  readonly degradedAboveMs: string;
  /** Empty: never. */
  readonly errorPercent: string;
  readonly quorum: string;
  /** Empty: all. */
  readonly locations: readonly string[];
  /** With commas or line ends between them. */
  readonly emails: string;
  readonly policies: readonly string[];
  /** Null: off. */
  readonly flapping: Flapping | null;
  readonly dependsOn: readonly string[];
  readonly maintenanceCountsAsDowntime: boolean;
}

/** The API's own marks of flap detection. */
export const USUAL_FLAPPING: Flapping = { highPercent: 30, lowPercent: 20 };

export const EMPTY: Draft = {
  host: "",
  protocol: "tcp",
  port: "",
  name: "",
  key: "",
  tags: "",
  kind: 0,
  settings: {},
  intervalSeconds: 60,
  afterSeconds: 60,
  failureThreshold: 1,
  recoveryThreshold: 1,
  degradedAboveMs: "",
  errorPercent: "",
  quorum: "majority",
  locations: [],
  emails: "",
  policies: [],
  ...NO_ESCALATION,
  flapping: null,
  dependsOn: [],
  maintenanceCountsAsDowntime: false,
};

/** Another service, with nothing of the one before. Checks are a matter of seconds, sweeps of minutes. */
export const withProtocol = (protocol: string, isSweep: boolean, wasSweep: boolean): Partial<Draft> => ({
  protocol,
  kind: 0,
  settings: {},
  ...(isSweep !== wasSweep && {
    port: "",
    degradedAboveMs: "",
    errorPercent: "",
    intervalSeconds: isSweep ? 3_600 : EMPTY.intervalSeconds,
    afterSeconds: isSweep ? 0 : EMPTY.afterSeconds,
  }),
});

/** What `POST /v1/checks` takes: the target and how to speak to it. */
export const targetOf = (draft: Draft, protocol: Pick<Configurable, "settings"> | undefined) => {
  const settings = protocol ? settingsFrom(draft.settings, protocol, draft.kind) : {};
  return {
    protocol: draft.protocol,
    host: draft.host.trim(),
    ...(draft.port.trim() !== "" && { port: numberOr(draft.port) }),
    ...(Object.keys(settings).length > 0 && { settings }),
    ...(draft.locations.length > 0 && { locations: draft.locations }),
  };
};

/** Reminders of its own; without them their details are left to the API. */
const remindersOf = (draft: Draft) => {
  const { steps: _steps, ...reminders } = bodyOfEscalation(draft);
  return reminders.remindEverySeconds === null ? {} : reminders;
};

/** What `POST /v1/monitors` takes. */
export const monitorOf = (draft: Draft, protocol: Pick<Configurable, "settings"> | undefined) => {
  const tags = tagsFrom(draft.tags);
  const emails = addressesFrom(draft.emails);
  return {
    name: draft.name.trim() || `${draft.host.trim()}${draft.port.trim() && `:${draft.port.trim()}`}`,
    ...targetOf(draft, protocol),
    intervalSeconds: draft.intervalSeconds,
    failureThreshold: draft.failureThreshold,
    recoveryThreshold: draft.recoveryThreshold,
    ...(draft.degradedAboveMs.trim() !== "" && { degradedAboveMs: numberOr(draft.degradedAboveMs) }),
    ...(draft.errorPercent.trim() !== "" && { errorRate: { percentAbove: numberOr(draft.errorPercent) } }),
    ...(draft.quorum !== "majority" && { quorum: numberOr(draft.quorum) }),
    ...(draft.key.trim() !== "" && { key: draft.key.trim() }),
    ...(Object.keys(tags).length > 0 && { tags }),
    alerts: {
      afterSeconds: draft.afterSeconds,
      ...(emails.length > 0 && { emails }),
      ...(draft.policies.length > 0 && { policies: draft.policies }),
      ...(draft.steps.length > 0 && { steps: bodyOfEscalation(draft).steps }),
      ...remindersOf(draft),
    },
    ...(draft.flapping && { flapping: draft.flapping }),
    ...(draft.dependsOn.length > 0 && { dependsOn: draft.dependsOn }),
    ...(draft.maintenanceCountsAsDowntime && { maintenanceCountsAsDowntime: true }),
  };
};

/**
 * How long it takes at most until people hear of a port that fails.
 * @param afterSeconds how long the trouble must have lasted
 */
export const secondsToAlert = ({ intervalSeconds, failureThreshold }: Draft, afterSeconds: number): number => {
  const timeoutMs = defaultTimeoutMs(intervalSeconds);
  const retries = defaultRetries(intervalSeconds, timeoutMs);
  return timeToAlertSeconds({ intervalSeconds, failureThreshold, timeoutMs, retries, alerts: { afterSeconds } });
};

/** A draft that may stay in the browser: without settings, which may be secrets. */
export const withoutSecrets = (draft: Draft): Draft => ({ ...draft, settings: {} });

/** The form of a monitor that there is. Secrets are masked, and stay as they are while nobody changes them. */
export const draftOf = (monitor: Monitor, protocol: Pick<Configurable, "settings"> | undefined): Draft => ({
  host: monitor.host,
  protocol: monitor.protocol,
  port: isSwept(monitor) ? "" : String(monitor.port),
  name: monitor.name,
  key: monitor.key ?? "",
  tags: tagsText(monitor.tags),
  kind: variantOf(monitor.settings, protocol),
  settings: textsOf(monitor.settings),
  intervalSeconds: monitor.intervalSeconds,
  afterSeconds: monitor.alerts.afterSeconds,
  failureThreshold: monitor.failureThreshold,
  recoveryThreshold: monitor.recoveryThreshold,
  degradedAboveMs: monitor.degradedAboveMs === null ? "" : String(monitor.degradedAboveMs),
  errorPercent: monitor.errorRate ? String(monitor.errorRate.percentAbove) : "",
  quorum: String(monitor.quorum),
  locations: [],
  emails: monitor.alerts.emails.join(", "),
  policies: monitor.alerts.policies,
  ...draftOfEscalation(monitor.alerts),
  flapping: monitor.flapping,
  dependsOn: monitor.dependsOn,
  maintenanceCountsAsDowntime: monitor.maintenanceCountsAsDowntime,
});
