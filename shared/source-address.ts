/** Names the source of a request, for limits by source. */
import ipaddr from "ipaddr.js";

/** An IPv6 network of 64 bits counts as one source: its owner has all of its addresses. */
export const sourceOf = (ip: string): string => {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  return address.kind() === "ipv4" ? ip : `${address.toNormalizedString().split(":").slice(0, 4).join(":")}::/64`;
};
