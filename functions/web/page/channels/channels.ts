/** Channels, their kinds, and what they were told. */
import { signal } from "@preact/signals";
import type { Channel } from "../alerts-model.ts";
import { getAll } from "../api.ts";
import type { Configurable } from "../parts/settings-schema.ts";

/** A row of `GET /v1/channel-kinds`. */
export interface Kind extends Configurable {
  readonly name: string;
  readonly summary: string;
  readonly isSetUp: boolean;
  readonly needs: string | null;
}

export const loadChannels = (isPoll = false) => getAll<Channel>("/v1/channels?limit=200", { isPoll });

export const kinds = signal<readonly Kind[]>([]);

export const loadKinds = async (): Promise<void> => {
  if (kinds.peek().length === 0) kinds.value = await getAll<Kind>("/v1/channel-kinds");
};

export const kindNamed = (wanted: string) => kinds.value.find(({ name }) => name === wanted);
