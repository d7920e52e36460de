/** `PUT /v1/monitors`: makes the monitors that have a key equal to a list. */
import { z } from "zod";
import { MAX_APPLY_BYTES, type Route, route } from "../../http/route.ts";
import { applyInput, yes } from "../../http/schemas.ts";
import { applyList, dryRunOf, planList, readList } from "../apply-list.ts";

/** Ends well before API Gateway gives up (30 s) and before the function does. */
const MAX_MS = 25_000;
const RESERVED_MS = 4_000;

const named = z.array(z.object({ key: z.string(), id: z.string() }));
const applied = z
  .object({
    dryRun: z.boolean(),
    created: named,
    updated: named,
    unchanged: named,
    deleted: named,
    remaining: named.describe("Not reached in time, or changed meanwhile: send the same list again."),
  })
  .meta({ id: "Applied" });

export const declarative: readonly Route[] = [
  route({
    method: "PUT",
    path: "/v1/monitors",
    operationId: "applyMonitors",
    summary: "Make monitors look like a list",
    description:
      "Each has a `key` and is given whole: a field that is left out gets its default, `paused` too. Nothing is written unless all of them are right. Monitors without a key are never touched.",
    scope: "deploy",
    body: applyInput,
    maxBodyBytes: MAX_APPLY_BYTES,
    query: z.strictObject({
      dryRun: yes().describe("Only say what would be done."),
      prune: yes().describe("Delete monitors that have a key and are not in the list."),
    }),
    responses: {
      200: { description: "Done.", schema: applied },
      202: { description: "Partly done: send the same again to continue.", schema: applied },
    },
    handle: async ({ body, query: { dryRun, prune }, context }, deps) => {
      const until = deps.now().getTime() + Math.min(MAX_MS, context.getRemainingTimeInMillis() - RESERVED_MS);
      const todo = await planList(deps, readList(body.monitors, deps), prune);
      const done = dryRun ? dryRunOf(todo) : await applyList(deps, todo, () => deps.now().getTime() < until);
      return { status: done.remaining.length > 0 ? 202 : 200, body: { dryRun, ...done } };
    },
  }),
];
