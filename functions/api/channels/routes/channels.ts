/** Routes `/v1/channels`: create, list, read, change, delete and test alert channels. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Outside } from "../../../../shared/alerts/channels/channel.ts";
import { channels as kinds } from "../../../../shared/alerts/channels/index.ts";
import { splitSecrets, withoutSecrets } from "../../../../shared/alerts/channels/secrets.ts";
import { testAlert } from "../../../../shared/alerts/example.ts";
import { InvalidInput } from "../../../../shared/errors.ts";
import { show } from "../../../../shared/issues.ts";
import { HIDDEN } from "../../../../shared/protocols/secrets.ts";
import { receiverOfStored } from "../../../../shared/receiver.ts";
import type { Policy } from "../../../../shared/rules/policies.ts";
import type { StoredChannel } from "../../../../shared/store/channels.ts";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import { editKept, etagOfKept, existingKept, ifMatchHeader } from "../../alerting/kept.ts";
import { tellOfUnheard } from "../../alerting/reach.ts";
import type { Deps } from "../../deps.ts";
import type { Change } from "../../http/audit.ts";
import { mergePatch } from "../../http/merge-patch.ts";
import { Problem } from "../../http/problem.ts";
import { pageOf } from "../../http/representations.ts";
import { type Reply, type Route, route } from "../../http/route.ts";
import { page, yes } from "../../http/schemas.ts";
import { maskedDifferencesOf, NOTHING, type Side } from "../../monitors/changes.ts";
import { channelInput, channelPatch, channelTest, channelView, presentChannel } from "../representations.ts";
import { readChannel, refuseMovedSecrets, type Settings, withStoredSecrets } from "../settings.ts";

const one = {
  description: "The channel; its `ETag` is for `If-Match`.",
  schema: channelView,
  headers: ["etag"],
} as const;

const answer = (channel: StoredChannel, status = 200, headers: Record<string, string> = {}): Reply => ({
  status,
  body: presentChannel(channel),
  headers: { etag: etagOfKept(channel), ...headers },
});

const existing = ({ channels }: Deps, id: string) => existingKept(channels, id, "channel");

const nameTaken = (name: string) => new Problem("already-exists", `there is a channel ${show(name)} already`);
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A channel, for its entry in the audit log. @param secrets none to compare what is shown alone */
const sideOf = (channel: StoredChannel, secrets: object = {}): Side => {
  const { name, kind, settings } = channel;
  return {
    value: { name, kind, settings: { ...settings, ...secrets } },
    shown: { name, kind, settings: presentChannel(channel).settings },
  };
};
const changeOf = ({ id, name }: StoredChannel, before: Side, after: Side): Change[] => {
  const changes = maskedDifferencesOf(before, after);
  return Object.keys(changes).length > 0 ? [{ resource: id, name, changes }] : [];
};

const createChannel = route({
  method: "POST",
  path: "/v1/channels",
  operationId: "createChannel",
  summary: "Create a channel",
  description: "Its secrets are stored apart and never come back.",
  scope: "write",
  body: channelInput,
  sentBack: channelView,
  checksBody: true,
  responses: { 201: { ...one, description: "Created, at `Location`.", headers: ["etag", "location"] } },
  problems: ["already-exists"],
  handle: async ({ body, record }, { channels, receivers, now }) => {
    const { name, kind, settings } = readChannel(body, receivers);
    const { shown, secrets } = splitSecrets(kinds[kind], settings);
    const at = now();
    const channel: StoredChannel = {
      id: randomBytes(10).toString("hex"),
      name,
      kind,
      settings: shown,
      secrets: Object.keys(secrets),
      revision: 1,
      createdAt: at.toISOString(),
      updatedAt: at.toISOString(),
    };
    if (!(await channels.create(channel, secrets, at))) throw nameTaken(name);
    await record(changeOf(channel, NOTHING, sideOf(channel)));
    return answer(channel, 201, { location: `/v1/channels/${channel.id}` });
  },
});

const listChannels = route({
  method: "GET",
  path: "/v1/channels",
  operationId: "listChannels",
  summary: "List channels",
  scope: "read",
  query: z.strictObject(page),
  responses: { 200: { description: "A page of channels.", schema: pageOf(channelView) } },
  handle: async ({ query: { limit, cursor } }, { channels }) => {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, "channels");
    const { items, next } = await channels.list(limit, after);
    return { body: { items: items.map(presentChannel), nextCursor: next && encodeCursor(next, "channels") } };
  },
});

const getChannel = route({
  method: "GET",
  path: "/v1/channels/{id}",
  operationId: "getChannel",
  summary: "Read a channel",
  scope: "read",
  responses: { 200: one },
  handle: async ({ params }, deps) => answer(await existing(deps, params.id ?? "")),
});

const updateChannel = route({
  method: "PATCH",
  path: "/v1/channels/{id}",
  operationId: "updateChannel",
  summary: "Change a channel",
  description:
    "Merges (RFC 7396). Secrets that are left out, or sent masked, stay, unless the channel goes to another server; the kind cannot change.",
  scope: "write",
  body: channelPatch,
  sentBack: channelView,
  checksBody: true,
  contentTypes: ["application/merge-patch+json", "application/json"],
  headers: ifMatchHeader,
  responses: { 200: one },
  problems: ["already-exists"],
  handle: async (call, deps) => {
    const { channels, receivers, now } = deps;
    const { params, body } = call;
    const changed = await editKept("channel", call, existing(deps, params.id ?? ""), async (before) => {
      if (isObject(body) && body.kind !== undefined && body.kind !== before.kind)
        throw new InvalidInput([{ path: "kind", message: "cannot change: create another channel instead" }]);
      const { name, kind } = before;
      const secretsBefore = await channels.secrets(before.id);
      const settings = { ...before.settings, ...secretsBefore };
      const whole = mergePatch({ name, kind, settings }, body) as { readonly settings: unknown };
      const merged = readChannel(
        { ...whole, settings: withStoredSecrets(kind, whole.settings, secretsBefore) },
        receivers,
      );
      refuseMovedSecrets(kind, settings, merged.settings, (body as { readonly settings?: Settings }).settings);
      const { shown, secrets } = splitSecrets(kinds[merged.kind], merged.settings);
      const kept: StoredChannel = {
        ...before,
        name: merged.name,
        settings: shown,
        secrets: Object.keys(secrets),
        revision: before.revision + 1,
        updatedAt: now().toISOString(),
      };
      const changes = changeOf(kept, sideOf(before, secretsBefore), sideOf(kept, secrets));
      const store = async () => {
        const result = await channels.update(before, kept, secrets, now());
        if (result === "name-taken") throw nameTaken(merged.name);
        return result === "updated";
      };
      return { kept, changes, store };
    });
    return answer(changed);
  },
});

/** Names that one message lists. */
const MOST_NAMES = 10;
const namesOf = (what: string, all: readonly { readonly name: string }[]): string[] => {
  if (all.length === 0) return [];
  const named = all.slice(0, MOST_NAMES).map(({ name }) => show(name));
  const more = all.length > MOST_NAMES ? [`${all.length - MOST_NAMES} more`] : [];
  return [`these ${what} name it: ${[...named, ...more].join(", ")}`];
};

const policiesNaming = async (id: string, { policies }: Deps): Promise<Policy[]> =>
  (await policies.all()).filter(({ steps }) => steps.some(({ channels }) => channels.includes(id)));

/** Which policies and monitors have steps that name a channel; null for none. */
async function usersOf(id: string, deps: Deps): Promise<string | null> {
  const [naming, rows] = await Promise.all([policiesNaming(id, deps), deps.monitors.rows(deps.now())]);
  const watched = rows.filter(({ deletedAt, channels }) => !deletedAt && channels.includes(id));
  return [...namesOf("policies", naming), ...namesOf("monitors", watched)].join("; ") || null;
}

const deleteChannel = route({
  method: "DELETE",
  path: "/v1/channels/{id}",
  operationId: "deleteChannel",
  summary: "Delete a channel",
  description:
    "One that policies or monitors name is kept, unless `force` is true: they go on without it. It is still told the end of incidents that it was told of, within a day; its secrets stay until then.",
  scope: "write",
  query: z.strictObject({ force: yes().describe("Whether to delete it though policies or monitors name it.") }),
  headers: ifMatchHeader,
  responses: { 204: { description: "Deleted." } },
  problems: ["in-use"],
  handle: async (call, deps) => {
    const { params, query } = call;
    await editKept("channel", call, existing(deps, params.id ?? ""), async (channel) => {
      const users = query.force ? null : await usersOf(channel.id, deps);
      if (users) throw new Problem("in-use", users);
      const readOwed = () => deps.deliveries.untoldEnds(receiverOfStored(channel.id));
      const store = () => deps.channels.remove(channel, readOwed, deps.now());
      return { kept: channel, changes: changeOf(channel, sideOf(channel), NOTHING), store };
    });
    if (query.force) await tellOfUnheard(deps, await policiesNaming(params.id ?? "", deps));
    return { status: 204 };
  },
});

/** Tests that a token may ask for in a minute, together with its checks. */
const PER_MINUTE = 60;
const TIMEOUT_MS = 10_000;

const sendTest = async (channel: StoredChannel, event: "down" | "recovered", startedAt: Date, deps: Deps) => {
  const { channels, receivers, now } = deps;
  const { topics, sender }: Outside = receivers;
  const kind = kinds[channel.kind];
  const secrets = await channels.secrets(channel.id);
  const alert = testAlert(channel.name, event, startedAt, now());
  const message = kind.render(alert, { ...channel.settings, ...secrets }, { topics, sender, now: now() });
  const answer = await kind.send(message, receivers, AbortSignal.timeout(TIMEOUT_MS));
  const isDelivered = answer.kind === "delivered";
  return {
    event,
    delivered: isDelivered,
    answer: withoutSecrets(isDelivered ? answer.said : answer.error, secrets, HIDDEN),
    isPermanent: !isDelivered && answer.isPermanent,
    retryAfterSeconds: isDelivered ? null : answer.retryAfterSeconds,
  };
};

const testChannel = route({
  method: "POST",
  path: "/v1/channels/{id}/test",
  operationId: "testChannel",
  summary: "Send a test alert through a channel",
  description: `Sends at once, tries once, and answers with what the service said. The alert is about a monitor \`test\`; services that open incidents are also told its end. ${PER_MINUTE} a minute and token, together with its checks.`,
  scope: "write",
  responses: { 200: { description: "What the service said, also if it refused.", schema: channelTest } },
  handle: async ({ params, token, record }, deps) => {
    const channel = await existing(deps, params.id ?? "");
    const startedAt = deps.now();
    if (!token || !(await deps.tokens.spend(token.id, PER_MINUTE, startedAt)))
      throw new Problem("too-many-requests", `a token may ask for ${PER_MINUTE} tests and checks a minute`, {
        "retry-after": String(60 - Math.floor((startedAt.getTime() / 1000) % 60)),
      });
    const messages = [await sendTest(channel, "down", startedAt, deps)];
    if (kinds[channel.kind].opensIncidents && messages[0]?.delivered)
      messages.push(await sendTest(channel, "recovered", startedAt, deps));
    await record([{ resource: channel.id, name: channel.name, changes: { tested: [false, true] } }]);
    return { body: { delivered: messages.every(({ delivered }) => delivered), messages } };
  },
});

export const channels: readonly Route[] = [
  createChannel,
  listChannels,
  getChannel,
  updateChannel,
  deleteChannel,
  testChannel,
];
