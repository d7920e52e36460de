/** A monitor that is being written: the texts of the form, and what they mean to the API. Pure. */
import { defaultRetries, defaultTimeoutMs, timeToAlertSeconds } from "../../../../shared/monitor/timing.ts";
import type { Monitor, Tags } from "../model.ts";
import { type Configurable, settingsFrom } from "../parts/settings-schema.ts";

export interface Draft {
  readonly host: string;
  readonly protocol: string;
  /** Empty: the protocol's own. */
  readonly port: string;
  readonly name: string;
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
  readonly quorum: string;
  /** Empty: all. */
  readonly locations: readonly string[];
  /** With commas or line ends between them. */
  readonly emails: string;
  readonly policies: readonly string[];
}

export const EMPTY: Draft = {
  host: "",
  protocol: "tcp",
  port: "",
  name: "",
  tags: "",
  kind: 0,
  settings: {},
  intervalSeconds: 60,
  afterSeconds: 60,
  failureThreshold: 1,
  recoveryThreshold: 1,
  degradedAboveMs: "",
  quorum: "majority",
  locations: [],
  emails: "",
  policies: [],
};

const wordsOf = (text: string) => text.split(/[\s,;]+/).filter(Boolean);
const numberOr = (text: string) => (text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text));

export const tagsOf = (text: string): Tags =>
  Object.fromEntries(
    text
      .split(",")
      .map((pair) => pair.trim())
      .filter(Boolean)
      .map((pair) => {
        const [key = "", ...value] = pair.split("=");
        return [key.trim(), value.join("=").trim()];
      }),
  );

/** What `POST /v1/checks` takes: the target and how to speak to it. @throws SyntaxError for a setting that is no JSON */
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

/** What `POST /v1/monitors` takes. @throws SyntaxError for a setting that is no JSON */
export const monitorOf = (draft: Draft, protocol: Pick<Configurable, "settings"> | undefined) => {
  const tags = tagsOf(draft.tags);
  const emails = wordsOf(draft.emails);
  return {
    name: draft.name.trim() || `${draft.host.trim()}${draft.port.trim() && `:${draft.port.trim()}`}`,
    ...targetOf(draft, protocol),
    intervalSeconds: draft.intervalSeconds,
    failureThreshold: draft.failureThreshold,
    recoveryThreshold: draft.recoveryThreshold,
    ...(draft.degradedAboveMs.trim() !== "" && { degradedAboveMs: numberOr(draft.degradedAboveMs) }),
    ...(draft.quorum !== "majority" && { quorum: numberOr(draft.quorum) }),
    ...(Object.keys(tags).length > 0 && { tags }),
    alerts: {
      afterSeconds: draft.afterSeconds,
      ...(emails.length > 0 && { emails }),
      ...(draft.policies.length > 0 && { policies: draft.policies }),
    },
  };
};

/** How long it takes at most until people hear of a port that fails. */
export const secondsToAlert = ({ intervalSeconds, failureThreshold, afterSeconds }: Draft): number => {
  const timeoutMs = defaultTimeoutMs(intervalSeconds);
  const retries = defaultRetries(intervalSeconds, timeoutMs);
  return timeToAlertSeconds({ intervalSeconds, failureThreshold, timeoutMs, retries, alerts: { afterSeconds } });
};

/** A draft that may stay in the browser: without settings, which may be secrets. */
export const withoutSecrets = (draft: Draft): Draft => ({ ...draft, settings: {} });

const textOf = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

/** Which kind of settings these are, where the protocol has several: the one whose constants they have. */
const kindOf = (settings: Monitor["settings"], protocol: Pick<Configurable, "settings"> | undefined): number => {
  const kinds = protocol?.settings.oneOf ?? [];
  const found = kinds.findIndex(({ properties = {} }) =>
    Object.entries(properties).every(([name, { const: value }]) => value === undefined || settings[name] === value),
  );
  return Math.max(0, found);
};

/** The form of a monitor that there is. Secrets are masked, and stay as they are while nobody changes them. */
export const draftOf = (monitor: Monitor, protocol: Pick<Configurable, "settings"> | undefined): Draft => ({
  host: monitor.host,
  protocol: monitor.protocol,
  port: String(monitor.port),
  name: monitor.name,
  tags: Object.entries(monitor.tags)
    .map(([key, value]) => `${key}=${value}`)
    .join(", "),
  kind: kindOf(monitor.settings, protocol),
  settings: Object.fromEntries(Object.entries(monitor.settings).map(([name, value]) => [name, textOf(value)])),
  intervalSeconds: monitor.intervalSeconds,
  afterSeconds: monitor.alerts.afterSeconds,
  failureThreshold: monitor.failureThreshold,
  recoveryThreshold: monitor.recoveryThreshold,
  degradedAboveMs: monitor.degradedAboveMs === null ? "" : String(monitor.degradedAboveMs),
  quorum: String(monitor.quorum),
  locations: [],
  emails: monitor.alerts.emails.join(", "),
  policies: monitor.alerts.policies,
});

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What turns one object into another, as a merge patch (RFC 7396): null for what is gone; undefined for no difference. */
export const mergePatch = (before: Json, after: Json): Json | undefined => {
  const changes: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, fresh] = [before[name], after[name]];
    if (fresh === undefined) changes[name] = null;
    else if (isObject(old) && isObject(fresh)) {
      const inner = mergePatch(old, fresh);
      if (inner) changes[name] = inner;
    } else if (JSON.stringify(old) !== JSON.stringify(fresh)) changes[name] = fresh;
  }
  return Object.keys(changes).length > 0 ? changes : undefined;
};
