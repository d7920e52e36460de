/** Stores a heartbeat, which proves that this location's queue is served and that it reaches the table. */
import type { LocationStore } from "../../shared/store/locations.ts";

interface Dependencies {
  readonly location: string;
  readonly locations: LocationStore;
  readonly control: () => Promise<"online" | "offline">;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export const createHeartbeat =
  ({ location, locations, control, now }: Dependencies) =>
  /** @param at when the job was made, epoch seconds: a late job of a backlog does not count as a present heartbeat */
  (at: number): Promise<void> =>
    locations.beat(location, new Date(at * 1000), new Date(now()), async () => (await control()) === "online");
