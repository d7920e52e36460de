/** `PUT /v1/monitors` makes the monitors that have a key equal to a list; `GET /v1/monitors/export` writes that list. */
import { z } from "zod";
import { InvalidInput } from "../../../../shared/errors.ts";
import { expecting } from "../../../../shared/issues.ts";
import { authorOf } from "../../http/audit.ts";
import { Problem } from "../../http/problem.ts";
import { monitorId } from "../../http/representations.ts";
import { MAX_APPLY_BYTES, type Route, route } from "../../http/route.ts";
import { applyInput, inDocument, yes } from "../../http/schemas.ts";
import { JSON_OR_YAML } from "../../http/yaml.ts";
import { applyList, dryRunOf, planList } from "../apply-list.ts";
import { selectingNow } from "../around.ts";
import { changesView, shownChanges } from "../changes.ts";
import { exportList } from "../export-list.ts";
import { monitorFilters } from "../select.ts";
import { timeLeft } from "../time-left.ts";

const item = z
  .object({ key: z.string().meta({ description: "Your name for it.", example: "orders/db" }), id: monitorId })
  .meta({ id: "AppliedMonitor", description: "A monitor of the list." });
const named = z.array(item);
const applied = z
  .object({
    dryRun: z.boolean().meta({ description: "Whether this only says what would be done.", example: false }),
    created: named.describe("New ones."),
    updated: z
      .array(
        item
          .extend({ changes: changesView })
          .meta({ id: "UpdatedMonitor", description: "A monitor of the list, and what changes of it." }),
      )
      .describe("Changed ones."),
    unchanged: named.describe("Those that were like the list already."),
    deleted: named.describe("Those that were not in the list, with `prune`."),
    remaining: named.describe("Not reached in time, or changed meanwhile: send the same list again."),
  })
  .meta({
    id: "Applied",
    description: "What was done.",
    example: { updated: [], unchanged: [], deleted: [], remaining: [] },
  });

export const declarative: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/monitors/export",
    operationId: "exportMonitors",
    summary: "The monitors that have a key, as a list to apply",
    description:
      "The body that `PUT /v1/monitors` takes, in one answer. Settings that have their defaults are left out.",
    scope: "read",
    query: z.strictObject(monitorFilters),
    responses: { 200: { description: "The list.", schema: applyInput, contentTypes: JSON_OR_YAML } },
    handle: async ({ query, token }, deps) => ({
      body: await exportList(deps, await selectingNow(deps, query), token),
    }),
  }),
  route({
    method: "PUT",
    path: "/v1/monitors",
    operationId: "applyMonitors",
    summary: "Make monitors look like a list",
    description:
      "Each has a `key` and is given whole: a field that is left out gets its default, `paused` too unless `keepPaused`. Fields that the server sets are ignored, and a masked secret stays as it is, so the list may be what `GET /v1/monitors/export` answered. Nothing is written unless all of them are right. Monitors without a key are never touched.",
    scope: "deploy",
    body: applyInput,
    maxBodyBytes: MAX_APPLY_BYTES,
    query: z.strictObject({
      dryRun: yes().describe("Only say what would be done."),
      prune: yes().describe("Delete monitors that have a key and are not in the list."),
      force: yes().describe("With `prune`: allow an empty list, which deletes all monitors that have a key."),
      maxDeletes: z
        .string()
        .regex(/^\d{1,6}$/, { error: expecting("a whole number") })
        .transform(Number)
        .optional()
        .meta({
          description: "With `prune`: refuse the call if it would delete more monitors than this.",
          override: inDocument({ type: "integer", minimum: 0, maximum: 999_999, example: 10 }),
        }),
      keepPaused: yes().describe("Leave paused what is paused, unless its entry has `paused`."),
    }),
    contentTypes: JSON_OR_YAML,
    problems: ["too-many-deletes", "answer-too-large"],
    responses: {
      200: { description: "Done.", schema: applied, contentTypes: JSON_OR_YAML },
      202: {
        description: "Partly done: send the same again to continue.",
        schema: applied,
        contentTypes: JSON_OR_YAML,
      },
    },
    handle: async ({ body, query: { dryRun, prune, force, maxDeletes, keepPaused }, token, context, record }, deps) => {
      if (prune && !force && body.monitors.length === 0)
        throw new InvalidInput([
          {
            path: "force",
            message: "must be true with prune and an empty list: it deletes every monitor that has a key",
          },
        ]);
      const isTime = timeLeft(deps, context);
      const todo = await planList(deps, body.monitors, { prune, keepPaused, reader: token });
      if (maxDeletes !== undefined && todo.deleted.length > maxDeletes)
        throw new Problem(
          "too-many-deletes",
          `the list would delete ${todo.deleted.length} monitors, and maxDeletes is ${maxDeletes}: nothing was written`,
        );
      // Before the first round, so that a call that changes nothing is recorded as such.
      await record([]);
      const done = dryRun ? dryRunOf(todo) : await applyList(deps, todo, { by: authorOf(token), record }, isTime);
      const updated = done.updated.map((one) => ({ ...one, changes: shownChanges(one.changes, token) }));
      return { status: done.remaining.length > 0 ? 202 : 200, body: { dryRun, ...done, updated } };
    },
  }),
];
