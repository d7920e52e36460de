/** Routes `/v1/maintenance-windows`: create, list, read, change, end, extend and delete maintenance windows. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { InvalidInput } from "../../../../shared/errors.ts";
import { LONGEST_SECONDS } from "../../../../shared/rules/maintenance.ts";
import { fields, oneOf, whole } from "../../../../shared/schema.ts";
import type { StoredWindow } from "../../../../shared/store/alerting.ts";
import type { Deps } from "../../deps.ts";
import { parse } from "../../http/input.ts";
import { mergePatch } from "../../http/merge-patch.ts";
import { Problem } from "../../http/problem.ts";
import { pageOf } from "../../http/representations.ts";
import { type Call, type Reply, type Route, route } from "../../http/route.ts";
import { count, yes } from "../../http/schemas.ts";
import { changeOfKept } from "../../monitors/changes.ts";
import { decideTroubleAgain, editKept, etagOfKept, existingKept, ifMatchHeader } from "../kept.ts";
import { tellPages } from "../tell-pages.ts";
import {
  activeOf,
  changed,
  KEPT_MS,
  presentWindow,
  readWindow,
  SHOWN,
  type WindowInput,
  windowInput,
  windowPatch,
  windowView,
  withEnd,
} from "../window.ts";

/** Windows that have not ended; decisions read all at each batch. */
const MOST_WINDOWS = 1_000;
/** Occurrences of one window in a list: enough for a month of days, or four days of hours. */
const MOST_SHOWN = 100;
const WHAT = "maintenance window";

const one = {
  description: "The window; its `ETag` is for `If-Match`.",
  schema: windowView,
  headers: ["etag"],
} as const;
const answer = (window: StoredWindow, now: Date, status = 200, headers: Record<string, string> = {}): Reply => ({
  status,
  body: presentWindow(window, now),
  headers: { etag: etagOfKept(window), ...headers },
});

const isDeleted = ({ versions }: StoredWindow) => versions.at(-1)?.until !== null;

const existing = async ({ windows }: Deps, id: string): Promise<StoredWindow> => {
  const window = await existingKept(windows, id, WHAT);
  if (isDeleted(window)) throw new Problem("not-found", `the ${WHAT} ${id} was deleted`);
  return window;
};

const namedMonitors = async ({ monitors }: Deps, ids: readonly string[]): Promise<ReadonlySet<string>> =>
  new Set((await monitors.getMany(ids)).keys());

/** What the audit log compares. */
const settingsOf = ({ name, versions, ends }: StoredWindow) => {
  const { scope, schedule } = versions.at(-1)!;
  return { name, scope, schedule, ends };
};

type EditCall = Pick<Call<unknown, unknown>, "params" | "headers" | "record">;

/** Changes a window, and has what is wrong decided by it. @param edit makes the window that is stored instead */
const editWindow = async (call: EditCall, deps: Deps, edit: (before: StoredWindow) => Promise<StoredWindow>) => {
  const window = await editKept(WHAT, call, existing(deps, call.params.id ?? ""), async (before) => {
    const kept = await edit(before);
    const after = isDeleted(kept) ? null : settingsOf(kept);
    const changes = changeOfKept(kept, settingsOf(before), after);
    return { kept, changes, store: () => deps.windows.update(before, kept) };
  });
  await decideTroubleAgain(deps);
  return window;
};

type State = "active" | "upcoming" | "past";
function stateOf(window: ReturnType<typeof presentWindow>): State {
  if (window.active) return "active";
  return window.next.length > 0 ? "upcoming" : "past";
}

const createWindow = route({
  method: "POST",
  path: "/v1/maintenance-windows",
  operationId: "createMaintenanceWindow",
  summary: "Create a maintenance window",
  description:
    'Checks go on, and nobody is told of trouble while it lasts; what is still wrong at its end is told then. The end of an incident that was told before is told at once. To silence a monitor for two hours, send `{"name": "…", "monitorIds": ["…"], "schedule": {"kind": "once", "durationSeconds": 7200}}`. Subscribers of status pages are told of one that is `once`.',
  scope: "write",
  query: z.strictObject({
    dryRun: yes().describe("Only say what would be created, with its next occurrences; the id is of no window."),
  }),
  body: windowInput,
  sentBack: windowView,
  responses: {
    200: { description: "Of a dry run: the window that would be created.", schema: windowView },
    201: { ...one, description: "Created, at `Location`.", headers: ["etag", "location"] },
  },
  problems: ["already-exists"],
  handle: async ({ query: { dryRun }, body, record }, deps) => {
    const now = deps.now();
    const { name, scope, schedule } = readWindow(body, await namedMonitors(deps, body.monitorIds), now);
    const all = (await deps.windows.all()).filter((window) => !isDeleted(window));
    if (all.filter((window) => stateOf(presentWindow(window, now)) !== "past").length >= MOST_WINDOWS)
      throw new InvalidInput([
        { path: "", message: `there are ${MOST_WINDOWS} windows, which is the most: delete one` },
      ]);
    const at = now.toISOString();
    // A window that began before it was created says so: what was told meanwhile was told.
    const window: StoredWindow = {
      id: randomBytes(10).toString("hex"),
      name,
      versions: [{ scope, schedule, from: at, until: null }],
      ends: {},
      revision: 1,
      createdAt: at,
      updatedAt: at,
    };
    if (dryRun) {
      await record([]);
      return { body: presentWindow(window, now) };
    }
    await deps.windows.create(window);
    await tellPages(deps, window);
    await record(changeOfKept(window, null, settingsOf(window)));
    return answer(window, now, 201, { location: `/v1/maintenance-windows/${window.id}` });
  },
});

const listWindows = route({
  method: "GET",
  path: "/v1/maintenance-windows",
  operationId: "listMaintenanceWindows",
  summary: "List maintenance windows",
  description:
    "All of them: those that last now first, then by their next occurrence, then the past ones of the last 400 days.",
  scope: "read",
  query: z.strictObject({
    state: oneOf(["active", "upcoming", "past", "all"])
      .default("all")
      .describe("Which: those that last now, will occur again, or are over. Default `all`."),
    next: count(MOST_SHOWN, SHOWN, "How many of the next occurrences each shows"),
  }),
  responses: { 200: { description: "The windows.", schema: pageOf(windowView) } },
  handle: async ({ query: { state, next } }, { windows, now }) => {
    const at = now();
    const order = ["active", "upcoming", "past"];
    const items = (await windows.all())
      .filter((window) => !isDeleted(window))
      .map((window) => presentWindow(window, at, next))
      .filter((window) => state === "all" || stateOf(window) === state)
      .toSorted(
        (a, b) =>
          order.indexOf(stateOf(a)) - order.indexOf(stateOf(b)) ||
          (a.next[0]?.startsAt ?? "").localeCompare(b.next[0]?.startsAt ?? "") ||
          b.updatedAt.localeCompare(a.updatedAt),
      );
    return { body: { items, nextCursor: null } };
  },
});

const getWindow = route({
  method: "GET",
  path: "/v1/maintenance-windows/{id}",
  operationId: "getMaintenanceWindow",
  summary: "Read a maintenance window",
  scope: "read",
  responses: { 200: one },
  handle: async ({ params }, deps) => answer(await existing(deps, params.id ?? ""), deps.now()),
});

const updateWindow = route({
  method: "PATCH",
  path: "/v1/maintenance-windows/{id}",
  operationId: "updateMaintenanceWindow",
  summary: "Change a maintenance window",
  description: "Merges (RFC 7396); `schedule` is replaced as a whole. What it was until now stays in the history.",
  scope: "write",
  body: windowPatch,
  sentBack: windowView,
  checksBody: true,
  contentTypes: ["application/merge-patch+json", "application/json"],
  headers: ifMatchHeader,
  responses: { 200: one },
  handle: async (call, deps) => {
    const now = deps.now();
    const after = await editWindow(call, deps, async (before) => {
      parse(windowPatch, call.body);
      const { name, all, monitorIds, tags, schedule } = presentWindow(before, now);
      const sent = call.body as Readonly<Record<string, unknown>>;
      const merged = mergePatch({ name, all, monitorIds, tags, schedule }, { ...sent, schedule: undefined });
      const input: WindowInput = parse(windowInput, { ...(merged as object), schedule: sent.schedule ?? schedule });
      return changed(before, readWindow(input, await namedMonitors(deps, input.monitorIds), now), now);
    });
    return answer(after, now);
  },
});

const deleteWindow = route({
  method: "DELETE",
  path: "/v1/maintenance-windows/{id}",
  operationId: "deleteMaintenanceWindow",
  summary: "Delete a maintenance window",
  description: "It ends at once, and does not occur again. That it was stays in the history for 400 days.",
  scope: "write",
  headers: ifMatchHeader,
  responses: { 204: { description: "Deleted." } },
  handle: async (call, deps) => {
    const now = deps.now();
    const at = now.toISOString();
    await editWindow(call, deps, async (before) => ({
      ...before,
      versions: [...before.versions.slice(0, -1), { ...before.versions.at(-1)!, until: at }],
      revision: before.revision + 1,
      updatedAt: at,
      expiresAtSeconds: Math.ceil((now.getTime() + KEPT_MS) / 1000),
    }));
    return { status: 204 };
  },
});

/** Moves the end of the occurrence that lasts now. */
async function moveEnd(call: EditCall, deps: Deps, endOf: (endMs: number, nowMs: number) => number): Promise<Reply> {
  const now = deps.now();
  const after = await editWindow(call, deps, async (before) => {
    const active = activeOf(before, now.getTime());
    if (!active) throw new Problem("not-active", `the ${WHAT} ${before.id} does not last now`);
    const endMs = endOf(active.endMs, now.getTime());
    if (endMs - active.startMs > LONGEST_SECONDS * 1000)
      throw new InvalidInput([
        { path: "seconds", message: `must leave it at most ${LONGEST_SECONDS / 86_400} days long` },
      ]);
    return withEnd(before, active, endMs, now);
  });
  return answer(after, now);
}

const endWindow = route({
  method: "POST",
  path: "/v1/maintenance-windows/{id}/end",
  operationId: "endMaintenanceWindow",
  problems: ["not-active", "changed-meanwhile"],
  summary: "End a maintenance window early",
  description: "Ends the occurrence that lasts now; what is wrong is told at once. Later occurrences stay.",
  scope: "write",
  responses: { 200: one },
  handle: async (call, deps) => moveEnd(call, deps, (_, nowMs) => nowMs),
});

const extendWindow = route({
  method: "POST",
  path: "/v1/maintenance-windows/{id}/extend",
  operationId: "extendMaintenanceWindow",
  problems: ["not-active", "changed-meanwhile"],
  summary: "Extend a maintenance window",
  description: "The occurrence that lasts now ends so much later. Other occurrences stay.",
  scope: "write",
  body: fields({
    seconds: whole(60, LONGEST_SECONDS, " seconds").meta({ description: "How much later it ends.", example: 3600 }),
  }).meta({
    id: "ExtendWindow",
    description: "By how much to extend it.",
  }),
  responses: { 200: one },
  handle: async (call, deps) => moveEnd(call, deps, (endMs) => endMs + call.body.seconds * 1000),
});

export const maintenanceWindows: readonly Route[] = [
  createWindow,
  listWindows,
  getWindow,
  updateWindow,
  deleteWindow,
  endWindow,
  extendWindow,
];
