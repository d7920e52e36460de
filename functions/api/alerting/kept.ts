/** What the routes of policies, maintenance windows and channels share: reading, changing with `If-Match`, and telling decisions of it. */
import { show } from "../../../shared/issues.ts";
import { inParallel } from "../../../shared/parallel.ts";
import type { Deps } from "../deps.ts";
import { matchesTag } from "../http/answer.ts";
import type { Change } from "../http/audit.ts";
import { Problem } from "../http/problem.ts";
import type { Call } from "../http/route.ts";

interface Kept {
  readonly id: string;
  readonly revision: number;
}

export const etagOfKept = ({ revision }: Kept) => `"${revision}"`;

export const ifMatchHeader = { "if-match": "The `ETag` you read: 412 when it changed since." };

/** @throws Problem `not-found` */
export async function existingKept<T extends Kept>(
  store: { get(id: string): Promise<T | undefined> },
  id: string,
  what: string,
): Promise<T> {
  const found = await store.get(id);
  if (!found) throw new Problem("not-found", `there is no ${what} ${show(id)}`);
  return found;
}

/** @throws Problem `stale-etag` */
function refuseStale(ifMatch: string | undefined, kept: Kept, what: string): void {
  const etag = etagOfKept(kept);
  if (ifMatch === undefined || matchesTag(ifMatch, etag)) return;
  throw new Problem("stale-etag", `the ${what}'s ETag is ${etag} by now: read it again`, { etag });
}

const changedMeanwhile = (what: string) =>
  new Problem("changed-meanwhile", `the ${what} was changed at the same time: read it and try again`, {
    "retry-after": "1",
  });

/** A change to be made. */
interface Edit<T> {
  readonly kept: T;
  /** For the audit log; empty if nothing changes. */
  readonly changes: readonly Change[];
  /** @returns false if somebody else has changed it since it was read */
  readonly store: () => Promise<boolean>;
}

/**
 * Changes one: reads it, compares `If-Match`, and logs what was changed. Writes nothing if nothing changes.
 * @throws Problem if it is gone, or was changed since the caller or this call read it
 */
export async function editKept<T extends Kept>(
  what: string,
  { headers, record }: Pick<Call<unknown, unknown>, "headers" | "record">,
  find: Promise<T>,
  edit: (before: T) => Promise<Edit<T>>,
): Promise<T> {
  const before = await find;
  refuseStale(headers["if-match"], before, what);
  const { kept, changes, store } = await edit(before);
  if (changes.length > 0 && !(await store())) throw changedMeanwhile(what);
  await record(changes);
  return changes.length > 0 ? kept : before;
}

const NUDGES_AT_ONCE = 16;

/**
 * Has every monitor that is not up decided again, because who is told, or whether, may be different now. A failure is logged
 * and not thrown: compact does the same once an hour.
 */
export async function decideTroubleAgain({ monitors, due, now, logger }: Deps): Promise<void> {
  try {
    for await (const page of monitors.notUp())
      await inParallel(page, NUDGES_AT_ONCE, async (key) => void (await due.nudge(key, now().getTime())));
  } catch (error) {
    logger.warn("monitors that are not up could not be touched", { error: error as Error });
  }
}
