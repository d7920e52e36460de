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
import { isSweep, sweepOf } from "../../../shared/protocols/sweeps.ts";
import { addressCount, planSweep, sweepShare } from "../../../shared/rules/sweep-plan.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import type { Deps } from "../deps.ts";
import { hasScope } from "../http/auth.ts";
import { Problem } from "../http/problem.ts";

/** Monitors that are swept, in one installation. */
const MOST_SWEPT = 100;

/** The addresses of a name as this function sees them; none where it does not resolve. */
const addressesNow = (name: string): Promise<readonly string[]> =>
  lookup(name, { all: true }).then(
    (found) => found.map(({ address }) => address),
    () => [],
  );

const shareOf = (monitor: MonitorSettings, kind: LocationKind) => {
  const { ports, perSecond } = sweepOf(monitor)!;
  const plan = planSweep({ addresses: addressCount(monitor.host), ports: ports.length, perSecond }, kind);
  return sweepShare(plan, monitor.intervalSeconds);
};
const percent = (share: number) => Math.ceil(100 * share);

/**
 * @param before its stored settings, if there are any
 * @throws Problem `missing-scope`, `sweep-not-allowed`
 */
export async function refuseSweeps(
  { locations, sweepRights, monitors, now }: Pick<Deps, "locations" | "sweepRights" | "monitors" | "now">,
  token: Token | null,
  settings: MonitorSettings,
  before?: StoredMonitor,
): Promise<void> {
  if (!isSweep(settings) || (before && isSweep(before) && !isOtherCheck(before, settings))) return;
  if (!token || !hasScope(token, "admin"))
    throw new Problem("missing-scope", `sweeping ports needs the scope admin; the token "${token?.name}" has less`);
  const swept = (await monitors.rows(now())).filter((row) => !row.deletedAt && isSweep(row));
  if (swept.length >= MOST_SWEPT && !(before && isSweep(before)))
    throw new Problem(
      "sweep-not-allowed",
      `there are ${swept.length} monitors that sweep, and at most ${MOST_SWEPT} may`,
    );
  const others = [...(await monitors.getMany(swept.map(({ id }) => id))).values()].filter(
    (one) => one.id !== before?.id && !one.paused,
  );
  for (const { name, kind } of locations.filter((one) => settings.locations.includes(one.name))) {
    const taken = others
      .filter((one) => one.locations.includes(name))
      .reduce((sum, one) => sum + shareOf(one, kind), 0);
    const wanted = shareOf(settings, kind);
    if (taken + wanted > 1)
      throw new Problem(
        "sweep-not-allowed",
        `sweeps take ${percent(taken)} % of the time of one probe at ${name}, and this one would take ${percent(wanted)} % more: take fewer ports, a longer interval or another location`,
      );
  }
  const { host } = settings;
  const isName = isIP(host.replace(/%.*$/, "")) === 0 && parseCidr(host) === undefined;
  const addresses = isName ? await addressesNow(host) : [host];
  const kinds = new Set(locations.filter(({ name }) => settings.locations.includes(name)).map(({ kind }) => kind));
  for (const kind of kinds) {
    const refusal = await refuseSweep(host, addresses, kind, sweepRights);
    if (refusal !== undefined) throw new Problem("sweep-not-allowed", refusal);
  }
}
