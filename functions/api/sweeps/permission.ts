/**
 * Who may have which hosts and networks swept: a token with the scope `admin`, and only what this installation is allowed to sweep. Asked
 * when a monitor begins to sweep something, or something else; the probes ask the second question again at every sweep.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { parseCidr } from "../../../shared/cidr.ts";
import { refuseSweep } from "../../../shared/engine/sweep-permission.ts";
import type { MonitorSettings } from "../../../shared/model.ts";
import { isOtherCheck } from "../../../shared/monitor/settings.ts";
import { isSweep } from "../../../shared/protocols/sweeps.ts";
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

/**
 * @param before its stored settings, if there are any
 * @throws Problem `missing-scope`, `sweep-not-allowed`
 */
export async function refuseSweeps(
  { locations, sweepRights, monitors, now }: Pick<Deps, "locations" | "sweepRights" | "monitors" | "now">,
  token: Token | null,
  settings: MonitorSettings,
  before?: MonitorSettings,
): Promise<void> {
  if (!isSweep(settings) || (before && isSweep(before) && !isOtherCheck(before, settings))) return;
  if (!token || !hasScope(token, "admin"))
    throw new Problem("missing-scope", `sweeping ports needs the scope admin; the token "${token?.name}" has less`);
  if (!before || !isSweep(before)) {
    const swept = (await monitors.rows(now())).filter((row) => !row.deletedAt && isSweep(row));
    if (swept.length >= MOST_SWEPT)
      throw new Problem(
        "sweep-not-allowed",
        `there are ${swept.length} monitors that sweep, and at most ${MOST_SWEPT} may`,
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
