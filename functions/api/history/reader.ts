/** A reader of history for one request. */
import { createHistoryReader } from "../../../shared/store/history-reader.ts";
import type { Deps } from "../deps.ts";

/** From every location that is configured or ever was: what it saw is kept for as long as everything else. */
export const historyReader = async ({
  history,
  locations,
  heartbeats,
  now,
}: Pick<Deps, "history" | "locations" | "heartbeats" | "now">) => {
  const ever = [...locations, ...(await heartbeats.all())].map(({ name }) => name);
  return createHistoryReader(history, [...new Set(ever)], now);
};
