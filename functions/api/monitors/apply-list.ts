/**
 * Declarative apply: makes the monitors that have a key look like a list. Everything is validated before anything is
 * written. Each monitor is its own write, so being cut off leaves every one either as it was or as it should be, and
 * sending the same list again does the rest.
 */
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import type { MonitorSettings } from "../../../shared/model.ts";
import { isSame } from "../../../shared/monitor/settings.ts";
import { SPOTS_PER_JOB } from "../../../shared/rules/plan.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import type { Deps } from "../deps.ts";
import { announce, change, idOfKey, placing } from "./change.ts";
import { isForProbes, newMonitor } from "./revise.ts";
import { readMonitorSettings } from "./settings.ts";

/** Errors one answer names at most. */
const MAX_ERRORS = 500;
/** Writes under way at once, and monitors whose seats are taken together: one spot job's worth. */
const AT_ONCE = SPOTS_PER_JOB;
const READ_AT_ONCE = 200;

interface Wanted {
  readonly key: string;
  readonly id: string;
  readonly settings: MonitorSettings;
}

/** @throws InvalidInput with paths such as `monitors[3].port`, for all monitors at once */
export const readWanted = (documents: readonly unknown[], { locations }: Deps): Wanted[] => {
  const errors: FieldError[] = [];
  const wanted: Wanted[] = [];
  const seen = new Map<string, number>();
  for (const [index, document] of documents.entries()) {
    const at = `monitors[${index}]`;
    const key = (document as { key?: unknown } | null)?.key;
    if (key === undefined || key === null)
      errors.push({ path: `${at}.key`, message: "is required here: it says which monitor is meant" });
    if (typeof key === "string") {
      const first = seen.get(key);
      if (first === undefined) seen.set(key, index);
      else errors.push({ path: `${at}.key`, message: `${show(key)} is also the key of monitors[${first}]` });
    }
    try {
      const settings = readMonitorSettings(document, locations, { base: at });
      if (settings.key) wanted.push({ key: settings.key, id: idOfKey(settings.key), settings });
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      errors.push(...error.errors);
    }
  }
  if (errors.length > MAX_ERRORS)
    errors.splice(MAX_ERRORS, errors.length, { path: "", message: `and ${errors.length - MAX_ERRORS} more errors` });
  if (errors.length > 0) throw new InvalidInput(errors);
  return wanted;
};

type Named = Pick<Wanted, "key" | "id">;
interface Plan {
  readonly created: Wanted[];
  readonly updated: { readonly wanted: Wanted; readonly before: StoredMonitor }[];
  readonly unchanged: Named[];
  readonly deleted: StoredMonitor[];
  /** Ids among `created` whose monitor of before is still on its way out. */
  readonly leaving: ReadonlySet<string>;
}

const keyed = async ({ monitors }: Deps): Promise<StoredMonitor[]> => {
  const all: StoredMonitor[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await monitors.list(READ_AT_ONCE, after);
    all.push(...items.filter(({ key, deletedAt }) => key !== null && !deletedAt));
    after = next ?? undefined;
  } while (after);
  return all;
};

/** What has to be done, out of what is. */
export const plan = async (deps: Deps, wanted: readonly Wanted[], prune: boolean): Promise<Plan> => {
  const found = await deps.monitors.getMany(wanted.map(({ id }) => id));
  const leaving = new Set([...found.values()].filter(({ deletedAt }) => deletedAt).map(({ id }) => id));
  const made: Plan = { created: [], updated: [], unchanged: [], deleted: [], leaving };
  for (const one of wanted) {
    const before = found.get(one.id);
    if (!before || before.deletedAt) made.created.push(one);
    else if (isSame(before, one.settings)) made.unchanged.push({ key: one.key, id: one.id });
    else made.updated.push({ wanted: one, before });
  }
  const ids = new Set(wanted.map(({ id }) => id));
  if (prune) made.deleted.push(...(await keyed(deps)).filter(({ id }) => !ids.has(id)));
  return made;
};

export interface Applied {
  readonly created: Named[];
  readonly updated: Named[];
  readonly unchanged: Named[];
  readonly deleted: Named[];
  /** What was not reached in time, or changed while we worked: send the list again. */
  readonly remaining: Named[];
}

const named = ({ key, id }: { key: string | null; id: string }): Named => ({ key: key ?? "", id });

export const foretell = ({ created, updated, unchanged, deleted, leaving }: Plan): Applied => ({
  created: created.filter(({ id }) => !leaving.has(id)).map(named),
  updated: updated.map(({ wanted }) => named(wanted)),
  unchanged,
  deleted: deleted.map(named),
  remaining: created.filter(({ id }) => leaving.has(id)).map(named),
});

/** @param isTime whether there is time for another round of writes */
export const apply = async (deps: Deps, todo: Plan, isTime: () => boolean): Promise<Applied> => {
  const applied: Applied = { created: [], updated: [], unchanged: todo.unchanged, deleted: [], remaining: [] };
  const rounds = async <T>(
    items: readonly T[],
    name: (item: T) => Named,
    act: (some: readonly T[]) => Promise<void>,
  ) => {
    for (let start = 0; start < items.length; start += AT_ONCE) {
      if (!isTime()) {
        applied.remaining.push(...items.slice(start).map(name));
        return;
      }
      await act(items.slice(start, start + AT_ONCE));
    }
  };

  const byLane = Map.groupBy(todo.created, ({ settings }) => settings.intervalSeconds);
  for (const [, some] of byLane) await rounds(some, named, (round) => createRound(deps, round, applied));

  await rounds(
    todo.updated,
    ({ wanted }) => named(wanted),
    async (round) => {
      const told: StoredMonitor[] = [];
      await Promise.all(
        round.map(async ({ wanted, before }) => {
          const changed = await change(deps, before, wanted.settings);
          (changed ? applied.updated : applied.remaining).push(named(wanted));
          if (changed && isForProbes(before, wanted.settings)) told.push(changed);
        }),
      );
      await announce(deps, told);
    },
  );

  await rounds(todo.deleted, named, async (round) => {
    await Promise.all(
      round.map(async (monitor) => {
        const isDone = await deps.monitors.markDeleted(monitor, deps.now());
        (isDone ? applied.deleted : applied.remaining).push(named(monitor));
      }),
    );
    await announce(
      deps,
      round.map((monitor) => ({ ...monitor, deletedAt: deps.now().toISOString() })),
    );
  });
  return applied;
};

/** Monitors of one lane, with seats taken together. */
const createRound = async (deps: Deps, round: readonly Wanted[], applied: Applied) => {
  const former = await deps.former.recall(round.map(({ id }) => id));
  const locations = [...new Set(round.flatMap(({ settings }) => settings.locations))];
  const told: StoredMonitor[] = [];
  for (let next = 0; next < round.length; ) {
    const lane = round[next]?.settings.intervalSeconds ?? 60;
    const seats = await deps.shards.place(lane, locations, round.length - next);
    await Promise.all(
      round.slice(next, next + seats.count).map(async ({ id, key, settings }) => {
        const monitor = newMonitor(id, settings, { ...placing(deps, seats.shard), former: former.get(id) }, null);
        // One of this key may still be on its way out.
        const isDone = await deps.monitors.create(monitor, deps.now().getTime());
        (isDone ? applied.created : applied.remaining).push({ key, id });
        if (isDone) told.push(monitor);
      }),
    );
    next += seats.count;
  }
  await announce(deps, told);
};
