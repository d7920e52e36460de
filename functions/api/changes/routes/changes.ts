/** Routes of changes: what services said of themselves that was not expected, to be listed and accepted. */
import { z } from "zod";
import { show } from "../../../../shared/issues.ts";
import { fields, oneOf, text } from "../../../../shared/schema.ts";
import type { ListedChange } from "../../../../shared/store/changes.ts";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import type { StoredMonitor } from "../../../../shared/store/monitor-item.ts";
import type { Token } from "../../../../shared/store/tokens.ts";
import type { Deps } from "../../deps.ts";
import type { Recorder } from "../../http/audit.ts";
import { Problem } from "../../http/problem.ts";
import { moment, monitorId, monitorName, pageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { page } from "../../http/schemas.ts";
import { withHistory } from "../../monitors/write.ts";
import { accepting, editBaseline } from "../edit.ts";

const EXAMPLE_ID = "7ca139c8bbaa9b19b116.0a1b2c3d4e5f";

const acceptedView = z
  .object({
    at: moment.describe("When."),
    by: z.string().meta({ description: "Name of the token that accepted it.", example: "ops" }),
    note: z.string().nullable().meta({ description: "What others should know.", example: "New machine" }),
  })
  .meta({ id: "AcceptedChange", description: "Who said that a change is right." });

const changeView = z
  .object({
    id: z.string().meta({ description: "Its id.", example: EXAMPLE_ID }),
    monitorId,
    monitorName,
    key: z.string().meta({ description: "Which fact changed.", example: "ssh.hostKey.ssh-ed25519" }),
    from: z.array(z.string()).meta({
      description: "What was expected; several where servers differ, none where nothing was.",
      example: ["SHA256:old"],
    }),
    to: z
      .string()
      .meta({ description: "What the service says now; empty: the fact is missing.", example: "SHA256:new" }),
    state: oneOf(["open", "accepted", "reverted", "recorded", "closed"]).meta({
      id: "ChangeState",
      description:
        "`accepted` by somebody; `reverted` by itself; `recorded`: expected by its kind, such as an update, and told to nobody; `closed` with its monitor or target.",
      example: "open",
    }),
    since: moment.describe("When it was found."),
    endedAt: moment.nullable().describe("When it ended; null while it is open."),
    locations: z.array(z.string()).meta({ description: "Locations that saw it first.", example: ["eu-west-1"] }),
    accepted: acceptedView.nullable().describe("Who accepted it; null for nobody."),
  })
  .meta({ id: "Change", description: "Something that a service says of itself and did not say before." });

const acceptInput = fields({
  note: text(500, "a note")
    .nullable()
    .default(null)
    .meta({ description: "What others should know. Default none.", example: "New machine" }),
}).meta({ id: "AcceptInput", description: "An acceptance." });

const present = ({
  id,
  monitorId,
  monitorName,
  key,
  from,
  value,
  state,
  since,
  endedAt,
  locations,
  accepted,
}: ListedChange) => ({
  id,
  monitorId,
  monitorName,
  key,
  from,
  to: value,
  state,
  since,
  endedAt,
  locations,
  accepted,
});

/** Open changes of a monitor, as it stands: they may not have items of their own yet. */
const openOf = ({ id, name, baseline }: StoredMonitor): ListedChange[] =>
  Object.entries(baseline?.changes ?? {}).map(([changeId, { isTold: _told, accepted = null, ...change }]) => ({
    ...change,
    id: changeId,
    monitorId: id,
    monitorName: name,
    state: accepted ? "accepted" : "open",
    endedAt: accepted?.at ?? null,
    accepted,
  }));

const listChanges = route({
  method: "GET",
  path: "/v1/changes",
  operationId: "listChanges",
  summary: "List changes of all monitors",
  description: "Newest first. Changes that ended are kept for 400 days.",
  scope: "read",
  query: z.strictObject({
    ...page,
    state: oneOf(["open", "all"]).default("open").describe("`open` until they are accepted or revert."),
  }),
  responses: { 200: { description: "A page of changes.", schema: pageOf(changeView) } },
  handle: async ({ query: { limit, cursor, state } }, { changes }) => {
    const question = JSON.stringify(["changes", state]);
    let before = cursor === undefined ? undefined : decodeCursor(cursor, question);
    const items: ListedChange[] = [];
    // Pages may be short, because items are gone or hidden from a limited token.
    do {
      const { items: some, next } = await changes.list(state, limit - items.length, before);
      items.push(...some);
      before = next ?? undefined;
    } while (items.length < limit && before !== undefined);
    return {
      body: { items: items.map(present), nextCursor: before === undefined ? null : encodeCursor(before, question) },
    };
  },
});

const listMonitorChanges = route({
  method: "GET",
  path: "/v1/monitors/{id}/changes",
  operationId: "listMonitorChanges",
  summary: "List changes of a monitor",
  description: "Newest first. Changes that ended are kept for 400 days.",
  scope: "read",
  query: z.strictObject(page),
  responses: { 200: { description: "A page of changes.", schema: pageOf(changeView) } },
  handle: async ({ params: { id = "" }, query: { limit, cursor } }, deps) => {
    await withHistory(deps, id);
    const question = JSON.stringify(["changes of", id]);
    const start = cursor === undefined ? 0 : Number(decodeCursor(cursor, question));
    const all = await deps.changes.of(id, deps.now());
    const items = all.slice(start, start + limit);
    const end = start + items.length;
    return {
      body: { items: items.map(present), nextCursor: end < all.length ? encodeCursor(String(end), question) : null },
    };
  },
});

/** Notes that open changes are accepted. @returns them, as they now are. @throws Problem `changed-meanwhile` */
const accept = (
  deps: Deps,
  id: string,
  isWanted: (changeId: string) => boolean,
  { note, token, record }: { readonly note: string | null; readonly token: Token | null; readonly record: Recorder },
): Promise<ListedChange[]> =>
  editBaseline(deps, id, async (monitor, now) => {
    const open = openOf(monitor).filter((one) => isWanted(one.id));
    const fresh = open.filter((one) => !one.accepted);
    const acceptance = { at: now.toISOString(), by: token?.name ?? "", note };
    const baseline =
      monitor.baseline && accepting(monitor.baseline, (one) => fresh.some(({ id }) => id === one), acceptance);
    const values = Object.fromEntries(fresh.map(({ key, from, value }) => [key, [from, value] as const]));
    return {
      baseline: fresh.length > 0 ? baseline : null,
      record: () =>
        record(fresh.length > 0 ? [{ resource: id, name: monitor.name, changes: { baseline: [null, values] } }] : []),
      done: open.map((one) => {
        const accepted = one.accepted ?? acceptance;
        return { ...one, state: "accepted" as const, accepted, endedAt: accepted.at };
      }),
    };
  });

const acceptChange = route({
  method: "POST",
  path: "/v1/changes/{id}/accept",
  operationId: "acceptChange",
  summary: "Accept a change",
  description:
    "What the service says now is expected from then on, and those who were told of the change are told so. Accepting it again changes nothing.",
  scope: "write",
  body: acceptInput,
  problems: ["not-active", "changed-meanwhile"],
  responses: { 200: { description: "The change.", schema: changeView } },
  handle: async ({ params: { id = "" }, body: { note }, token, record }, deps) => {
    const owner = id.slice(0, Math.max(0, id.lastIndexOf(".")));
    const monitor = owner && (await deps.monitors.get(owner));
    if (!monitor) throw new Problem("not-found", `there is no change ${show(id)}`);
    const [accepted] = await accept(deps, owner, (changeId) => changeId === id, { note, token, record });
    if (accepted) return { body: present(accepted) };
    const past = (await deps.changes.of(owner, deps.now())).find((one) => one.id === id);
    if (!past) throw new Problem("not-found", `there is no change ${show(id)}`);
    if (past.state !== "accepted") throw new Problem("not-active", `the change ${show(id)} has ended: ${past.state}`);
    return { body: present(past) };
  },
});

const acceptMonitorChanges = route({
  method: "POST",
  path: "/v1/monitors/{id}/changes/accept",
  operationId: "acceptMonitorChanges",
  summary: "Accept all open changes of a monitor",
  description: "Like accepting each. Where there are none, nothing changes.",
  scope: "write",
  body: acceptInput,
  problems: ["changed-meanwhile"],
  responses: {
    200: {
      description: "The changes that were open.",
      schema: z
        .object({ items: z.array(changeView).describe("The changes that were accepted.") })
        .meta({ id: "AcceptedChanges", description: "What was accepted." }),
    },
  },
  handle: async ({ params: { id = "" }, body: { note }, token, record }, deps) => ({
    body: { items: (await accept(deps, id, () => true, { note, token, record })).map(present) },
  }),
});

export const changes: readonly Route[] = [listChanges, listMonitorChanges, acceptChange, acceptMonitorChanges];
