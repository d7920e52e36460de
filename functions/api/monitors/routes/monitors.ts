/** Routes `/v1/monitors`: create, read, change, delete, pause and resume monitors. */

import { z } from "zod";
import { InvalidInput } from "../../../../shared/errors.ts";
import { monitorInput, monitorPatch } from "../../../../shared/monitor/settings.ts";
import type { StoredMonitor } from "../../../../shared/store/monitor-item.ts";
import type { Token } from "../../../../shared/store/tokens.ts";
import { reachesNobody } from "../../alerting/reach.ts";
import type { Deps } from "../../deps.ts";
import { authorOf } from "../../http/audit.ts";
import { Problem } from "../../http/problem.ts";
import { monitorView } from "../../http/representations.ts";
import { type Reply, type Route, route } from "../../http/route.ts";
import { JSON_OR_YAML } from "../../http/yaml.ts";
import { refuseSweeps } from "../../sweeps/permission.ts";
import { around } from "../around.ts";
import { changeOf, creationOf, deletionOf } from "../changes.ts";
import { copiedSettings, patchedSettings } from "../patch.ts";
import { etagOf, presentMonitor } from "../present.ts";
import { readMonitorSettings } from "../settings.ts";
import {
  create,
  creationHash,
  existing,
  idOfKey,
  idOfRequest,
  notifyProbes,
  randomId,
  retryOnConflict,
  saveSettings,
} from "../write.ts";
import { listMonitors } from "./list.ts";

const answer = async (
  deps: Deps,
  token: Token | null,
  monitor: StoredMonitor,
  status = 200,
  headers: Record<string, string> = {},
): Promise<Reply> => {
  const [aroundOf, isUnheard] = await Promise.all([around(deps, [monitor]), reachesNobody(deps, monitor)]);
  return {
    status,
    body: { ...presentMonitor(monitor, aroundOf(monitor), token), reachesNobody: isUnheard },
    headers: { etag: etagOf(monitor), ...headers },
  };
};
const one = {
  description: "The monitor; its `ETag` is for `If-Match`.",
  schema: monitorView,
  headers: ["etag"],
  contentTypes: JSON_OR_YAML,
} as const;
const ifMatch = { "if-match": "The `ETag` you read: 412 when the settings changed since." };

const readIdempotencyKey = (key: string | undefined) => {
  if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key))
    throw new InvalidInput([
      { path: "Idempotency-Key", message: "must be 1 to 255 visible ASCII characters without spaces" },
    ]);
  return key;
};

const createMonitor = route({
  method: "POST",
  path: "/v1/monitors",
  operationId: "createMonitor",
  summary: "Create a monitor",
  description:
    "Its first check runs at once. With an `Idempotency-Key`, sending the same again answers with the monitor that the first request made. With `from`, the body may be `{}`.",
  scope: "deploy",
  query: z.strictObject({
    from: z.string().min(1).max(100).optional().meta({
      description:
        "Id of a monitor to copy, with its secrets and without its key; the body has what is to differ, as in a `PATCH`.",
      example: "7ca139c8bbaa9b19b116",
    }),
  }),
  body: monitorInput,
  checksBody: true,
  contentTypes: JSON_OR_YAML,
  headers: { "idempotency-key": "Your name for this request: it then makes one monitor, however often it arrives." },
  responses: {
    201: {
      ...one,
      description: "Created, at `Location`; or made earlier, by a request with this `Idempotency-Key`.",
      headers: ["etag", "location", "idempotent-replayed"],
    },
  },
  problems: ["sweep-not-allowed", "not-found", "already-exists", "being-deleted", "idempotency-key-reused"],
  handle: async ({ query: { from }, body, headers, token, record }, deps) => {
    const source = from === undefined ? undefined : await existing(deps, from);
    const settings = source
      ? copiedSettings(source, body, deps.locations, token)
      : readMonitorSettings(body, deps.locations);
    const key = readIdempotencyKey(headers["idempotency-key"]);
    const tokenId = token?.id ?? "";
    const creation = key === undefined ? null : creationHash(tokenId, key, from === undefined ? body : { from, body });
    const id = settings.key ? idOfKey(settings.key) : key === undefined ? randomId() : idOfRequest(tokenId, key);
    // A repeated request is answered before a shard is chosen, so it takes no place in one.
    const before = settings.key || key ? await deps.monitors.get(id) : undefined;
    if (!before) await refuseSweeps(deps, token, [{ settings }]);
    const created = before ? undefined : await create(deps, id, settings, { creation, by: authorOf(token), source });
    await record(created ? [creationOf(created)] : []);
    if (created) return answer(deps, token, created, 201, { location: `/v1/monitors/${id}` });
    const present = before ?? (await deps.monitors.get(id));
    if (!present || present.deletedAt)
      throw new Problem("being-deleted", "the monitor of this key is still being deleted: try again in a moment", {
        "retry-after": "2",
      });
    if (creation && present.creation === creation)
      return answer(deps, token, present, 201, { location: `/v1/monitors/${id}`, "idempotent-replayed": "true" });
    if (settings.key)
      throw new Problem(
        "already-exists",
        `monitor ${id} has the key "${settings.key}" already: change that one, or use PUT`,
      );
    throw new Problem("idempotency-key-reused", `monitor ${id} was made with this Idempotency-Key and another body`);
  },
});

const getMonitor = route({
  method: "GET",
  path: "/v1/monitors/{id}",
  operationId: "getMonitor",
  summary: "One monitor",
  scope: "read",
  responses: { 200: one },
  handle: async ({ params, token }, deps) => answer(deps, token, await existing(deps, params.id ?? "")),
});

const updateMonitor = route({
  method: "PATCH",
  path: "/v1/monitors/{id}",
  operationId: "updateMonitor",
  summary: "Change a monitor",
  description:
    "RFC 7396: fields you send replace, null brings the default back. What GET answered may be sent: fields that the server sets are ignored, and a masked secret stays as it is. A timeout, retries or port that you left to their defaults follow a changed interval or protocol. A change of what is checked starts the views anew.",
  scope: "deploy",
  body: monitorPatch,
  checksBody: true,
  contentTypes: ["application/merge-patch+json", ...JSON_OR_YAML],
  headers: ifMatch,
  responses: { 200: one },
  handle: async ({ params, body, headers, token, record }, deps) => {
    const next = (before: StoredMonitor) => patchedSettings(before, body, deps.locations, token);
    const done = await saveSettings(deps, params.id ?? "", headers["if-match"], next, token);
    await record(changeOf(done.before, done.saved));
    return answer(deps, token, done.saved);
  },
});

const deleteMonitor = route({
  method: "DELETE",
  path: "/v1/monitors/{id}",
  operationId: "deleteMonitor",
  summary: "Delete a monitor",
  description:
    "Its history stays until it expires. An open incident ends; the receivers of its alerts get the alert `closed`.",
  scope: "deploy",
  headers: ifMatch,
  responses: { 204: { description: "Deleted." } },
  handle: async ({ params, headers, record }, deps) => {
    const deleted = await retryOnConflict(deps, params.id ?? "", headers["if-match"], async (monitor) => {
      const now = deps.now();
      if (!(await deps.monitors.markDeleted(monitor, now))) return undefined;
      await notifyProbes(deps, [{ ...monitor, deletedAt: now.toISOString() }]);
      return monitor;
    });
    await record([deletionOf(deleted)]);
    return { status: 204 };
  },
});

const pausing = (verb: "pause" | "resume", summary: string) =>
  route({
    method: "POST",
    path: `/v1/monitors/{id}/${verb}`,
    operationId: `${verb}Monitor`,
    summary,
    scope: "deploy",
    headers: ifMatch,
    responses: { 200: one },
    handle: async ({ params, headers, token, record }, deps) => {
      const next = (before: StoredMonitor) => ({ ...before, paused: verb === "pause" });
      const done = await saveSettings(deps, params.id ?? "", headers["if-match"], next, token);
      await record(changeOf(done.before, done.saved));
      return answer(deps, token, done.saved);
    },
  });

export const monitors: readonly Route[] = [
  createMonitor,
  listMonitors,
  getMonitor,
  updateMonitor,
  deleteMonitor,
  pausing("pause", "Stop checking a monitor, and keep it"),
  pausing("resume", "Check a paused monitor again"),
];
