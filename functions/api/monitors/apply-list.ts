/**
 * Declarative list of monitors: `planList` compares a list with the stored monitors that have a key, `applyList` creates,
 * changes and deletes until they are equal. The whole list is validated before the first write. Each monitor is a write
 * of its own, so an interrupted call leaves no monitor half changed, and sending the same list again does the rest.
 */
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import type { MonitorSettings } from "../../../shared/model.ts";
import { isSame } from "../../../shared/monitor/settings.ts";
import { isSweep } from "../../../shared/protocols/sweeps.ts";
import { SPOTS_PER_JOB } from "../../../shared/rules/plan.ts";
import type { Author } from "../../../shared/store/audit.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import type { Deps } from "../deps.ts";
import type { Change, Recorder } from "../http/audit.ts";
import { refuseSweeps } from "../sweeps/permission.ts";
import { type Changes, changeOf, changesOf, creationOf, deletionOf } from "./changes.ts";
import type { Lookup } from "./dependencies.ts";
import { refuseMovedSecrets } from "./moved-secrets.ts";
import { knownIn, referenceErrors } from "./references.ts";
import { readMonitorSettings } from "./settings.ts";
import { affectsProbes, newMonitor } from "./with-settings.ts";
import { idOfKey, notifyProbes, placing, trySaveSettings } from "./write.ts";

/** Most errors that one answer lists. */
const MAX_ERRORS = 500;
/** Concurrent writes, and monitors placed together: as many as one spot job holds. */
const AT_ONCE = SPOTS_PER_JOB;
const READ_AT_ONCE = 200;

interface Wanted {
  readonly key: string;
  readonly id: string;
  readonly settings: MonitorSettings;
}

const keyOf = (document: unknown) => (document as { key?: unknown } | null)?.key;

/** A monitor that the list does not mention `paused` for keeps its pause. */
const withPause = (document: unknown, stored: StoredMonitor | undefined): unknown =>
  stored?.paused && typeof document === "object" && document !== null && !Object.hasOwn(document, "paused")
    ? { ...document, paused: true }
    : document;

/**
 * Validates the list. @param found the stored monitors by id
 * @throws InvalidInput that lists the errors of all monitors, with paths such as `monitors[3].port`
 */
const readList = (
  documents: readonly unknown[],
  found: ReadonlyMap<string, StoredMonitor>,
  { keepPaused, reader }: Planning,
  { locations, access }: Deps,
): Wanted[] => {
  const errors: FieldError[] = [];
  const wanted: Wanted[] = [];
  const seen = new Map<string, number>();
  for (const [index, document] of documents.entries()) {
    const at = `monitors[${index}]`;
    const key = keyOf(document);
    if (key === undefined || key === null)
      errors.push({ path: `${at}.key`, message: "is required here: it says which monitor is meant" });
    if (typeof key === "string") {
      const first = seen.get(key);
      if (first === undefined) seen.set(key, index);
      else errors.push({ path: `${at}.key`, message: `${show(key)} is also the key of monitors[${first}]` });
    }
    try {
      const present = typeof key === "string" ? found.get(idOfKey(key)) : undefined;
      const stored = present?.deletedAt ? undefined : present;
      const sent = keepPaused ? withPause(document, stored) : document;
      const settings = readMonitorSettings(sent, locations, { base: at, stored });
      errors.push(...access.settingsErrors(settings, at));
      if (stored) refuseMovedSecrets(reader, stored, settings, (document as { settings?: unknown }).settings, at);
      const { id } = document as { id?: unknown };
      if (settings.key && id !== undefined && id !== idOfKey(settings.key))
        errors.push({
          path: `${at}.id`,
          message: `is not the id of the monitor with this key, which is ${show(idOfKey(settings.key))}: leave it out`,
        });
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
  readonly updated: { readonly wanted: Wanted; readonly before: StoredMonitor; readonly changes: Changes }[];
  readonly unchanged: Named[];
  readonly deleted: StoredMonitor[];
  /** Ids among `created` whose previous monitor is still being deleted. */
  readonly beingDeleted: ReadonlySet<string>;
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

/**
 * Checks what the monitors of a list name; they may depend on others of the list.
 * @throws InvalidInput that names every wrong one
 */
async function refuseWrongReferencesIn(
  deps: Deps,
  wanted: readonly Wanted[],
  found: ReadonlyMap<string, StoredMonitor>,
): Promise<void> {
  const listed = new Map(wanted.map(({ id, settings }) => [id, settings]));
  const known = knownIn(deps, listed);
  const monitors: Lookup = async (ids) => {
    const others = await known.monitors(ids.filter((id) => !listed.has(id)));
    return new Map(ids.flatMap((id) => [[id, listed.get(id) ?? others.get(id)!] as const]).filter(([, one]) => one));
  };
  const errors: FieldError[] = [];
  for (const [index, { id, settings }] of wanted.entries()) {
    const present = found.get(id);
    const before = present?.deletedAt ? undefined : present;
    errors.push(
      ...(await referenceErrors({ ...known, monitors }, id, settings, { before, base: `monitors[${index}]` })),
    );
  }
  if (errors.length > 0) throw new InvalidInput(errors.slice(0, MAX_ERRORS));
}

interface Planning {
  /** Whether to delete those that are not in the list. */
  readonly prune: boolean;
  /** Whether a monitor stays paused if its entry does not say. */
  readonly keepPaused: boolean;
  /** The caller's token. */
  readonly reader: Token | null;
}

/** Validates the list and compares it with the stored monitors. @throws InvalidInput as `readList` */
export const planList = async (deps: Deps, documents: readonly unknown[], planning: Planning): Promise<Plan> => {
  const keys = documents.map(keyOf).filter((key) => typeof key === "string");
  const found = await deps.monitors.getMany([...new Set(keys.map(idOfKey))]);
  const wanted = readList(documents, found, planning, deps);
  const hidden = await deps.access.hidden(wanted.map(({ id }) => id));
  if (hidden.size > 0)
    throw new InvalidInput(
      wanted.flatMap(({ id, key }, index) =>
        hidden.has(id)
          ? [
              {
                path: `monitors[${index}].key`,
                message: `a monitor that this token does not see has the key ${show(key)}`,
              },
            ]
          : [],
      ),
    );
  await refuseWrongReferencesIn(deps, wanted, found);
  const storedOf = (id: string) => (found.get(id)?.deletedAt ? undefined : found.get(id));
  await refuseSweeps(
    deps,
    planning.reader,
    wanted.map(({ id, settings }) => ({ settings, before: storedOf(id) })),
  );
  const beingDeleted = new Set([...found.values()].filter(({ deletedAt }) => deletedAt).map(({ id }) => id));
  const made: Plan = { created: [], updated: [], unchanged: [], deleted: [], beingDeleted };
  for (const one of wanted) {
    const before = found.get(one.id);
    if (!before || before.deletedAt) made.created.push(one);
    else if (isSame(before, one.settings)) made.unchanged.push({ key: one.key, id: one.id });
    else made.updated.push({ wanted: one, before, changes: changesOf(before, one.settings) });
  }
  const ids = new Set(wanted.map(({ id }) => id));
  if (planning.prune) made.deleted.push(...(await keyed(deps)).filter(({ id }) => !ids.has(id)));
  return made;
};

export interface Updated extends Named {
  readonly changes: Changes;
}
export interface Applied {
  readonly created: Named[];
  readonly updated: Updated[];
  readonly unchanged: Named[];
  readonly deleted: Named[];
  /** Not reached in time, or changed concurrently: send the list again. */
  readonly remaining: Named[];
}

const named = ({ key, id }: { key: string | null; id: string }): Named => ({ key: key ?? "", id });

/** What `applyList` would do if no write were lost: the answer to a dry run. */
export const dryRunOf = ({ created, updated, unchanged, deleted, beingDeleted }: Plan): Applied => ({
  created: created.filter(({ id }) => !beingDeleted.has(id)).map(named),
  updated: updated.map(({ wanted, changes }) => ({ ...named(wanted), changes })),
  unchanged,
  deleted: deleted.map(named),
  remaining: created.filter(({ id }) => beingDeleted.has(id)).map(named),
});

/** Who applies the list, and the audit log. */
interface Recording {
  readonly by: Author;
  readonly record: Recorder;
}

/** Carries out a plan. @param isTime whether there is time for another round of writes */
export const applyList = async (
  deps: Deps,
  todo: Plan,
  { by, record }: Recording,
  isTime: () => boolean,
): Promise<Applied> => {
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

  const byLane = Map.groupBy(todo.created, ({ settings }) => `${settings.intervalSeconds} ${isSweep(settings)}`);
  for (const [, some] of byLane)
    await rounds(some, named, (round) => createRound(deps, round, applied, { by, record }));

  await rounds(
    todo.updated,
    ({ wanted }) => named(wanted),
    async (round) => {
      const toNotify: StoredMonitor[] = [];
      const audit: Change[] = [];
      await Promise.all(
        round.map(async ({ wanted, before, changes }) => {
          const saved = await trySaveSettings(deps, before, wanted.settings, by);
          if (saved) applied.updated.push({ ...named(wanted), changes });
          if (saved) audit.push(...changeOf(before, saved));
          else applied.remaining.push(named(wanted));
          if (saved && affectsProbes(before, wanted.settings)) toNotify.push(saved);
        }),
      );
      await record(audit);
      await notifyProbes(deps, toNotify);
    },
  );

  await rounds(todo.deleted, named, async (round) => {
    const audit: Change[] = [];
    await Promise.all(
      round.map(async (monitor) => {
        const isDone = await deps.monitors.markDeleted(monitor, deps.now());
        (isDone ? applied.deleted : applied.remaining).push(named(monitor));
        if (isDone) audit.push(deletionOf(monitor));
      }),
    );
    await record(audit);
    await notifyProbes(
      deps,
      round.map((monitor) => ({ ...monitor, deletedAt: deps.now().toISOString() })),
    );
  });
  return applied;
};

/** Creates monitors of one interval, all of them checked or all swept, placed together in as few shards as possible. */
const createRound = async (deps: Deps, round: readonly Wanted[], applied: Applied, { by, record }: Recording) => {
  const former = await deps.former.recall(round.map(({ id }) => id));
  const locations = [...new Set(round.flatMap(({ settings }) => settings.locations))];
  const toNotify: StoredMonitor[] = [];
  for (let next = 0; next < round.length; ) {
    const { settings: first } = round[next]!;
    const seats = await deps.shards.place(first.intervalSeconds, locations, round.length - next, isSweep(first));
    await Promise.all(
      round.slice(next, next + seats.count).map(async ({ id, key, settings }) => {
        const monitor = newMonitor(id, settings, { ...placing(deps, seats.shard, by), former: former.get(id) }, null);
        // False while a deleted monitor of this key still exists.
        const isDone = await deps.monitors.create(monitor, deps.now().getTime());
        (isDone ? applied.created : applied.remaining).push({ key, id });
        if (isDone) toNotify.push(monitor);
      }),
    );
    next += seats.count;
  }
  await record(toNotify.map(creationOf));
  await notifyProbes(deps, toNotify);
};
