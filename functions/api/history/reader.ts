/** Creates a history reader for one request. */
import { createHistoryReader } from "../../../shared/store/history-reader.ts";
import type { Deps } from "../deps.ts";

/** Includes locations that are no longer configured, because their history is kept. */
export const historyReader = async ({
  history,
  locations,
  heartbeats,
  now,
}: Pick<Deps, "history" | "locations" | "heartbeats" | "now">) => {
  const ever = [...locations, ...(await heartbeats.all())].map(({ name }) => name);
  return createHistoryReader(history, [...new Set(ever)], now);
};
