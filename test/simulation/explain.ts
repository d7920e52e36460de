/** The story of one monitor within a stretch of a run: script, settings, outcomes, views, statuses, alerts, one a line. */
import { idOfKey } from "./api-client.ts";
import type { Result } from "./runner.ts";

interface Line {
  readonly at: number;
  readonly text: string;
}

/** @param key of the monitor, or how its id begins */
export function explain(result: Result, key: string, from: number, to: number): string[] {
  const isOwn = (id: string) => id === idOfKey(key) || id.startsWith(key);
  return [...scripted(result, isOwn), ...measured(result, isOwn), ...decided(result, isOwn)]
    .filter(({ at }) => at >= from && at <= to)
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, text }) => `${at.toFixed(2).padStart(9)} ${text.replaceAll("\0", " ")}`);
}

/** What the scenario and the users of the API do. */
function* scripted({ run: { scenario, journal, mishaps } }: Result, isOwn: (id: string) => boolean): Generator<Line> {
  const own = [...journal.segments].filter(([id]) => isOwn(id)).flatMap(([, segments]) => segments);
  const hosts = new Set(own.map(({ settings }) => settings.host));

  for (const { from: at, to: until, version, paused, settings, shard } of own) {
    yield {
      at,
      text: `SETTINGS version ${version}${paused ? " PAUSED" : ""} in ${shard} ${JSON.stringify(settings)}`,
    };
    if (until < scenario.seconds) yield { at: until, text: "SETTINGS of before are over" };
  }
  for (const { host, kind, from: at, to: until, locations } of scenario.events) {
    if (!hosts.has(host)) continue;
    yield { at, text: `TARGET ${host} ${kind} until ${until} ${locations ?? "everywhere"}` };
    yield { at: until, text: `TARGET ${host} up again` };
  }
  for (const { location, how, from: at, to: until } of scenario.cuts) {
    yield { at, text: `CUT ${location} from ${how} until ${until}` };
    yield { at: until, text: `CUT of ${location} over` };
  }
  for (const { fault, strength, from: at, to: until, only } of scenario.faults)
    yield { at, text: `FAULT ${fault} ${strength} until ${until} ${only ? JSON.stringify(only) : ""}` };
  for (const { at, ms, caller } of scenario.clockSteps ?? [])
    yield { at, text: `CLOCKS of ${caller ?? "all"} jump by ${ms} ms` };
  for (const { at, overlapSeconds } of scenario.deploys ?? [])
    yield { at, text: `DEPLOY, old and new for ${overlapSeconds} s` };
  for (const { at, what, caller } of mishaps) yield { at, text: `struck: ${what} at ${caller}` };
  for (const { at, key: edited, action, status, code } of journal.answers)
    yield { at, text: `api: ${action} ${edited} ${status} ${code ?? ""}` };
}

/** What the probes saw and stored. */
function* measured({ run: { scenario, journal } }: Result, isOwn: (id: string) => boolean): Generator<Line> {
  const since = (tick: number) => (tick - scenario.startMs / 1000).toFixed(1);
  for (const { at, id, location, health, tick, spot, facts } of journal.outcomes) {
    if (!isOwn(id)) continue;
    const said = facts ? ` ${Object.values(facts).join(" ")}` : "";
    yield { at, text: `outcome ${location} ${health} of tick ${since(tick)}${spot ? " (spot)" : ""}${said}` };
  }
  for (const { at, location, shard, tick, offline, entries } of journal.blocks)
    for (const [id, { health, view, bits, bitCount }] of entries)
      if (isOwn(id))
        yield {
          at,
          text: `block ${location} ${shard} tick ${since(tick)} ${health}, view ${view}, bits ${bits.toString(2).padStart(bitCount, "0").slice(-bitCount)}${offline ? " OFFLINE" : ""}`,
        };
  for (const { at, id, location, health, tick, version } of journal.views)
    if (isOwn(id))
      yield {
        at,
        text: `VIEW ${location} ${health}${tick === null ? "" : ` of tick ${since(tick)}`} version ${version}`,
      };
}

/** What was made of it, what people were told, and what the oracle objects to. */
function* decided({ run: { journal }, violations }: Result, isOwn: (id: string) => boolean): Generator<Line> {
  for (const { at, id, status, incident } of journal.statuses)
    if (isOwn(id)) yield { at, text: `STATUS ${status}, incident ${incident}` };
  for (const { at, location, condition } of journal.conditions) yield { at, text: `LOCATION ${location} ${condition}` };
  for (const { at, receiver, event, alertId, monitorId, accepted } of journal.told)
    if (isOwn(monitorId)) yield { at, text: `TOLD ${receiver} ${event} ${alertId}${accepted ? "" : " (refused)"}` };
  for (const { at, subject } of journal.system) yield { at, text: `SYSTEM ${subject}` };
  for (const { at, pk, condition } of journal.givenUp) yield { at, text: `GIVEN UP ${pk} ${condition}` };
  for (const { at, ok } of journal.hourly) yield { at, text: `compact ended, ${ok ? "well" : "badly"}` };
  for (const { at, kind, id, text } of violations) if (isOwn(id)) yield { at, text: `VIOLATION ${kind} ${text}` };
}
