/** Validates a host: its form, and whether these locations may and can reach its address. */
import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import { type Cidr, parseCidr } from "../../../shared/cidr.ts";
import type { Protocol } from "../../../shared/contract/protocol.ts";
import { checkHost } from "../../../shared/engine/address-guard.ts";
import type { FieldError } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import type { Family, Location } from "../../../shared/model.ts";

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const NUMBER = /^(\d+|0x[0-9a-f]*)$/i;

/** Longest host name in text form (RFC 1035, section 2.3.4). */
const MAX_NAME_LENGTH = 253;

const withoutZone = (address: string): string => address.replace(/%.*$/, "");
const isLinkLocal = (address: string): boolean =>
  isIPv6(address) && ipaddr.parse(withoutZone(address)).range() === "linkLocal";

/** The error in the form of a host, or undefined. */
const formError = (host: string): string | undefined => {
  if (isIPv4(host)) return undefined;
  if (isIPv6(host))
    return host.includes("%") && !isLinkLocal(host)
      ? `must be an address without a zone (only link-local ones have one), got ${show(host)}`
      : undefined;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(host))
    return `must be a host name or an IP address, not a URL; try ${show(
      host
        .replace(/^[^/]*\/\//, "")
        .replace(/^.*@/, "")
        .replace(/[:/?#].*$/, ""),
    )}`;
  if (/^\[.*\]$/.test(host)) return `must be an IPv6 address without brackets, got ${show(host)}`;
  if (/^[^:]+:\d+$/.test(host)) return `must be without a port: put it in the field port, got ${show(host)}`;
  if (/[/?#@]/.test(host)) return `must be a host name or an IP address, not a URL, got ${show(host)}`;
  const labels = host.replace(/\.$/, "").split(".");
  if (NUMBER.test(labels.at(-1) ?? "")) {
    const meant = ipaddr.isValid(host) ? ` (this means ${ipaddr.process(host).toString()})` : "";
    return `must be an IPv4 address as four decimal numbers, or a name, got ${show(host)}${meant}`;
  }
  if (!labels.every((label) => LABEL.test(label)))
    return `must be a host name: labels of 1 to 63 letters, digits, hyphens, got ${show(host)}`;
  if (host.length > MAX_NAME_LENGTH)
    return `must be at most ${MAX_NAME_LENGTH} characters in its xn-- form, got ${show(host)}`;
  return undefined;
};

const familyOf = (address: string): Family =>
  ipaddr.process(withoutZone(address)).kind() === "ipv4" ? "ipv4" : "ipv6";

export interface TargetFields {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly family: Family | "auto";
  readonly protocol: Protocol | undefined;
}

const PORT_25 =
  "AWS blocks outbound TCP 25 from Lambda outside a VPC for good; use a VPC location with NAT whose block AWS has lifted (port25: true), or check 587 or 465";

/** Errors of a network: its first address stands for all, since ranges that are refused are larger than any network taken. */
const networkErrors = (host: string, { network }: Cidr, locations: readonly Location[]): FieldError[] =>
  locations.flatMap(({ name, kind, families }) => {
    const refused = checkHost(network, kind);
    if (refused) return [{ path: "host", message: `${refused}, which the ${kind} location ${name} may not reach` }];
    return families.includes(familyOf(network))
      ? []
      : [
          {
            path: "host",
            message: `${show(host)} is ${familyOf(network)}, and ${name} has only ${families.join(" and ")}`,
          },
        ];
  });

export const hostErrors = (
  { host, port, family, protocol }: TargetFields,
  locations: readonly Location[],
): FieldError[] => {
  const errors: FieldError[] = [];
  for (const { name, kind, families, port25 } of locations) {
    if (port === 25 && !port25 && kind !== "local" && protocol?.transports.includes("tcp"))
      errors.push({ path: "port", message: `25 cannot be checked from ${name}: ${PORT_25}` });
    if (family !== "auto" && !families.includes(family))
      errors.push({ path: "family", message: `${name} has no ${family}; it has ${families.join(" and ")}` });
  }
  if (host === undefined) return errors;
  const network = protocol?.isSweep ? parseCidr(host) : undefined;
  if (network) return [...errors, ...networkErrors(host, network, locations)];
  const wrong = formError(host);
  if (wrong) return [{ path: "host", message: wrong }, ...errors];
  const isName = !isIPv4(host) && !isIPv6(host);
  if (!isName && family !== "auto" && familyOf(host) !== family)
    errors.push({ path: "family", message: `${show(host)} is not an ${family} address` });
  for (const { name, kind, families } of locations) {
    const refused = checkHost(host, kind);
    if (kind === "local" && isLinkLocal(host) && !host.includes("%"))
      errors.push({
        path: "host",
        message: `must have its zone, the interface behind which it lies, such as ${host}%eth0, got ${show(host)}`,
      });
    if (refused) errors.push({ path: "host", message: `${refused}, which the ${kind} location ${name} may not reach` });
    else if (!isName && !families.includes(familyOf(host)))
      errors.push({
        path: "host",
        message: `${show(host)} is ${familyOf(host)}, and ${name} has only ${families.join(" and ")}`,
      });
  }
  return errors;
};
