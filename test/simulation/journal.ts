/**
 * What a run did, as far as the oracle may see it: committed writes, blocks, what the engine saw, what people were told,
 * what the API answered, what died. Moments are seconds since the scenario's start, unless the name says otherwise.
 */
import { isDeepStrictEqual } from "node:util";
import { type BlockEntry, decodeRoster, openBlock } from "../../shared/history/block.ts";
import type { Alert, Facts } from "../../shared/model.ts";
import type { Health } from "./oracle/quorum.ts";
import type { WatchedSettings } from "./scenario.ts";

type Item = Readonly<Record<string, unknown>>;

/** A monitor's settings for as long as they stood in the table. */
export interface Segment {
  readonly id: string;
  readonly from: number;
  /** Infinity for the present one. */
  to: number;
  readonly settings: WatchedSettings;
  readonly version: number;
  readonly paused: boolean;
  readonly shard: string;
  /** Grows each time a monitor of this id is created. */
  readonly life: number;
}

export interface ViewWrite {
  readonly at: number;
  readonly id: string;
  readonly location: string;
  /** Null when the view was cleared. */
  readonly health: Health | null;
  /** Epoch seconds. */
  readonly tick: number | null;
  readonly version: number;
}

export interface StatusWrite {
  readonly at: number;
  readonly id: string;
  /** `gone`: the item was removed. */
  readonly status: string;
  readonly incident: string | null;
}

export interface StoredBlock {
  readonly at: number;
  readonly shard: string;
  readonly location: string;
  /** Epoch seconds. */
  readonly tick: number;
  readonly offline: boolean;
  readonly entries: ReadonlyMap<string, BlockEntry>;
}

export interface SeenOutcome {
  readonly at: number;
  readonly id: string;
  readonly location: string;
  /** Epoch seconds; of a spot check the second in which it ran. */
  readonly tick: number;
  readonly health: Health;
  readonly spot: boolean;
  readonly host: string;
  /** What the target said of itself. */
  readonly facts?: Facts | undefined;
}

export interface Told {
  readonly at: number;
  /** `sns`, `people`, or `email:<address>`. */
  readonly receiver: string;
  /** False: the receiver refused it for good. */
  readonly accepted: boolean;
  readonly alertId: string;
  readonly event: string;
  readonly monitorId: string;
  readonly incidentId: string;
  /** Of the incident. */
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly endReason: string | null;
  /** What the service says of itself, where that is what it is about. */
  readonly changes?: Alert["changes"];
}

/** An alert as it is sent. */
type Published = Omit<Told, "at" | "startedAt" | "endedAt"> & { readonly monitor: { readonly id: string } } & Readonly<
    Record<"startedAt" | "endedAt", string>
  >;

export interface TickRun {
  readonly shard: string;
  readonly location: string;
  /** Epoch seconds. */
  readonly tick: number;
  readonly at: number;
}

export interface ApiAnswer {
  readonly at: number;
  readonly key: string;
  /** Of the monitor. */
  readonly id: string;
  readonly action: string;
  /** HTTP status; 0: the caller heard nothing. */
  readonly status: number;
  readonly code: string | null;
  readonly timeToAlertSeconds: number | null;
}

export interface Bug {
  readonly at: number;
  readonly where: string;
  readonly text: string;
}

/** Names of errors that are never a matter of the weather. */
const BUGS = new Set([
  "TypeError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "CorruptHistory",
  "ValidationException",
]);

export class Journal {
  readonly startMs: number;
  readonly #nowMs: () => number;
  /** Told of each committed write, for the trace. */
  readonly #note: (text: string) => void;

  readonly segments = new Map<string, Segment[]>();
  readonly views: ViewWrite[] = [];
  readonly statuses: StatusWrite[] = [];
  /** Each status that began, and when, by the monitor's item; `deleted` is the last. */
  readonly stretches: {
    readonly at: number;
    readonly id: string;
    readonly status: string;
    readonly since: string;
  }[] = [];
  /** From which locations the monitors have learned what their services say of themselves, at each change of that. */
  readonly learned: { readonly at: number; readonly id: string; readonly locations: readonly string[] }[] = [];
  readonly conditions: { readonly at: number; readonly location: string; readonly condition: string }[] = [];
  readonly blocks: StoredBlock[] = [];
  readonly outcomes: SeenOutcome[] = [];
  readonly ticks: TickRun[] = [];
  readonly told: Told[] = [];
  readonly system: { readonly at: number; readonly subject: string; readonly message: string }[] = [];
  readonly answers: ApiAnswer[] = [];
  readonly hourly: { readonly at: number; readonly ok: boolean }[] = [];
  /** When each alert stood in an outbox for the first time. */
  readonly made = new Map<string, number>();
  /** Outbox entries that stood there again after they had been removed. */
  readonly returned: { readonly at: number; readonly id: string; readonly entry: string }[] = [];
  /** Blocks that changed after they were stored. */
  readonly rewritten: { readonly at: number; readonly key: string }[] = [];
  /** Records that the stream gave up. */
  readonly givenUp: { readonly at: number; readonly pk: string; readonly condition: string }[] = [];
  /** How often each tick was queued, by `<shard> <location> <tick>`. */
  readonly queued = new Map<string, number>();
  readonly bugs: Bug[] = [];
  /** By function and name. */
  readonly errors = new Map<string, number>();
  kills = 0;
  readonly #removed = new Set<string>();
  /** When each digest was first recorded. */
  readonly #digests = new Map<string, number>();
  readonly #rosters = new Map<string, readonly string[]>();

  constructor(startMs: number, nowMs: () => number, note: (text: string) => void) {
    this.startMs = startMs;
    this.#nowMs = nowMs;
    this.#note = note;
  }

  get at(): number {
    return (this.#nowMs() - this.startMs) / 1000;
  }

  /** Seconds since the scenario's start of a moment as the product writes it. */
  sinceStart(moment: string): number {
    return (Date.parse(moment) - this.startMs) / 1000;
  }

  error(where: string, error: unknown): void {
    const causes = error instanceof AggregateError && error.errors.length > 0 ? error.errors : [error];
    for (const cause of causes) {
      const { name, message, stack } = cause as Error;
      const key = `${where}: ${name}`;
      this.errors.set(key, (this.errors.get(key) ?? 0) + 1);
      if (BUGS.has(name)) this.bugs.push({ at: this.at, where, text: String(stack ?? message).slice(0, 600) });
    }
  }

  /** @param rosterOf reads a roster's item */
  written(
    table: string,
    { pk, sk }: { readonly pk: string; readonly sk: string },
    before: Item | undefined,
    after: Item | undefined,
    rosterOf: (hash: string) => Item | undefined,
  ): void {
    this.#note(`${table} ${pk} ${sk} ${after?.revision ?? ""}`);
    if (pk.startsWith("SHARD#")) this.#block(pk, sk, before, after, rosterOf);
    else if (sk === "MONITOR") this.#monitor(pk.slice("MONITOR#".length), before, after);
    else if (pk.startsWith("MAIL#")) this.#mail(before, after);
    else if (sk === "STATE" && after && before?.condition !== after.condition)
      this.conditions.push({
        at: this.at,
        location: pk.slice("LOCATION#".length),
        condition: String(after.condition),
      });
  }

  #block(
    pk: string,
    sk: string,
    before: Item | undefined,
    after: Item | undefined,
    rosterOf: (hash: string) => Item | undefined,
  ) {
    const data = after?.data as Uint8Array | undefined;
    if (before?.data) {
      const isSame = data && Buffer.compare(before.data as Uint8Array, data) === 0;
      if (after && !isSame) this.rewritten.push({ at: this.at, key: `${pk} ${sk}` });
      return;
    }
    if (!data) return; // a claim of the tick
    const [, lane, number, location = ""] = pk.split("#");
    const [shard, tick] = [`${lane}#${number}`, Number(sk)];
    const block = openBlock(data, { shard, location, tick });
    const { roster, offline } = block.header;
    const ids = this.#rosters.get(roster) ?? decodeRoster(rosterOf(roster)?.data as Uint8Array, roster);
    this.#rosters.set(roster, ids);
    const entries = new Map(ids.map((id, row) => [id, block.entry(row)]));
    this.blocks.push({ at: this.at, shard, location, tick, offline, entries });
  }

  /** An alert that was sent, or refused for good, as a part of a digest, which itself does not name all of them. */
  #mail(before: Item | undefined, after: Item | undefined) {
    if (!after?.digest || after.state === "waiting" || before?.state !== "waiting") return;
    // All parts of a digest came at the same moment, in whatever order they are recorded.
    const digest = `${after.receiver} ${after.digest}`;
    const at = this.#digests.get(digest) ?? this.at;
    this.#digests.set(digest, at);
    this.#tell(String(after.receiver), after.alert as Published, after.state === "sent", at);
  }

  #monitor(id: string, before: Item | undefined, after: Item | undefined) {
    const { at } = this;
    this.#segment(id, before, after);
    this.#viewsOf(id, before, after);
    this.#outboxOf(id, before, after);
    const begin = (status: unknown, since: unknown) =>
      this.stretches.push({ at, id, status: String(status), since: String(since) });
    if (after && (before?.status !== after.status || before?.since !== after.since)) begin(after.status, after.since);
    const learnedOf = (item: Item | undefined) =>
      (item?.baseline as { learned: readonly string[] } | null | undefined)?.learned ?? [];
    if (!isDeepStrictEqual(learnedOf(before), learnedOf(after)))
      this.learned.push({ at, id, locations: learnedOf(after) });
    if (after?.deletedAt && !before?.deletedAt) begin("deleted", after.deletedAt);
    const incidentOf = (item: Item | undefined) => (item?.incident as { id: string } | null | undefined)?.id ?? null;
    if (before?.status !== after?.status || incidentOf(before) !== incidentOf(after))
      this.statuses.push({ at, id, status: String(after?.status ?? "gone"), incident: incidentOf(after) });
  }

  #viewsOf(id: string, before: Item | undefined, after: Item | undefined) {
    const { at } = this;
    type Views = Readonly<Record<string, { readonly health: Health; readonly tick: number }>>;
    const [viewsBefore, viewsAfter] = [before?.views, after?.views] as [Views | undefined, Views | undefined];
    for (const location of new Set([...Object.keys(viewsBefore ?? {}), ...Object.keys(viewsAfter ?? {})])) {
      const view = viewsAfter?.[location];
      if (isDeepStrictEqual(viewsBefore?.[location], view)) continue;
      const [health, tick] = [view?.health ?? null, view?.tick ?? null];
      this.views.push({ at, id, location, health, tick, version: Number(after?.settingsVersion ?? 0) });
    }
  }

  #outboxOf(id: string, before: Item | undefined, after: Item | undefined) {
    const { at } = this;
    type Outbox = Readonly<Record<string, unknown>>;
    const [outboxBefore, outboxAfter] = [before?.pendingAlerts ?? {}, after?.pendingAlerts ?? {}] as [Outbox, Outbox];
    for (const entry of Object.keys(outboxBefore))
      if (!(entry in outboxAfter) && !entry.includes("#")) this.#removed.add(entry);
    for (const entry of Object.keys(outboxAfter)) {
      if (entry in outboxBefore) continue;
      if (this.#removed.has(entry)) this.returned.push({ at, id, entry });
      if (!this.made.has(entry)) this.made.set(entry, at);
    }
  }

  #segment(id: string, before: Item | undefined, after: Item | undefined) {
    const isThere = Boolean(after && !after.deletedAt);
    const list = this.segments.get(id) ?? [];
    this.segments.set(id, list);
    const last = list.at(-1);
    const isOpen = last?.to === Number.POSITIVE_INFINITY;
    if (isThere && isOpen && before?.updatedAt === after?.updatedAt) return;
    const { at } = this;
    if (!after || !isThere) {
      if (isOpen) last.to = at;
      return;
    }
    const settings = watchedSettings(after);
    const [version, paused, shard] = [Number(after.settingsVersion), Boolean(after.paused), String(after.shard)];
    if (isOpen && last.paused === paused && last.version === version && isDeepStrictEqual(last.settings, settings))
      return;
    if (isOpen) last.to = at;
    const life = (last?.life ?? 0) + (isOpen ? 0 : 1);
    list.push({ id, from: at, to: Number.POSITIVE_INFINITY, settings, version, paused, shard, life });
  }

  /** A message to topic `alerts`, as SNS takes it. */
  published(message: string, accepted: boolean): void {
    this.#tell("sns", JSON.parse(JSON.parse(message).default) as Published, accepted);
  }

  #tell(receiver: string, alert: Published, accepted: boolean, at = this.at) {
    this.told.push({
      at,
      receiver,
      accepted,
      alertId: alert.alertId,
      event: alert.event,
      monitorId: alert.monitor.id,
      incidentId: alert.incidentId,
      startedAt: this.sinceStart(alert.startedAt),
      endedAt: alert.endedAt ? this.sinceStart(alert.endedAt) : null,
      endReason: alert.endReason ?? null,
      ...(alert.changes && { changes: alert.changes }),
    });
  }

  /** A message to topic `people`. @param event undefined for a digest, whose alerts are told as they are recorded */
  publishedToPeople(message: string, event: string | undefined, accepted: boolean): void {
    if (event) this.#read("people", event, JSON.parse(message).email, accepted);
  }

  mailed(address: string, subject: string, text: string, accepted: boolean): void {
    // A digest: its alerts are told as they are recorded.
    const label = /^\[([A-Z ]+)\]/.exec(subject)?.[1];
    if (label) this.#read(`email:${address}`, label.toLowerCase().replace(" ", "-"), text, accepted);
  }

  /** What a message for people is about stands in its text, a line each. */
  #read(receiver: string, event: string, text: string, accepted: boolean): void {
    const line = (label: string) => new RegExp(`^${label}: (.*)$`, "m").exec(text)?.[1] ?? null;
    const incidentId = line("Incident") ?? "";
    const until = line("Until");
    this.told.push({
      at: this.at,
      receiver,
      accepted,
      alertId: line("Alert") ?? "",
      event,
      monitorId: incidentId.slice(0, incidentId.lastIndexOf(".")),
      incidentId,
      startedAt: this.sinceStart(line("Since") ?? ""),
      endedAt: until ? this.sinceStart(until) : null,
      endReason: null,
    });
  }
}

const watchedSettings = (item: Item): WatchedSettings => {
  const { protocol, host, port, intervalSeconds, timeoutMs, retries, degradedAboveMs, ...how } =
    item.check as WatchedSettings;
  const { failureThreshold, recoveryThreshold, locations, degradedAboveMsByLocation } = how;
  const { quorum, alerts, flapping, dependsOn = [] } = item as unknown as WatchedSettings;
  return structuredClone({
    protocol,
    host,
    port,
    intervalSeconds,
    timeoutMs,
    retries,
    degradedAboveMs,
    degradedAboveMsByLocation,
    failureThreshold,
    recoveryThreshold,
    locations,
    quorum,
    alerts,
    flapping,
    dependsOn,
  });
};
