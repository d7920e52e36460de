/**
 * Stores a heartbeat, which proves that this location's queue is served and that it reaches the table; and notes whether it
 * reaches its control targets. Ticks ask them only before a view turns down: a location all of whose monitors were down
 * already when it lost its network would count as working, and its views of back then as what it sees.
 */
import type { LocationStore } from "../../shared/store/locations.ts";
import type { Control } from "./control.ts";

interface Dependencies {
  readonly location: string;
  readonly locations: LocationStore;
  readonly control: Control;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export const createHeartbeat =
  ({ location, locations, control, now }: Dependencies) =>
  /** @param at when the job was made, epoch seconds: a late job of a backlog does not count as a present heartbeat */
  async (at: number): Promise<void> => {
    const state = await control(now());
    await locations.beat(location, new Date(at * 1000), new Date(now()), async () => state === "online");
    if (state === "offline") await locations.setOffline(location, new Date(now()).toISOString());
  };
