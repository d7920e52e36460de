/** Types of name resolution: answers of any source (hosts file, name server, C library) to a query for addresses. */
import { isIP, SocketAddress } from "node:net";
import type { Family } from "../model.ts";
import type { explainName } from "./failure.ts";

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

export type Answer =
  | { readonly kind: "found"; readonly addresses: readonly string[]; readonly ttlMs: number }
  | { readonly kind: ReturnType<typeof explainName> };

/** Which addresses to look up. `isAll`: of every family, not only the first found. `isOnly`: the monitor demands this family. */
export interface Wanted {
  readonly families: readonly Family[];
  readonly isAll: boolean;
  readonly isOnly: boolean;
}

export const FAMILY = { ipv4: 4, ipv6: 6 } as const;

export const isFound = ({ kind }: Answer): boolean => kind === "found";

export const addressesIn = (answers: readonly Answer[]): string[] =>
  answers.flatMap((answer) => (answer.kind === "found" ? answer.addresses : []));

export const withFamily = (address: string): Address => ({ address, family: isIP(address) === 6 ? 6 : 4 });

/** The 16-bit groups of an IPv6 address, "::" written out. */
function groupsOf(address: string): readonly string[] {
  const [head = [], tail] = address.split("::").map((half) => half.split(":").filter(Boolean));
  if (tail === undefined) return head;
  return [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
}

/** The network that an address belongs to as far as its owner is concerned: /24 of IPv4, /48 of IPv6 (RFC 6177). */
export function networkOf(address: string): string {
  if (isIP(address) === 4) return address.replace(/\d+$/, "0/24");
  const network = `${groupsOf(address).slice(0, 3).join(":")}::`;
  return `${new SocketAddress({ address: network, family: "ipv6" }).address}/48`;
}
