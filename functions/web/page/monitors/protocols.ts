/** The protocols that there are. */
import { signal } from "@preact/signals";
import { get } from "../api.ts";
import type { Page } from "../model.ts";
import type { Configurable } from "../parts/settings-schema.ts";

export interface Protocol extends Configurable {
  readonly name: string;
  readonly summary: string;
  readonly transports: readonly string[];
  /** Null: the port must be named. 0: it sweeps many ports, which are a setting. */
  readonly defaultPort: number | null;
}

export const protocols = signal<readonly Protocol[]>([]);

export const loadProtocols = async (): Promise<void> => {
  if (protocols.peek().length > 0) return;
  const { items } = await get<Page<Protocol>>("/v1/protocols");
  protocols.value = items.toSorted((a, b) => a.title.localeCompare(b.title));
};

export const protocolNamed = (wanted: string) => protocols.peek().find(({ name }) => name === wanted);

/** Whether it watches many ports of a host or network. */
export const sweepsPorts = (wanted: string): boolean =>
  protocols.value.some(({ name, defaultPort }) => name === wanted && defaultPort === 0);

/** Protocols by which a port is usually spoken to; `tcp` and `udp` suit any. */
export const usualFor = (port: number): readonly Protocol[] =>
  protocols.value.filter(({ defaultPort }) => defaultPort === port);
