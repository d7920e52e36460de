import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import type { CheckSettings, Family } from "../model.ts";
import type { Failure } from "./failure.ts";

export interface Resolved {
  readonly addresses: readonly { readonly address: string; readonly family: 4 | 6 }[];
  /** Addresses of families that this location does not reach. */
  readonly skipped: readonly string[];
  readonly dnsMs?: number;
}

export interface Names {
  resolve(check: Pick<CheckSettings, "host" | "family" | "addresses">, timeoutMs: number): Promise<Resolved | Failure>;
}

export function createNames(_: { families: readonly Family[] }): Names {
  const resolver = new Resolver();
  return {
    async resolve({ host }) {
      const family = isIP(host);
      if (family) return { addresses: [{ address: host, family: family as 4 | 6 }], skipped: [] };
      if (host === "localhost") return { addresses: [{ address: "127.0.0.1", family: 4 }], skipped: [], dnsMs: 0 };
      const found = await resolver.resolve4(host);
      return { addresses: found.map((address) => ({ address, family: 4 as const })), skipped: [], dnsMs: 0 };
    },
  };
}
