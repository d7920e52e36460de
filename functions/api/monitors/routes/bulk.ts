/** `POST /v1/monitors/bulk`: one action on many monitors, by ids or by a filter. */
import { z } from "zod";
import { type FieldError, InvalidInput } from "../../../../shared/errors.ts";
import { protocolName } from "../../../../shared/monitor/fields.ts";
import { fields, flag, list, oneOf, text } from "../../../../shared/schema.ts";
import type { Token } from "../../../../shared/store/tokens.ts";
import type { Deps } from "../../deps.ts";
import { fieldError, monitorId, monitorName, problemCode, status } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { JSON_OR_YAML } from "../../http/yaml.ts";
import { selectingNow } from "../around.ts";
import { ACTIONS, runBulk } from "../bulk.ts";
import { changesView } from "../changes.ts";
import { patchErrors } from "../patch.ts";
import { tagText } from "../select.ts";
import { timeLeft } from "../time-left.ts";
import { spend } from "./checks.ts";

/** As many ids as fit a body; what time does not allow remains. */
const MOST_IDS = 10_000;
const READ_AT_ONCE = 200;

const someOf = <S extends z.ZodType>(item: S, what: string) =>
  list(item, 50, what)
    .min(1, { error: `must name at least one; leave it out for all ${what}` })
    .optional();

const bulkFilter = fields({
  tags: someOf(tagText, "tags").meta({
    description: "`name` or `name=value`; all must hold.",
    example: ["team=orders"],
  }),
  statuses: someOf(status, "statuses").describe("One of these; `maintenance` means those that are in maintenance now."),
  protocols: someOf(protocolName(), "protocols").describe("One of these."),
  q: text(200).optional().meta({
    description:
      "Words that must all occur in the name, `host:port`, key, protocol or tags, as in the list of monitors.",
    example: "orders",
  }),
})
  .refine((filter) => Object.values(filter).some((value) => value !== undefined), {
    error: "must have at least one condition",
  })
  .meta({
    id: "BulkFilter",
    description: "Monitors for which all given conditions hold.",
    example: { tags: ["team=orders"] },
  });
type BulkFilter = z.output<typeof bulkFilter>;

const bulkInput = fields({
  ids: list(text(200, "the id of a monitor"), MOST_IDS, "ids")
    .min(1, { error: "must name at least one monitor" })
    .optional()
    .meta({ description: "Either these monitors,", example: ["7ca139c8bbaa9b19b116"] }),
  filter: bulkFilter.optional().describe("or all to which this applies when the call arrives."),
  action: oneOf(ACTIONS).meta({ id: "BulkAction", description: "What to do with each.", example: "update" }),
  change: z
    .unknown()
    .meta({ override: { $ref: "#/components/schemas/MonitorPatch" } })
    .optional()
    .describe("For `update`: merged into each, as `PATCH /v1/monitors/{id}` does."),
  dryRun: flag().default(false).describe("Only say what would be done."),
}).meta({
  id: "BulkInput",
  description: "One action on many monitors.",
  example: { filter: { tags: ["team=orders"] }, action: "update", change: { intervalSeconds: 30 } },
});

const bulkResult = z
  .object({
    dryRun: z.boolean().meta({ description: "Whether nothing was written.", example: false }),
    done: z
      .array(
        z
          .object({
            id: monitorId,
            name: monitorName.describe("Its name before."),
            changes: changesView,
          })
          .meta({ id: "BulkDone", description: "A monitor for which it is done." }),
      )
      .describe("Monitors for which it is done, also where nothing had to change."),
    failed: z
      .array(
        z
          .object({
            id: monitorId.describe("Id as it was sent."),
            code: problemCode.describe("Code as in a problem document."),
            detail: z.string().meta({ description: "What went wrong.", example: "there is no such monitor" }),
            errors: z.array(fieldError).optional().describe("Every field that is wrong."),
          })
          .meta({ id: "BulkFailed", description: "A monitor that is as it was, and why." }),
      )
      .describe("Monitors that are as they were."),
    remaining: z.array(z.string()).describe("Ids that were not reached in time: send them as `ids` to continue."),
  })
  .meta({
    id: "BulkResult",
    description: "What became of each monitor.",
    example: { failed: [], remaining: [] },
  });

const matching = async (deps: Deps, filter: BulkFilter): Promise<string[]> => {
  const { tags = [], statuses = [], protocols = [], q } = filter;
  const isWanted = await selectingNow(deps, { tag: tags, status: statuses, protocol: protocols, q });
  const ids: string[] = [];
  for (let after: string | undefined, ended = false; !ended; ) {
    const { items, next } = await deps.monitors.list(READ_AT_ONCE, after);
    ids.push(...items.filter(isWanted).map(({ id }) => id));
    after = next ?? undefined;
    ended = next === null;
  }
  return ids;
};

const inputErrors = ({ ids, filter, action, change }: z.output<typeof bulkInput>): FieldError[] => {
  const errors: FieldError[] = [];
  if (ids === undefined && filter === undefined)
    errors.push({ path: "ids", message: "is required, or a filter: it says which monitors are meant" });
  if (ids !== undefined && filter !== undefined)
    errors.push({ path: "filter", message: "must not be sent together with ids" });
  if (action !== "update") {
    if (change !== undefined) errors.push({ path: "change", message: `is for the action update, not for ${action}` });
  } else if (change === undefined) errors.push({ path: "change", message: "is required for the action update" });
  else errors.push(...patchErrors(change, "change"));
  return errors;
};

export const bulk: readonly Route[] = [
  route({
    method: "POST",
    path: "/v1/monitors/bulk",
    operationId: "changeMonitors",
    summary: "Change, pause, resume, check or delete many monitors",
    description:
      "Each monitor has a result of its own, and one that fails does not stop the others. A field that is wrong for every monitor is refused before anything is written. `check` queues a check at all their locations, whose outcomes count as those of regular checks; it counts as one of the 60 checks a minute of a token.",
    scope: "deploy",
    body: bulkInput,
    contentTypes: JSON_OR_YAML,
    problems: ["answer-too-large"],
    responses: {
      200: { description: "Each monitor was tried.", schema: bulkResult, contentTypes: JSON_OR_YAML },
      202: {
        description: "Time ran out: send `remaining` as `ids` to continue.",
        schema: bulkResult,
        contentTypes: JSON_OR_YAML,
      },
    },
    handle: async ({ body, token, context, record }, deps) => {
      const errors = inputErrors(body);
      if (errors.length > 0) throw new InvalidInput(errors);
      const isTime = timeLeft(deps, context);
      const { action, change, dryRun } = body;
      if (action === "check" && !dryRun) await spend(deps, token as Token);
      // Before the first round, so that a call that changes nothing is recorded as such.
      await record([]);
      const ids = body.ids ? [...new Set(body.ids)] : await matching(deps, body.filter!);
      const result = await runBulk(deps, { action, change, dryRun, token, record }, ids, isTime);
      return { status: result.remaining.length > 0 ? 202 : 200, body: { dryRun, ...result } };
    },
  }),
];
