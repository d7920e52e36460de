/** Checks what monitors are said to depend on: that it exists, is quick enough, and that nothing depends on itself. */
import type { FieldError } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import type { MonitorSettings } from "../../../shared/model.ts";
import { holdSeconds, LONGEST_HOLD_SECONDS } from "../../../shared/monitor/timing.ts";
import { MOST_ANCESTORS, MOST_LEVELS } from "../../../shared/store/dependencies.ts";
import type { Deps } from "../deps.ts";

/** Reads monitors by id; those that do not exist are absent. */
export type Lookup = (ids: readonly string[]) => Promise<ReadonlyMap<string, MonitorSettings>>;

/** Reads monitors from the table. */
export const storedMonitors =
  ({ monitors }: Pick<Deps, "monitors">): Lookup =>
  async (ids) =>
    new Map([...(await monitors.getMany(ids))].filter(([, { deletedAt }]) => !deletedAt));

/** A way up from a monitor: ids and names of a parent, its parent and so on. */
interface Way {
  readonly id: string;
  readonly names: readonly string[];
}

type Named = Pick<MonitorSettings, "name" | "dependsOn"> & { readonly id: string };

/** Who depends on whom: the children of each monitor. */
export type Children = ReadonlyMap<string, readonly Way[]>;

export function childrenIn(monitors: Iterable<Named>): Children {
  const children = new Map<string, Way[]>();
  for (const { id, name, dependsOn } of monitors)
    for (const parent of dependsOn) {
      const own = children.get(parent) ?? [];
      own.push({ id, names: [name] });
      children.set(parent, own);
    }
  return children;
}

/** The longest chain of monitors that depend on a monitor: their names from the last one up to its child. */
function longestBelow(id: string, children: Children): readonly string[] {
  let longest: readonly string[] = [];
  let level: readonly Way[] = [{ id, names: [] }];
  // Of two monitors that depend on each other, each is below itself without end.
  for (let depth = 0; depth <= MOST_LEVELS && level.length > 0; depth++) {
    longest = level[0]!.names;
    const next = level.flatMap((way) =>
      (children.get(way.id) ?? []).map((child) => ({ id: child.id, names: [...child.names, ...way.names] })),
    );
    level = [...new Map(next.map((way) => [way.id, way])).values()];
  }
  return longest;
}

/**
 * Goes up from a parent.
 * @param below names of the longest chain that depends on the monitor `id`
 * @returns what is wrong with it as a parent of that monitor, or undefined
 */
async function wrongAbove(
  parent: Way,
  id: string,
  name: string,
  lookup: Lookup,
  below: readonly string[],
): Promise<string | undefined> {
  const seen = new Set<string>();
  let level: readonly Way[] = [parent];
  for (let depth = 1; level.length > 0; depth++) {
    const cycle = level.find((way) => way.id === id);
    if (cycle) return `would make a cycle: ${[...cycle.names, name].map(show).join(" depends on ")}`;
    const asked = level.filter((way) => !seen.has(way.id));
    for (const way of asked) seen.add(way.id);
    if (seen.size > MOST_ANCESTORS) return `has more than ${MOST_ANCESTORS} monitors above it`;
    const found = await lookup(asked.map((way) => way.id));
    const tooFar = depth > MOST_LEVELS - below.length && asked.find((way) => found.has(way.id));
    if (tooFar)
      return `makes a chain of more than ${MOST_LEVELS}: ${[...below, ...tooFar.names].map(show).join(" depends on ")}`;
    level = asked.flatMap((way) => {
      const one = found.get(way.id);
      return (one?.dependsOn ?? []).map((next) => ({ id: next, names: [...way.names, one!.name] }));
    });
  }
  return undefined;
}

/**
 * Errors of the parents that a monitor did not have before; one that it had and that was deleted meanwhile may stay.
 * @param before its stored settings, or those of the monitor it is copied from
 * @param base path of the monitor in the body, for messages
 */
export async function parentErrors(
  id: string,
  { name, dependsOn }: MonitorSettings,
  {
    lookup,
    children,
    before,
    base = "",
  }: {
    readonly lookup: Lookup;
    readonly children: () => Promise<Children>;
    readonly before?: MonitorSettings | undefined;
    readonly base?: string;
  },
): Promise<FieldError[]> {
  const added = dependsOn.filter((parent) => !before?.dependsOn.includes(parent));
  const found = added.length > 0 ? await lookup(added) : new Map<string, MonitorSettings>();
  const below = added.length > 0 ? longestBelow(id, await children()) : [];
  const errors: FieldError[] = [];
  for (const parent of added) {
    const settings = found.get(parent);
    const seconds = settings ? holdSeconds(settings) : 0;
    const wrong =
      parent === id
        ? "a monitor cannot depend on itself"
        : !settings
          ? `there is no monitor ${show(parent)}`
          : seconds > LONGEST_HOLD_SECONDS
            ? `${show(settings.name)} is too slow: its alert may take ${seconds} s (interval, failureThreshold, attempts, alerts.afterSeconds and 10 s), and a monitor waits at most ${LONGEST_HOLD_SECONDS} s for it`
            : await wrongAbove({ id: parent, names: [name] }, id, name, lookup, below);
    if (wrong)
      errors.push({ path: `${base ? `${base}.` : ""}dependsOn[${dependsOn.indexOf(parent)}]`, message: wrong });
  }
  return errors;
}

/** How long each of these monitors waits for the alerts of what it depends on, in seconds. */
export async function heldSecondsOf(
  { monitors }: Pick<Deps, "monitors">,
  all: readonly (Pick<MonitorSettings, "dependsOn"> & { readonly id: string })[],
): Promise<ReadonlyMap<string, number>> {
  const ids = [...new Set(all.flatMap(({ dependsOn }) => dependsOn))];
  const parents = ids.length > 0 ? await monitors.getMany(ids, false) : new Map();
  const secondsFor = (id: string) => {
    const parent = parents.get(id);
    return !parent || parent.paused || parent.deletedAt ? 0 : Math.min(holdSeconds(parent), LONGEST_HOLD_SECONDS);
  };
  return new Map(all.map(({ id, dependsOn }) => [id, Math.max(0, ...dependsOn.map(secondsFor))]));
}
