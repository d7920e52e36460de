/** What asking for the addresses of a name comes to, whoever is asked. */
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

/** What is looked for. `isOnly`: the monitor asks for this one family. */
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
