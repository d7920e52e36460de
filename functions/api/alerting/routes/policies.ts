/** Routes `/v1/policies`: create, list, read, change and delete alert policies. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { InvalidInput } from "../../../../shared/errors.ts";
import { show } from "../../../../shared/issues.ts";
import { HIDDEN } from "../../../../shared/protocols/secrets.ts";
import { LEVELS, type Policy, sourcesOf, TROUBLES } from "../../../../shared/rules/policies.ts";
import type { Token } from "../../../../shared/store/tokens.ts";
import type { Deps } from "../../deps.ts";
import { parse } from "../../http/input.ts";
import { mergePatch } from "../../http/merge-patch.ts";
import { Problem } from "../../http/problem.ts";
import { pageOf } from "../../http/representations.ts";
import { type Reply, type Route, route } from "../../http/route.ts";
import { changeOfKept } from "../../monitors/changes.ts";
import { existing as existingMonitor } from "../../monitors/write.ts";
import { decideTroubleAgain, editKept, etagOfKept, existingKept, ifMatchHeader } from "../kept.ts";
import {
  type PolicySettings,
  policyInput,
  policyPatch,
  policyView,
  presentPolicy,
  trouble,
  withStoredAddresses,
} from "../policy.ts";
import { reachesNobody, tellOfUnheard } from "../reach.ts";
import { channelLookup, stepErrors, unknownChannels } from "../steps.ts";

/** Decisions read all policies at each batch. */
const MOST_POLICIES = 200;

const one = {
  description: "The policy; its `ETag` is for `If-Match`.",
  schema: policyView,
  headers: ["etag"],
} as const;
const answer = (policy: Policy, token: Token | null, status = 200, headers: Record<string, string> = {}): Reply => ({
  status,
  body: presentPolicy(policy, token),
  headers: { etag: etagOfKept(policy), ...headers },
});
const existing = ({ policies }: Deps, id: string) => existingKept(policies, id, "policy");

/** @throws Problem `already-exists`, or `too-many-requests` where there are too many */
function refuseTaken(all: readonly Policy[], name: string, id?: string): void {
  const same = all.find((policy) => policy.name === name && policy.id !== id);
  if (same) throw new Problem("already-exists", `there is a policy ${show(name)} already: ${same.id}`);
}

/** @throws InvalidInput that names every wrong field */
const refuseWrongSteps = async (deps: Deps, { steps }: PolicySettings): Promise<void> => {
  const errors = [...stepErrors(steps, "steps"), ...(await unknownChannels(steps, "steps", channelLookup(deps)))];
  if (errors.length > 0) throw new InvalidInput(errors);
};

const createPolicy = route({
  method: "POST",
  path: "/v1/policies",
  operationId: "createPolicy",
  summary: "Create an alert policy",
  description: "It holds at once, also for monitors that are down: whoever should know by its steps is told.",
  scope: "write",
  body: policyInput,
  sentBack: policyView,
  responses: { 201: { ...one, description: "Created, at `Location`.", headers: ["etag", "location"] } },
  problems: ["already-exists"],
  handle: async ({ body, token, record }, deps) => {
    await refuseWrongSteps(deps, body);
    const all = await deps.policies.all();
    refuseTaken(all, body.name);
    if (all.length >= MOST_POLICIES)
      throw new Problem("already-exists", `there are ${MOST_POLICIES} policies, which is the most: delete one first`);
    const at = deps.now().toISOString();
    const policy: Policy = { id: randomBytes(10).toString("hex"), ...body, revision: 1, createdAt: at, updatedAt: at };
    await deps.policies.create(policy);
    await record(changeOfKept(policy, null, body));
    await decideTroubleAgain(deps);
    await tellOfUnheard(deps, [policy]);
    return answer(policy, token, 201, { location: `/v1/policies/${policy.id}` });
  },
});

const listPolicies = route({
  method: "GET",
  path: "/v1/policies",
  operationId: "listPolicies",
  summary: "List alert policies",
  description: `All of them, by name; there are at most ${MOST_POLICIES}.`,
  scope: "read",
  responses: { 200: { description: "The policies.", schema: pageOf(policyView) } },
  handle: async ({ token }, { policies }) => {
    const all = (await policies.all()).toSorted((a, b) => a.name.localeCompare(b.name, "en"));
    return { body: { items: all.map((policy) => presentPolicy(policy, token)), nextCursor: null } };
  },
});

const getPolicy = route({
  method: "GET",
  path: "/v1/policies/{id}",
  operationId: "getPolicy",
  summary: "Read an alert policy",
  scope: "read",
  responses: { 200: one },
  handle: async ({ params, token }, deps) => answer(await existing(deps, params.id ?? ""), token),
});

const settingsOf = ({ revision: _revision, id: _id, createdAt: _created, updatedAt: _updated, ...settings }: Policy) =>
  settings;

const updatePolicy = route({
  method: "PATCH",
  path: "/v1/policies/{id}",
  operationId: "updatePolicy",
  summary: "Change an alert policy",
  description:
    "Merges (RFC 7396); `steps` are replaced as a whole. Nothing that was told is told again, and who should know by the new steps is told at once.",
  scope: "write",
  body: policyPatch,
  sentBack: policyView,
  checksBody: true,
  contentTypes: ["application/merge-patch+json", "application/json"],
  headers: ifMatchHeader,
  responses: { 200: one },
  handle: async (call, deps) => {
    const { params, body, token } = call;
    const after = await editKept("policy", call, existing(deps, params.id ?? ""), async (before) => {
      const patch = withStoredAddresses(body, before);
      parse(policyPatch, patch);
      const settings: PolicySettings = parse(policyInput, mergePatch(settingsOf(before), patch));
      await refuseWrongSteps(deps, settings);
      refuseTaken(await deps.policies.all(), settings.name, before.id);
      const kept: Policy = {
        ...before,
        ...settings,
        revision: before.revision + 1,
        updatedAt: deps.now().toISOString(),
      };
      const changes = changeOfKept(kept, settingsOf(before), settings);
      return { kept, changes, store: () => deps.policies.update(before, kept) };
    });
    await decideTroubleAgain(deps);
    await tellOfUnheard(deps, [after]);
    return answer(after, token);
  },
});

const deletePolicy = route({
  method: "DELETE",
  path: "/v1/policies/{id}",
  operationId: "deletePolicy",
  summary: "Delete an alert policy",
  description:
    "Monitors that name it go on without it; one that no other policy takes, and that has no steps, tells the topic `alerts` again. Who was told of an incident still hears of its end.",
  scope: "write",
  headers: ifMatchHeader,
  responses: { 204: { description: "Deleted." } },
  handle: async (call, deps) => {
    await editKept("policy", call, existing(deps, call.params.id ?? ""), async (policy) => ({
      kept: policy,
      changes: changeOfKept(policy, settingsOf(policy), null),
      store: () => deps.policies.remove(policy),
    }));
    await decideTroubleAgain(deps);
    return { status: 204 };
  },
});

const receiverView = z
  .object({
    receiver: z
      .string()
      .meta({ description: "`sns` for the topic `alerts`, `email:<address>`, or `channel:<id>`.", example: "sns" }),
    severities: z.array(trouble).describe("What it hears of."),
    afterSeconds: z.int().meta({ description: "How long the trouble must have lasted.", example: 0 }),
    policy: z
      .object({
        id: z.string().meta({ description: "Its id.", example: "0a1b2c3d4e5f6a7b8c9d" }),
        name: z.string().meta({ description: "Its name.", example: "On call" }),
        by: z
          .enum(["name", "tags"])
          .meta({ id: "TakenBy", description: "Whether the monitor names it, or its tags match.", example: "tags" }),
      })
      .meta({ id: "HearerPolicy", description: "The policy that names a receiver." })
      .nullable()
      .describe("The policy that says so; null for the monitor's own settings."),
  })
  .meta({ id: "Hearer", description: "Somebody who would be told of trouble with a monitor." });
const receiversView = z
  .object({
    items: z.array(receiverView).describe("Earliest first."),
    reachesNobody: z
      .boolean()
      .nullable()
      .describe(
        "Whether nobody would hear, because no channel exists and nobody has subscribed. Null if SNS does not say.",
      ),
  })
  .meta({ id: "Hearers", description: "Who would be told." });

const listReceivers = route({
  method: "GET",
  path: "/v1/monitors/{id}/receivers",
  operationId: "listMonitorReceivers",
  summary: "Who would be told of trouble with a monitor, when and why",
  description:
    "The topic `alerts` is told if no policy takes the monitor and it has no steps; who has subscribed to it is in `/v1/subscriptions`.",
  scope: "write",
  responses: { 200: { description: "The receivers.", schema: receiversView } },
  handle: async ({ params, token }, deps) => {
    const monitor = await existingMonitor(deps, params.id ?? "");
    const items = sourcesOf(monitor, await deps.policies.all())
      .flatMap(({ policy, plan }) =>
        plan.steps.flatMap(({ afterSeconds, receivers }) =>
          receivers.map((receiver) => ({
            receiver: policy && token?.monitorTags ? receiver.replace(/^email:.*/, `email:${HIDDEN}`) : receiver,
            severities: TROUBLES.filter((severity) => plan.levels.includes(LEVELS[severity])),
            afterSeconds,
            policy: policy && {
              id: policy.id,
              name: policy.name,
              by: monitor.alerts.policies.includes(policy.id) ? ("name" as const) : ("tags" as const),
            },
          })),
        ),
      )
      .toSorted((a, b) => a.afterSeconds - b.afterSeconds);
    return { body: { items, reachesNobody: await reachesNobody(deps, monitor) } };
  },
});

export const policies: readonly Route[] = [
  createPolicy,
  listPolicies,
  getPolicy,
  updatePolicy,
  deletePolicy,
  listReceivers,
];
