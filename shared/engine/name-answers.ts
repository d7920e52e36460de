/** Types of name resolution: answers of any source (hosts file, name server, C library) to a query for addresses. */
import { isIP } from "node:net";
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
