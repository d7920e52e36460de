/** Says that this location works: its queue is served, and it reaches the table. */
import type { LocationStore } from "../../shared/store/locations.ts";

interface Dependencies {
  readonly location: string;
  readonly locations: LocationStore;
  readonly control: () => Promise<"online" | "offline">;
}

export const createHeartbeat =
  ({ location, locations, control }: Dependencies) =>
  /** @param at when the job was made, epoch seconds: a backlog must not look like health */
  async (at: number): Promise<void> => {
    const health = await locations.get(location);
    if (health?.offlineSince && (await control()) === "online") await locations.setOffline(location, null);
    await locations.beat(location, new Date(at * 1000).toISOString());
  };
