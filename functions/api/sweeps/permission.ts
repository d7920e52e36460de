/**
 * Who may have which hosts and networks swept: a token with the scope `admin`, and only what this installation is allowed to sweep. Asked
 * when a monitor begins to sweep something, or something else; the probes ask the second question again at every sweep.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { parseCidr } from "../../../shared/cidr.ts";
import type { LocationKind } from "../../../shared/engine/address-guard.ts";
import { refuseSweep } from "../../../shared/engine/sweep-permission.ts";
import type { MonitorSettings } from "../../../shared/model.ts";
import { isOtherCheck } from "../../../shared/monitor/settings.ts";
import { isSweep } from "../../../shared/protocols/sweeps.ts";
import { planSweep, sweepShare } from "../../../shared/rules/sweep-plan.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import type { Deps } from "../deps.ts";
import { hasScope } from "../http/auth.ts";
import { Problem } from "../http/problem.ts";
import { loadOf } from "./load.ts";

/** Monitors that are swept, in one installation. */
const MOST_SWEPT = 100;

/** The addresses of a name as this function sees them; none where it does not resolve. */
const addressesNow = (name: string): Promise<readonly string[]> =>
  lookup(name, { all: true }).then(
    (found) => found.map(({ address }) => address),
    () => [],
  );

/** Share of one probe's time that a monitor takes; zero for those that are checked, or paused. */
const shareOf = (monitor: MonitorSettings, kind: LocationKind) => {
  const load = monitor.paused ? undefined : loadOf(monitor);
  return load ? sweepShare(planSweep(load, kind), monitor.intervalSeconds) : 0;
};
const percent = (share: number) => Math.ceil(100 * share);

/** What is to become of a monitor. */
interface Change {
  readonly settings: MonitorSettings;
  /** Its stored settings, if there are any. */
  readonly before?: StoredMonitor | undefined;
}

/** Whether it begins to be swept, or is swept in another way, from elsewhere or at another interval. */
const isOther = ({ settings, before }: Change) => !before || !isSweep(before) || isOtherCheck(before, settings);
const isResumed = ({ settings, before }: Change) => before?.paused === true && !settings.paused;

/**
 * Refuses what may not be swept, and what all of the changes together would take too much time for.
 * @throws Problem `missing-scope`, `sweep-not-allowed`
 */
export async function refuseSweeps(
  { locations, sweepRights, monitors, now }: Pick<Deps, "locations" | "sweepRights" | "monitors" | "now">,
  token: Token | null,
  changes: readonly Change[],
): Promise<void> {
  const swept = changes.filter(({ settings }) => isSweep(settings));
  const changed = swept.filter(isOther);
  if (changed.length > 0 && (!token || !hasScope(token, "admin")))
    throw new Problem("missing-scope", `sweeping ports needs the scope admin; the token "${token?.name}" has less`);
  if (changed.length === 0 && !swept.some(isResumed)) return;
  const ids = new Set(changes.flatMap(({ before }) => before?.id ?? []));
  const kept = (await monitors.rows(now())).filter((row) => !row.deletedAt && isSweep(row) && !ids.has(row.id));
  const isMore = swept.some(({ before }) => !before || !isSweep(before));
  const count = kept.length + swept.length;
  if (isMore && count > MOST_SWEPT)
    throw new Problem("sweep-not-allowed", `${count} monitors would sweep, and at most ${MOST_SWEPT} may`);
  const others = [...(await monitors.getMany(kept.map(({ id }) => id))).values()];
  for (const { name, kind } of locations) {
    const sharesAt = (some: readonly MonitorSettings[]) =>
      some.filter((one) => one.locations.includes(name)).reduce((sum, one) => sum + shareOf(one, kind), 0);
    const taken = sharesAt(others);
    const wanted = sharesAt(swept.map(({ settings }) => settings));
    const wasWanted = sharesAt(swept.flatMap(({ before }) => (before && isSweep(before) ? [before] : [])));
    if (taken + wanted > 1 && wanted > wasWanted)
      throw new Problem(
        "sweep-not-allowed",
        `sweeps take ${percent(taken)} % of the time of one probe at ${name}, and this one would take ${percent(wanted)} % more: take fewer ports, a longer interval or another location`,
      );
  }
  for (const { settings } of changed) await refuseTarget(settings, locations, sweepRights);
}

/** @throws Problem `sweep-not-allowed` if a host may not be swept */
async function refuseTarget(settings: MonitorSettings, locations: Deps["locations"], rights: Deps["sweepRights"]) {
  const { host } = settings;
  const isName = isIP(host.replace(/%.*$/, "")) === 0 && parseCidr(host) === undefined;
  const addresses = isName ? await addressesNow(host) : [host];
  const kinds = new Set(locations.filter(({ name }) => settings.locations.includes(name)).map(({ kind }) => kind));
  for (const kind of kinds) {
    const refusal = await refuseSweep(host, addresses, kind, rights);
    if (refusal !== undefined) throw new Problem("sweep-not-allowed", refusal);
  }
}
