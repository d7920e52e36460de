/** Routes `/v1/incidents` and `/v1/monitors/{id}/incidents`: incidents, newest first. */
import { z } from "zod";
import { oneOf } from "../../../../shared/schema.ts";
import type { Page } from "../../../../shared/store/cursor.ts";
import {
  answers,
  type IncidentQuestion,
  incidentPosition,
  type RecordedIncident,
} from "../../../../shared/store/incidents.ts";
import type { Token } from "../../../../shared/store/tokens.ts";
import type { Deps } from "../../deps.ts";
import { rangeFields, readRange } from "../../history/range.ts";
import { pageBody, startOf, takePage } from "../../http/page.ts";
import { countedPageOf, incidentItem, severity } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { page } from "../../http/schemas.ts";
import { presentRecorded } from "../../monitors/present.ts";
import { selecting, tagFilter } from "../../monitors/select.ts";
import { withHistory } from "../../monitors/write.ts";
import { existingIncident } from "../existing.ts";
import { noteView, presentNote } from "../note.ts";

const READ_AT_ONCE = 200;
/** Incidents that a call with filters reads to count them: 2,000. */
const COUNTED_BATCHES = 10;
/** After this time a page that has something is sent, even if it is short. */
const LATE_MS = 10_000;

const WHEN = "ISO 8601, a time before now such as `-7d`, or seconds since 1970";
const { from, to } = rangeFields("");
const filters = {
  state: oneOf(["open", "closed", "all"]).default("all").describe("`open` while they last."),
  severity: z
    .array(severity)
    .max(2)
    .default([])
    .meta({ description: "One of these; may be given twice.", example: ["down"] }),
  from: from.describe(`The first moment at which they may have begun: ${WHEN}. Default: no limit.`),
  to: to.describe(`The moment before which they began: ${WHEN}. Default: now.`),
};
type Filters = z.output<z.ZodObject<typeof filters>>;
const responses = { 200: { description: "A page of incidents, newest first.", schema: countedPageOf(incidentItem) } };

const questionOf = (query: Filters, now: Date): IncidentQuestion => {
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  const range = readRange(query, now, Math.floor(now.getTime() / 1000));
  return {
    state: query.state,
    from: query.from && iso(range.from),
    to: query.to && iso(range.to),
  };
};

type Select = (incidents: RecordedIncident[]) => Promise<RecordedIncident[]>;

/** Keeps the incidents of the severities and monitors asked for. Tags are those of now: monitors that are gone have none. */
const selector = ({ monitors }: Deps, { severity: severities, monitorId, tag = [] }: Asked): Select => {
  const isTagged = new Map<string, boolean>();
  const isWanted = selecting({ tag });
  return async (incidents) => {
    const some = incidents.filter(
      (incident) =>
        (severities.length === 0 || severities.includes(incident.severity)) &&
        (monitorId === undefined || incident.monitorId === monitorId),
    );
    if (tag.length === 0) return some;
    const unknown = some.map((incident) => incident.monitorId).filter((id) => !isTagged.has(id));
    for (const row of await monitors.rowsOf(unknown)) isTagged.set(row.id, isWanted(row));
    return some.filter((incident) => isTagged.get(incident.monitorId));
  };
};

/** All pages of a list from a position on. */
async function* pagesFrom(
  read: (before?: string) => Promise<Page<RecordedIncident>>,
  select: Select,
  position: string | undefined,
) {
  for (let before = position, ended = false; !ended; ) {
    const { items, next } = await read(before);
    yield (await select(items)).map((item) => ({ item, position: incidentPosition(item) }));
    ended = next === null;
    before = next ?? undefined;
  }
}

/** The start in a position, by which the incidents of one monitor are read. */
const startIn = (position: string | undefined) => position?.slice(0, position.indexOf("#"));

interface Asked extends Filters {
  readonly id?: readonly string[];
  readonly monitorId?: string | undefined;
  readonly tag?: readonly string[];
}

/** Reads a page of the incidents that may be those asked for, from where there are the fewest. */
const readerOf =
  ({ incidents }: Deps, { id = [], monitorId }: Asked, asked: IncidentQuestion, most: number) =>
  async (before?: string): Promise<Page<RecordedIncident>> => {
    if (id.length > 0) {
      const found = (await incidents.getMany(id)).filter((incident) => answers(asked, incident));
      const items = found.filter((incident) => before === undefined || incidentPosition(incident) < before);
      return { items: items.toSorted((a, b) => (incidentPosition(a) < incidentPosition(b) ? 1 : -1)), next: null };
    }
    if (monitorId === undefined) return incidents.list(asked, most, before);
    const { items, next } = await incidents.listOf(monitorId, most, startIn(before), asked);
    return { items, next: next && `${next}#${monitorId}` };
  };

const answerList = async (
  deps: Deps,
  query: Asked,
  reader: Token | null,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
) => {
  const { id = [], monitorId, tag = [] } = query;
  const question = JSON.stringify(["incidents", query]);
  const start = startOf(cursor, question);
  const asked = questionOf(query, deps.now());
  const select = selector(deps, query);
  const isSelective = query.severity.length > 0 || tag.length > 0;
  const isCountedByIndex = !isSelective && id.length === 0 && monitorId === undefined;
  const counted = start ? start.total : isCountedByIndex ? await deps.incidents.count(asked) : undefined;

  const end = deps.now().getTime() + LATE_MS;
  const read = readerOf(deps, query, asked, isCountedByIndex ? limit + 1 : READ_AT_ONCE);
  const { total, ...taken } = await takePage(pagesFrom(read, select, start?.position), limit, {
    countedBatches: counted === undefined ? COUNTED_BATCHES : 0,
    isLate: () => deps.now().getTime() > end,
  });
  const found = taken.found.map(({ item, position }) => ({ item: presentRecorded(item, reader), position }));
  return { body: pageBody({ ...taken, found }, counted === undefined ? total : counted, question) };
};

const listIncidents = route({
  method: "GET",
  path: "/v1/incidents",
  operationId: "listIncidents",
  summary: "Incidents of all monitors",
  description:
    "All conditions must hold. Also of monitors that are deleted, but for `tag`. The total is null if there are more than 2,000 to look at for it. A page that takes more than 10 s may be short.",
  scope: "read",
  query: z.strictObject({
    ...filters,
    id: z
      .array(z.string().max(100))
      .max(100)
      .default([])
      .meta({
        description: "One of these ids; may be given several times.",
        example: ["7ca139c8bbaa9b19b116.1795341600000"],
      }),
    monitorId: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .meta({ description: "Of this monitor.", example: "7ca139c8bbaa9b19b116" }),
    tag: tagFilter.describe("Of monitors that have this tag now: `name` or `name=value`; all must hold."),
    ...page,
  }),
  responses,
  handle: async ({ token, query: { limit, cursor, ...query } }, deps) =>
    answerList(deps, query, token, { limit, cursor }),
});

const incidentDetails = incidentItem
  .extend({ notes: z.array(noteView).describe("What people wrote on it, the oldest first.") })
  .meta({ id: "IncidentDetails", description: "An incident with its monitor and its notes." });

const getIncident = route({
  method: "GET",
  path: "/v1/incidents/{id}",
  operationId: "getIncident",
  summary: "One incident",
  scope: "read",
  responses: { 200: { description: "The incident.", schema: incidentDetails } },
  handle: async ({ token, params: { id = "" } }, deps) => {
    const incident = await existingIncident(deps, id);
    const notes = await deps.notes.of(incident.id);
    return { body: { ...presentRecorded(incident, token), notes: notes.map(presentNote) } };
  },
});

const listIncidentsOfMonitor = route({
  method: "GET",
  path: "/v1/monitors/{id}/incidents",
  operationId: "listMonitorIncidents",
  summary: "Incidents of one monitor",
  scope: "read",
  query: z.strictObject({ ...filters, ...page }),
  responses,
  handle: async ({ params, token, query: { limit, cursor, ...query } }, deps) => {
    const { id } = await withHistory(deps, params.id ?? "");
    return answerList(deps, { ...query, monitorId: id }, token, { limit, cursor });
  },
});

export const incidents: readonly Route[] = [listIncidents, getIncident, listIncidentsOfMonitor];
