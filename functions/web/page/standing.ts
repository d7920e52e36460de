/** What the frame says on every page: how many monitors are down, and what is wrong with the monitoring or this page. */
import { signal } from "@preact/signals";
import { get } from "./api.ts";
import { usePolling } from "./live.ts";
import type { Location, Page, Session } from "./model.ts";
import { COUNT_EVERY_MS, loadCounts } from "./monitors/overview.ts";
import { path } from "./router.ts";
import { session } from "./session.ts";

const SELDOM_MS = 60_000;

/** Locations whose checks do not count at present. */
export const troubledLocations = signal<readonly Location[]>([]);
/** Whether the server has another version of this page. */
export const isOutdated = signal(false);

/** Each build names its script by a hash: a shell that does not name ours is of another one. */
const isOtherVersion = async (): Promise<boolean> => {
  const own = document.querySelector('script[src*="/main-"]')?.getAttribute("src");
  const shell = await fetch("/", { cache: "no-cache" });
  return shell.ok && own != null && !(await shell.text()).includes(own);
};

const lookAtLocations = async () => {
  const { items } = await get<Page<Location>>("/v1/locations", { isPoll: true });
  troubledLocations.value = items.filter(({ condition }) => condition !== "working");
};

const look = async (isPoll: boolean) => {
  await lookAtLocations();
  // What else is asked for would hold up the first page, which has just read it.
  if (!isPoll) return;
  session.value = await get<Session>("/v1/session", { isPoll: true });
  isOutdated.value = await isOtherVersion();
};

/** The list reads the counts by itself. */
const isList = () => path.peek() === "/monitors" || path.peek() === "/";

/** Keeps all of it up to date while somebody is logged in. */
export const useStanding = (): void => {
  const who = session.value?.id;
  usePolling(
    async (isPoll) => {
      if (session.peek() && !isList()) await loadCounts(isPoll);
    },
    COUNT_EVERY_MS,
    [who],
  );
  usePolling(
    async (isPoll) => {
      if (session.peek()) await look(isPoll);
    },
    SELDOM_MS,
    [who],
  );
};
