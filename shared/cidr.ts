/** Networks as people write them: `203.0.113.0/28`, `2001:db8::/120`. */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

export interface Cidr {
  /** Lowest address. */
  readonly network: string;
  /** How many addresses it has; Infinity beyond 2^32. */
  readonly size: number;
}

/** @returns undefined for text that is no network. One with a zone (`fe80::1%eth0/64`) is none. */
export function parseCidr(text: string): Cidr | undefined {
  // The library also takes half an address: 10.1/16.
  if (isIP(text.split("/")[0] ?? "") === 0 || !/^[^%]*\/\d+$/.test(text) || !ipaddr.isValidCIDR(text)) return undefined;
  const [address, bits] = ipaddr.parseCIDR(text);
  const free = address.toByteArray().length * 8 - bits;
  const network = address.kind() === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6;
  return {
    network: network.networkAddressFromCIDR(text).toString(),
    size: free > 32 ? Number.POSITIVE_INFINITY : 2 ** free,
  };
}

/** All addresses of a network, in order. */
export function addressesOf({ network, size }: Cidr): string[] {
  const bytes = ipaddr.parse(network).toByteArray();
  return Array.from({ length: size }, (_, place) => {
    const own = [...bytes];
    for (let left = place, at = own.length - 1; left > 0; left = Math.floor(left / 256), at--)
      own[at] = own[at]! + (left % 256);
    return ipaddr.fromByteArray(own).toString();
  });
}

/** Whether an address, without its zone, or a whole network lies in one of the networks; single addresses count as networks. */
export function isInside(address: string, networks: readonly string[]): boolean {
  const [bare = "", prefix] = address.replace(/%[^/]*/, "").split("/");
  if (!ipaddr.isValid(bare)) return false;
  const parsed = ipaddr.process(bare);
  // Of an IPv4-mapped network (::ffff:203.0.113.0/120), the first 96 bits say that it is one.
  const mappedBits = parsed.kind() === "ipv4" && bare.includes(":") ? 96 : 0;
  return networks.some((network) => {
    const full = network.includes("/") ? network : `${network}/${network.includes(":") ? 128 : 32}`;
    if (!ipaddr.isValidCIDR(full)) return false;
    const [base, bits] = ipaddr.parseCIDR(full);
    return (
      base.kind() === parsed.kind() &&
      parsed.match(base, bits) &&
      (prefix === undefined || Number(prefix) - mappedBits >= bits)
    );
  });
}
