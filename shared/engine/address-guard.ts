/**
 * Which addresses a location may connect to. A public location must not become a way into what is around it: Lambda's
 * own runtime API lives on loopback, credentials on link-local addresses.
 */
import ipaddr from "ipaddr.js";
import type { Location } from "../model.ts";

export type LocationKind = Location["kind"];

/** @returns what is wrong with the address, for people; undefined when the location may use it */
export function refuseAddress(address: string, kind: LocationKind): string | undefined {
  if (kind === "local") return undefined;
  const parsed = ipaddr.process(address.replace(/%.*$/, ""));
  const range = parsed.range();
  if (range === "unicast") return undefined;
  if (kind === "vpc" && (range === "private" || range === "carrierGradeNat")) return undefined;
  return `${address} is a ${range} address`;
}
