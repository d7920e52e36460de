/**
 * Who may be swept: addresses and names on the list of this installation, names whose owner says so in DNS, and for a location that is this machine
 * itself and the networks it is in. Asked when a monitor is created, and again at every sweep.
 */
import { createHash } from "node:crypto";
import { resolveTxt } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { isInside, parseCidr } from "../cidr.ts";
import type { LocationKind } from "./address-guard.ts";
import { missingRecord } from "./sweep-record.ts";

export interface SweepRights {
  /** Addresses, networks and names, `*.example.com` for all below a name. */
  readonly targets: readonly string[];
  /** What tells this installation from others, in the proof that a name's owner publishes. */
  readonly installation: string;
}

interface Outside {
  readonly txt: (name: string) => Promise<readonly (readonly string[])[]>;
  readonly networks: () => readonly string[];
}

const ownNetworks = () => [
  "127.0.0.0/8",
  "::1/128",
  ...Object.values(networkInterfaces()).flatMap((own) => (own ?? []).flatMap(({ cidr }) => cidr ?? [])),
];

/** TXT record of `_harborlight.<name>` with which the owner of a name allows this installation to sweep it. */
export const sweepProof = (installation: string, name: string) =>
  `harborlight=${createHash("sha256").update(`${installation} ${name.toLowerCase()}`).digest("hex").slice(0, 32)}`;

const matches = (name: string, pattern: string) => {
  const [own, wanted] = [name.toLowerCase().replace(/\.$/, ""), pattern.toLowerCase()];
  return wanted.startsWith("*.") ? own.endsWith(wanted.slice(1)) : own === wanted;
};

/**
 * @param host address, network or name
 * @param addresses of a name; of others the host itself
 * @returns why it may not be swept, and what to do; undefined when it may
 */
export async function refuseSweep(
  host: string,
  addresses: readonly string[],
  kind: LocationKind,
  { targets, installation }: SweepRights,
  { txt, networks }: Outside = { txt: resolveTxt, networks: ownNetworks },
): Promise<string | undefined> {
  const allowed = [...targets, ...(kind === "local" ? networks() : [])];
  if (addresses.length > 0 && addresses.every((address) => isInside(address, allowed))) return undefined;
  const isName = isIP(host.replace(/%.*$/, "")) === 0 && parseCidr(host) === undefined;
  if (!isName) return `${host} may not be swept: it is not in sweepTargets of this installation`;
  if (targets.some((pattern) => matches(host, pattern))) return undefined;
  const proof = sweepProof(installation, host);
  // A name without the record, or whose name servers fail, proves nothing.
  const name = `_harborlight.${host}`;
  const records = await txt(name).catch(() => []);
  if (records.some((parts) => parts.join("") === proof)) return undefined;
  return `${host} may not be swept: it is not in sweepTargets of this installation, and ${missingRecord({ name, value: proof })}`;
}
