/**
 * Destination address selection (RFC 6724, section 6): sorts a name's addresses as this machine would use them. Families
 * keep the location's order, the RFC's rules decide within a family, and addresses without a route come last.
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

/** Scope values by address range (RFC 4007). */
const SCOPES: Readonly<Record<string, number>> = { loopback: 2, linkLocal: 2 };
const GLOBAL_SCOPE = 14;

/** The discard port; connecting a UDP socket makes the kernel look up a route and sends nothing. */
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
  // Node passes failures to the callback, too.
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
    // Only the network's prefix is meaningful (RFC 6724, rule 9); for IPv4 the rule is not applied, as systems do it.
    commonBits: from && destination.family === 6 ? Math.min(64, commonBits(to, from)) : 0,
  };
};

/** Rules 2, 5, 6, 8 and 9, within a family; equal addresses keep the order of the DNS answer (rule 10). */
const compare = (a: Choice, b: Choice): number =>
  Number(b.hasMatchingScope) - Number(a.hasMatchingScope) ||
  Number(b.hasMatchingLabel) - Number(a.hasMatchingLabel) ||
  b.precedence - a.precedence ||
  a.scope - b.scope ||
  b.commonBits - a.commonBits;

export interface Routes {
  /** Returns the same addresses, best first. Families keep their order; addresses without a route come last. */
  order(addresses: readonly Address[]): Promise<readonly Address[]>;
  hasRoute(address: Address): Promise<boolean>;
}

/** Documentation addresses (RFC 5737, RFC 3849): if these have a route, there is a default route. */
const ANYWHERE = { 4: { address: "192.0.2.1", family: 4 }, 6: { address: "2001:db8::1", family: 6 } } as const;
/** TTL of the route cache: the shortest interval. */
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
