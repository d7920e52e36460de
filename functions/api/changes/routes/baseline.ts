/** Routes of a monitor's baseline: what its service is expected to say of itself, to be read, set by hand and learned anew. */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { contentHash } from "../../../../shared/etag.ts";
import { factExpectations } from "../../../../shared/monitor/change-watch.ts";
import type { Baseline } from "../../../../shared/rules/changes.ts";
import { fields } from "../../../../shared/schema.ts";
import type { StoredMonitor } from "../../../../shared/store/monitor-item.ts";
import { ifMatchHeader } from "../../alerting/kept.ts";
import { matchesTag } from "../../http/answer.ts";
import { Problem } from "../../http/problem.ts";
import { type Reply, type Route, route } from "../../http/route.ts";
import { existing } from "../../monitors/write.ts";
import { accepting, editBaseline } from "../edit.ts";

const EXAMPLE = { "http.server": ["nginx"] };

const baselineView = z
  .object({
    learned: z
      .array(z.string())
      .meta({ description: "Locations whose first checks are in it.", example: ["eu-west-1"] }),
    values: z.record(z.string(), z.array(z.string())).meta({
      description:
        "Expected values by fact. An empty text: the fact may be missing. No values: there are too many, and the fact is not watched.",
      example: EXAMPLE,
    }),
    openChanges: z.int().meta({ description: "Changes that wait to be accepted.", example: 0 }),
  })
  .meta({ id: "Baseline", description: "What a service is expected to say of itself." });

const baselineInput = fields({
  values: factExpectations().meta({
    description: "Expected values by fact. An empty text: the fact may be missing.",
    example: EXAMPLE,
  }),
}).meta({ id: "BaselineInput", description: "What a service is expected to say of itself from now on." });

const valuesOf = ({ baseline }: StoredMonitor) => baseline?.values ?? {};
const etagOf = (monitor: StoredMonitor) => `"${contentHash(JSON.stringify(valuesOf(monitor)))}"`;

const answer = (monitor: StoredMonitor): Reply => {
  const { learned = [], changes = {}, further = 0 } = monitor.baseline ?? {};
  const waiting = Object.values(changes).filter(({ accepted }) => !accepted);
  return {
    body: { learned, values: valuesOf(monitor), openChanges: waiting.length + further },
    headers: { etag: etagOf(monitor) },
  };
};

const refuseStale = (ifMatch: string | undefined, monitor: StoredMonitor) => {
  const etag = etagOf(monitor);
  if (ifMatch !== undefined && !matchesTag(ifMatch, etag))
    throw new Problem("stale-etag", `the baseline's ETag is ${etag} by now: read it again`, { etag });
};

const getBaseline = route({
  method: "GET",
  path: "/v1/monitors/{id}/baseline",
  operationId: "getBaseline",
  summary: "What a monitor's service is expected to say of itself",
  description:
    "Learned from the first three checks of each location, and from changes that were accepted or recorded; or as `changeWatch.expect` says.",
  scope: "read",
  responses: {
    200: { description: "The baseline; empty until it is learned.", schema: baselineView, headers: ["etag"] },
  },
  handle: async ({ params: { id = "" } }, deps) => answer(await existing(deps, id)),
});

const applyBaseline = route({
  method: "PUT",
  path: "/v1/monitors/{id}/baseline",
  operationId: "applyBaseline",
  summary: "Set what a monitor's service is expected to say of itself",
  description:
    "Replaces all values. Open changes whose value is among them are accepted; what the service says and is not among them becomes a change. Values of `changeWatch.expect` stay expected. Nothing more is learned from the monitor's present locations.",
  scope: "write",
  body: baselineInput,
  sentBack: baselineView,
  headers: ifMatchHeader,
  problems: ["not-active"],
  responses: { 200: { description: "The baseline.", schema: baselineView, headers: ["etag"] } },
  handle: ({ params: { id = "" }, body: { values }, headers, token, record }, deps) =>
    editBaseline(deps, id, async (monitor, now) => {
      refuseStale(headers["if-match"], monitor);
      const { protocol, host, port, locations, changeWatch, name } = monitor;
      if (changeWatch.mode === "off")
        throw new Problem("not-active", "changes of this monitor are not watched: set changeWatch.mode first");
      const before: Baseline = monitor.baseline ?? {
        target: { protocol, host, port },
        learned: [],
        values: {},
        changes: {},
        further: 0,
        advisory: null,
      };
      const isAccepted = (changeId: string) => {
        const { key, value } = before.changes[changeId]!;
        return values[key]?.includes(value) ?? false;
      };
      const {
        isForgotten: _taken,
        untold: _known,
        watched: _former,
        ...baseline
      } = {
        ...accepting(before, isAccepted, { at: now.toISOString(), by: token?.name ?? "", note: null }),
        learned: [...new Set([...before.learned, ...locations])],
        values,
      };
      const isSame = isDeepStrictEqual(baseline, monitor.baseline);
      return {
        baseline: isSame ? null : baseline,
        record: () =>
          record(isSame ? [] : [{ resource: id, name, changes: { baseline: [valuesOf(monitor), values] } }]),
        done: answer({ ...monitor, baseline }),
      };
    }),
});

const deleteBaseline = route({
  method: "DELETE",
  path: "/v1/monitors/{id}/baseline",
  operationId: "deleteBaseline",
  summary: "Learn anew what a monitor's service says of itself",
  description:
    "What the service says now is expected from then on. Open changes end, and those who were told of them are told so.",
  scope: "write",
  headers: ifMatchHeader,
  responses: { 204: { description: "It is learned anew." } },
  handle: ({ params: { id = "" }, headers, record }, deps) =>
    editBaseline(deps, id, async (monitor) => {
      refuseStale(headers["if-match"], monitor);
      const { baseline, name } = monitor;
      const isSame = baseline === null || baseline.isForgotten === true;
      return {
        baseline: isSame ? null : { ...baseline, isForgotten: true },
        record: () => record(isSame ? [] : [{ resource: id, name, changes: { baseline: [valuesOf(monitor), null] } }]),
        done: { status: 204 },
      };
    }),
});

export const baselines: readonly Route[] = [getBaseline, applyBaseline, deleteBaseline];
