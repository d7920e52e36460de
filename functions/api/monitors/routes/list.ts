/** Route `GET /v1/monitors`: lists monitors. */
import { z } from "zod";
import { InvalidInput } from "../../../../shared/errors.ts";
import { show } from "../../../../shared/issues.ts";
import { chunksOf } from "../../../../shared/rules/plan.ts";
import type { StoredMonitor } from "../../../../shared/store/monitor-item.ts";
import { readReach } from "../../alerting/reach.ts";
import type { Deps } from "../../deps.ts";
import { pageBody, startOf, takePage } from "../../http/page.ts";
import { countedPageOf, listedMonitor } from "../../http/representations.ts";
import { route } from "../../http/route.ts";
import { page, yes } from "../../http/schemas.ts";
import { JSON_OR_YAML } from "../../http/yaml.ts";
import { around, selectingNow } from "../around.ts";
import { presentMonitor } from "../present.ts";
import { type Filters, inOrder, monitorFilters, type Sort, sortParameter } from "../select.ts";
import { idOfKey } from "../write.ts";

/** Monitors that are read at once to find those that reach nobody. */
const READ_AT_ONCE = 100;
/** After this time a page that has something is sent, even if it is short. */
const LATE_MS = 10_000;
const FIELDS = Object.keys(listedMonitor.shape);
/** Fields that take reads of the history. */
const FROM_HISTORY = ["lastCheckedAt", "latencyMs"];

const fieldsParameter = z.string().max(1000).optional().meta({
  description: "Names of fields, separated by commas: the answer has only these, and `id`. Without it, all.",
  example: "name,status,since",
});

const readFields = (text: string | undefined): readonly string[] => {
  const names = text?.split(",").map((name) => name.trim()) ?? FIELDS;
  const unknown = names.filter((name) => !FIELDS.includes(name));
  if (unknown.length > 0)
    throw new InvalidInput([
      { path: "fields", message: `there is no field ${unknown.map(show).join(", ")}; there are ${FIELDS.join(", ")}` },
    ]);
  return ["id", ...names];
};

/** By name, from the index, without reading what is not shown. */
async function* byName({ monitors }: Deps, limit: number, after?: string) {
  for (let position = after, ended = false; !ended; ) {
    const { items, next, positions } = await monitors.list(limit + 1, position);
    const present = items.filter(({ deletedAt }) => !deletedAt);
    yield present.map((item) => ({ item, position: positions.get(item.id) ?? "" }));
    ended = next === null;
    position = next ?? undefined;
  }
}

/** Rows that may match: found by key or by status where that reads fewer. */
const candidates = async ({ monitors, now }: Deps, { key = [], status = [] }: Filters) => {
  if (key.length > 0) return monitors.rowsOf(key.map(idOfKey));
  const isByStatus = status.length > 0 && !status.includes("maintenance");
  return isByStatus ? monitors.rowsWithStatus(status, now()) : monitors.rows(now());
};

interface Wanted {
  readonly filters: Filters;
  /** Only monitors whose alerts reach nobody. Rows do not tell: all that the filters leave are read. */
  readonly reachesNobody: boolean;
  readonly sort: Sort;
}

/** Filtered or in another order: selects among the rows of all, then reads the monitors that are shown. */
const selected = async (deps: Deps, { filters, reachesNobody, sort }: Wanted, limit: number, after?: string) => {
  const isWanted = await selectingNow(deps, filters);
  const rows = (await candidates(deps, filters)).filter(isWanted);
  const reach = reachesNobody ? await readReach(deps) : undefined;
  async function* batches() {
    for (const some of chunksOf(inOrder(rows, sort, after), reach ? READ_AT_ONCE : limit + 1)) {
      const found = await deps.monitors.getMany(some.map(({ id }) => id));
      const wanted = some.flatMap(({ id, position }) => {
        const item = found.get(id);
        return item && isWanted(item) ? { item, position } : [];
      });
      const isUnheard = reach && (await Promise.all(wanted.map(({ item }) => reach(item))));
      yield wanted.filter((_, index) => !isUnheard || isUnheard[index] === true);
    }
  }
  return { batches: batches(), total: reach ? null : rows.length };
};

export const listMonitors = route({
  method: "GET",
  path: "/v1/monitors",
  operationId: "listMonitors",
  summary: "List monitors",
  description:
    "A monitor that changes its place in the order while you page may come twice or not at all; all others come once. A page with very large items is shorter than `limit`; it is empty only if nothing matches.",
  scope: "read",
  query: z.strictObject({
    ...monitorFilters,
    reachesNobody: yes().describe(
      "Only those of whose trouble nobody would hear. All others that match are read for it, and not counted; a page that takes more than 10 s may be short.",
    ),
    sort: sortParameter,
    fields: fieldsParameter,
    ...page,
  }),
  responses: {
    200: {
      description: "A page of monitors.",
      schema: countedPageOf(listedMonitor),
      contentTypes: JSON_OR_YAML,
    },
  },
  handle: async ({ token, query: { limit, cursor, sort, fields, reachesNobody, ...filters } }, deps) => {
    const shown = readFields(fields);
    const question = JSON.stringify(["monitors", sort, filters, ...(reachesNobody ? ["reachesNobody"] : [])]);
    const start = startOf(cursor, question);
    const isFiltered = reachesNobody || Object.values(filters).some((filter) => filter?.length);
    const isWhole = sort === "name" && !isFiltered;
    const end = deps.now().getTime() + LATE_MS;
    const { batches, total } = isWhole
      ? { batches: byName(deps, limit, start?.position), total: start ? start.total : await deps.monitors.count() }
      : await selected(deps, { filters, reachesNobody, sort }, limit, start?.position);
    const { found, hasMore } = await takePage<StoredMonitor>(batches, limit, {
      isLate: () => reachesNobody && deps.now().getTime() > end,
    });
    const isChecked = FROM_HISTORY.some((name) => shown.includes(name));
    const aroundOf = await around(
      deps,
      found.map(({ item }) => item),
      isChecked,
    );
    const items = found.map(({ item, position }) => {
      const whole = presentMonitor(item, aroundOf(item), token);
      return { position, item: Object.fromEntries(Object.entries(whole).filter(([name]) => shown.includes(name))) };
    });
    return { body: pageBody({ found: items, hasMore }, total, question) };
  },
});
