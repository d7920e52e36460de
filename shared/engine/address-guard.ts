/**
 * Guard against server-side request forgery (SSRF): decides which addresses a location may connect to. A public location
 * must not reach what is around it: Lambda's own runtime API is on loopback, credentials are on link-local addresses.
 * The API checks literal addresses when a monitor is created, the engine checks every resolved address, and the
 * connection goes to exactly the address that was checked.
 */
import ipaddr from "ipaddr.js";
import type { Location } from "../model.ts";

export type LocationKind = Location["kind"];
type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** AWS's own services for instances and functions over IPv6 (metadata, time, DNS): never a target, also for a VPC. */
const AWS_SERVICES = ipaddr.parseCIDR("fd00:ec2::/32");
const GLOBAL_IPV6 = ipaddr.parseCIDR("2000::/3");
/** What a VPC may reach beyond the public Internet. */
const INSIDE = new Set(["private", "carrierGradeNat", "uniqueLocal"]);

/**
 * @param address IPv4 or IPv6 as text, also mapped or translated; a zone is ignored
 * @returns why the address is not allowed, for people ("127.0.0.1 is a loopback address"); undefined when it is allowed
 */
export function refuseAddress(address: string, kind: LocationKind): string | undefined {
  const parsed = embedded(ipaddr.process(address.replace(/%.*$/, "")));
  const range = parsed.range();
  const shown = parsed.toString() === address ? address : `${address} (${parsed.toString()})`;
  const refused = `${shown} is ${article(WORDS[range] ?? `${range} address`)}`;
  // The kernel connects 0.0.0.0 to this machine, and DNS sinkholes answer with it: any local service would look like the target.
  if (kind === "local") return range === "unspecified" ? refused : undefined;
  if (parsed.kind() === "ipv6" && parsed.match(AWS_SERVICES)) return `${shown} is an address of AWS's own services`;
  if (INSIDE.has(range)) return kind === "vpc" ? undefined : refused;
  if (range !== "unicast") return refused;
  return parsed.kind() === "ipv4" || parsed.match(GLOBAL_IPV6) ? undefined : `${shown} is no global address`;
}

/**
 * Checks the host that a user wrote, before any name is resolved. Spellings that some resolvers read as an address
 * (decimal, octal and hexadecimal IPv4) are judged as the address they mean.
 * @returns why the host is not allowed; undefined when it is, and for names, whose addresses are checked at check time
 */
export function checkHost(host: string, kind: LocationKind): string | undefined {
  const bare = host.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  if (kind !== "local" && /(^|\.)localhost$/i.test(bare)) return `${host} is this machine itself`;
  return ipaddr.isValid(bare.replace(/%.*$/, "")) ? refuseAddress(bare, kind) : undefined;
}

/** The IPv4 address inside a translated one (NAT64, RFC 6052; 6to4, RFC 3056; IPv4-compatible, RFC 4291), else the address itself. */
function embedded(address: Address): Address {
  if (address.kind() === "ipv4") return address;
  const bytes = address.toByteArray();
  const prefix = Buffer.from(bytes).toString("hex");
  if (prefix.startsWith("0064ff9b")) return new ipaddr.IPv4(bytes.slice(12));
  if (prefix.startsWith("2002")) return new ipaddr.IPv4(bytes.slice(2, 6));
  if (prefix.startsWith("0".repeat(24)) && !/^0{31}[01]$/.test(prefix)) return new ipaddr.IPv4(bytes.slice(12));
  return address;
}

const WORDS: Readonly<Record<string, string>> = {
  unspecified: "unspecified address",
  broadcast: "broadcast address",
  multicast: "multicast address",
  linkLocal: "link-local address",
  loopback: "loopback address",
  carrierGradeNat: "carrier-grade NAT address",
  private: "private address",
  uniqueLocal: "private address",
  reserved: "reserved address",
};

const article = (words: string) => `${/^[aeiou]/.test(words) ? "an" : "a"} ${words}`;
