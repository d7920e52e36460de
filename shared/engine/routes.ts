/**
 * Which of a name's addresses this machine would use (RFC 6724, section 6). Between the families the location's own order
 * decides, within one the RFC's table, and what there is no route to comes last.
 */
import { createSocket } from "node:dgram";
import ipaddr from "ipaddr.js";
import type { Address } from "./name-answers.ts";

/** The policy table of RFC 6724, section 2.1: prefix, precedence, label. */
const POLICY = (
  [
    ["::1/128", 50, 0],
    ["::ffff:0:0/96", 35, 4],
    ["2002::/16", 30, 2],
    ["2001::/32", 5, 5],
    ["fc00::/7", 3, 13],
    ["::/96", 1, 3],
    ["fec0::/10", 1, 11],
    ["3ffe::/16", 1, 12],
    ["::/0", 40, 1],
  ] as const
).map(([prefix, precedence, label]) => ({ range: ipaddr.IPv6.parseCIDR(prefix), precedence, label }));

/** Scopes as RFC 4007 counts them. */
const SCOPES: Readonly<Record<string, number>> = { loopback: 2, linkLocal: 2 };
const GLOBAL_SCOPE = 14;

/** A discard port: nothing is sent, the kernel only looks for a route. */
const PORT = 9;

/** The address this machine would send from; undefined where it has no route there (rule 1). No packet leaves. */
function sourceTo({ address, family }: Address): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    lookup: (_host, _options, done) => done(null, address, family),
  });
  const end = (source: string | undefined) => {
    socket.close();
    resolve(source);
  };
  socket.once("error", () => end(undefined));
  // The callback is told of failures, too.
  socket.connect(PORT, address, (error?: unknown) => end(error ? undefined : socket.address().address));
  return promise;
}

interface Choice extends Address {
  readonly isUsable: boolean;
  readonly hasMatchingScope: boolean;
  readonly hasMatchingLabel: boolean;
  readonly precedence: number;
  readonly scope: number;
  readonly commonBits: number;
}

const asIpv6 = (address: string): ipaddr.IPv6 => {
  const parsed = ipaddr.parse(address.replace(/%.*$/, ""));
  return parsed.kind() === "ipv6" ? (parsed as ipaddr.IPv6) : (parsed as ipaddr.IPv4).toIPv4MappedAddress();
};
const policyOf = (address: ipaddr.IPv6) => POLICY.find(({ range }) => address.match(range)) ?? POLICY.at(-1)!;
const scopeOf = (address: string) => SCOPES[ipaddr.process(address.replace(/%.*$/, "")).range()] ?? GLOBAL_SCOPE;

const commonBits = (one: ipaddr.IPv6, other: ipaddr.IPv6): number => {
  const differing = one.parts.map((part, at) => part ^ other.parts[at]!);
  const at = differing.findIndex((bits) => bits !== 0);
  return at < 0 ? 128 : 16 * at + Math.clz32(differing[at]!) - 16;
};

const judge = (destination: Address, source: string | undefined): Choice => {
  const [to, from] = [asIpv6(destination.address), source === undefined ? undefined : asIpv6(source)];
  const scope = scopeOf(destination.address);
  return {
    ...destination,
    isUsable: source !== undefined,
    hasMatchingScope: source !== undefined && scopeOf(source) === scope,
    hasMatchingLabel: from !== undefined && policyOf(from).label === policyOf(to).label,
    precedence: policyOf(to).precedence,
    scope,
    // Beyond the prefix of a network it says nothing; for IPv4 it never did (RFC 6724, rule 9, and what systems made of it).
    commonBits: from && destination.family === 6 ? Math.min(64, commonBits(to, from)) : 0,
  };
};

/** Rules 2, 5, 6, 8 and 9, within a family; what they leave equal keeps the order of the answer (rule 10). */
const compare = (a: Choice, b: Choice): number =>
  Number(b.hasMatchingScope) - Number(a.hasMatchingScope) ||
  Number(b.hasMatchingLabel) - Number(a.hasMatchingLabel) ||
  b.precedence - a.precedence ||
  a.scope - b.scope ||
  b.commonBits - a.commonBits;

export interface Routes {
  /**
   * The same addresses, best first. Families keep their order but for those without a route, which come last.
   */
  order(addresses: readonly Address[]): Promise<readonly Address[]>;
  hasRoute(address: Address): Promise<boolean>;
}

/** Documentation addresses (RFC 5737, RFC 3849): where these have a route, everything has. */
const ANYWHERE = { 4: { address: "192.0.2.1", family: 4 }, 6: { address: "2001:db8::1", family: 6 } } as const;
/** A route found is believed for as long as the shortest interval. */
const FRESH_MS = 10_000;
const MAX_KNOWN = 10_000;

export function createRoutes(find = sourceTo): Routes {
  const known = new Map<string, { readonly source: Promise<string | undefined>; readonly until: number }>();
  const source = (to: Address): Promise<string | undefined> => {
    const before = known.get(to.address);
    if (before && before.until > performance.now()) return before.source;
    if (known.size >= MAX_KNOWN) known.clear();
    const found = { source: find(to), until: performance.now() + FRESH_MS };
    known.set(to.address, found);
    return found.source;
  };
  const hasRoute = async (address: Address): Promise<boolean> =>
    (await source(ANYWHERE[address.family])) !== undefined || (await source(address)) !== undefined;
  return {
    hasRoute,
    async order(addresses) {
      if (addresses.length < 2) return addresses;
      const choices = await Promise.all(addresses.map(async (address) => judge(address, await source(address))));
      const families = [...new Set(addresses.map(({ family }) => family))];
      return choices
        .toSorted(
          (a, b) =>
            Number(b.isUsable) - Number(a.isUsable) ||
            families.indexOf(a.family) - families.indexOf(b.family) ||
            compare(a, b),
        )
        .map(({ address, family }) => ({ address, family }));
    },
  };
}
