/** The story of one monitor within a stretch of a run: script, settings, outcomes, views, statuses, alerts, one a line. */
import { idOfKey } from "./api-client.ts";
import type { Result } from "./runner.ts";

/** @param key of the monitor, or how its id begins */
export function explain({ run, violations }: Result, key: string, from: number, to: number): string[] {
  const { scenario, journal } = run;
  const lines: { readonly at: number; readonly text: string }[] = [];
  const add = (at: number, text: string) => {
    if (at >= from && at <= to) lines.push({ at, text });
  };
  const since = (tick: number) => (tick - scenario.startMs / 1000).toFixed(1);
  const isOwn = (id: string) => id === idOfKey(key) || id.startsWith(key);
  const own = [...journal.segments].filter(([id]) => isOwn(id)).flatMap(([, segments]) => segments);
  const hosts = new Set(own.map(({ settings }) => settings.host));

  for (const { from: at, to: until, version, paused, settings, shard } of own) {
    add(at, `SETTINGS version ${version}${paused ? " PAUSED" : ""} in ${shard} ${JSON.stringify(settings)}`);
    if (until < scenario.seconds) add(until, "SETTINGS of before are over");
  }
  for (const { host, kind, from: at, to: until, locations } of scenario.events) {
    if (!hosts.has(host)) continue;
    add(at, `TARGET ${host} ${kind} until ${until} ${locations ?? "everywhere"}`);
    add(until, `TARGET ${host} up again`);
  }
  for (const { location, how, from: at, to: until } of scenario.cuts) {
    add(at, `CUT ${location} from ${how} until ${until}`);
    add(until, `CUT of ${location} over`);
  }
  for (const { fault, strength, from: at, to: until, only } of scenario.faults)
    add(at, `FAULT ${fault} ${strength} until ${until} ${only ? JSON.stringify(only) : ""}`);
  for (const { at, ms, caller } of scenario.clockSteps ?? []) add(at, `CLOCKS of ${caller ?? "all"} jump by ${ms} ms`);
  for (const { at, overlapSeconds } of scenario.deploys ?? []) add(at, `DEPLOY, old and new for ${overlapSeconds} s`);
  for (const { at, what, caller } of run.mishaps) add(at, `struck: ${what} at ${caller}`);
  for (const { at, key: edited, action, status, code } of journal.answers)
    add(at, `api: ${action} ${edited} ${status} ${code ?? ""}`);
  for (const { at, id, location, health, tick, spot } of journal.outcomes)
    if (isOwn(id)) add(at, `outcome ${location} ${health} of tick ${since(tick)}${spot ? " (spot)" : ""}`);
  for (const { at, location, shard, tick, offline, entries } of journal.blocks)
    for (const [id, { health, view, bits, bitCount }] of entries)
      if (isOwn(id))
        add(
          at,
          `block ${location} ${shard} tick ${since(tick)} ${health}, view ${view}, bits ${bits.toString(2).padStart(bitCount, "0").slice(-bitCount)}${offline ? " OFFLINE" : ""}`,
        );
  for (const { at, id, location, health, tick, version } of journal.views)
    if (isOwn(id))
      add(at, `VIEW ${location} ${health}${tick === null ? "" : ` of tick ${since(tick)}`} version ${version}`);
  for (const { at, id, status, incident } of journal.statuses)
    if (isOwn(id)) add(at, `STATUS ${status}, incident ${incident}`);
  for (const { at, location, condition } of journal.conditions) add(at, `LOCATION ${location} ${condition}`);
  for (const { at, receiver, event, alertId, monitorId, accepted } of journal.told)
    if (isOwn(monitorId)) add(at, `TOLD ${receiver} ${event} ${alertId}${accepted ? "" : " (refused)"}`);
  for (const { at, subject } of journal.system) add(at, `SYSTEM ${subject}`);
  for (const { at, pk, condition } of journal.givenUp) add(at, `GIVEN UP ${pk} ${condition}`);
  for (const { at, ok } of journal.hourly) add(at, `compact ended, ${ok ? "well" : "badly"}`);
  for (const { at, kind, id, text } of violations) if (isOwn(id)) add(at, `VIOLATION ${kind} ${text}`);
  return lines
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, text }) => `${at.toFixed(2).padStart(9)} ${text.replaceAll("\0", " ")}`);
}
