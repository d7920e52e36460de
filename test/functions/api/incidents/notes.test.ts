import { afterAll, beforeAll, expect, test } from "vitest";
import { type Edge, startEdge } from "../edge.ts";
import { storeIncident } from "./fixture.ts";

let edge: Edge;
let incidentId = "";
let monitorId = "";
let now = new Date("2026-12-01T12:00:00.000Z");
beforeAll(async () => {
  edge = await startEdge();
  edge.clock.now = () => now;
  const body = { name: "Orders", protocol: "tcp", host: "127.0.0.1", port: 1, tags: { team: "orders" } };
  monitorId = (await edge.call("POST", "/v1/monitors", { body })).body.id;
  incidentId = (await storeIncident(edge, monitorId, "2026-12-01T11:00:00.000Z")).id;
});
afterAll(() => edge[Symbol.asyncDispose]());

const path = (noteId = "") => `/v1/incidents/${incidentId}/notes${noteId && `/${noteId}`}`;
const notesOf = async () => (await edge.call("GET", `/v1/incidents/${incidentId}`)).body.notes;

test("notes are written, read with the incident in the order of time, changed and deleted", async () => {
  const first = await edge.call("POST", path(), { body: { text: " The disk is full.\nWe look. " } });
  expect(first.status).toBe(201);
  expect(first.body).toEqual({
    id: expect.any(String),
    at: now.toISOString(),
    updatedAt: now.toISOString(),
    by: { id: expect.any(String), name: "admin" },
    text: "The disk is full.\nWe look.",
    state: null,
    public: false,
  });
  now = new Date(now.getTime() + 60_000);
  const body = { text: "Found it.", state: "identified", public: true };
  const second = await edge.call("POST", path(), { body });
  expect(second.body).toMatchObject(body);
  expect(await notesOf()).toEqual([first.body, second.body]);

  now = new Date(now.getTime() + 60_000);
  const changed = await edge.call("PATCH", path(second.body.id), { body: { state: null, text: "Found the cause." } });
  expect(changed.body).toEqual({ ...second.body, state: null, text: "Found the cause.", updatedAt: now.toISOString() });
  now = new Date(now.getTime() + 60_000);
  const same = await edge.call("PATCH", path(second.body.id), { body: changed.body });
  expect([same.status, same.body]).toEqual([200, changed.body]);
  expect((await edge.call("DELETE", path(first.body.id))).status).toBe(204);
  expect(await notesOf()).toEqual([changed.body]);
  expect((await edge.call("DELETE", path(first.body.id))).status).toBe(404);

  now = new Date(now.getTime() + 60_000);
  const audit = await edge.call("GET", `/v1/audit?monitor=${monitorId}`);
  const content = { text: "The disk is full.\nWe look.", state: null, public: false };
  expect(audit.body.items.slice(0, 2)).toMatchObject([
    { operation: "deleteIncidentNote", changes: { [`notes.${first.body.id}`]: [content, null] } },
    {
      operation: "updateIncidentNote",
      name: "Orders",
      changes: {
        [`notes.${second.body.id}.text`]: ["Found it.", "Found the cause."],
        [`notes.${second.body.id}.state`]: ["identified", null],
      },
    },
  ]);
});

test("a note is changed by the token that wrote it, and by admins", async () => {
  const [own, other] = [await edge.tokenWith("write"), await edge.tokenWith("write")];
  const { body } = await edge.call("POST", path(), { token: own, body: { text: "Mine" } });
  for (const method of ["PATCH", "DELETE"] as const) {
    const options = method === "PATCH" ? { body: { text: "Changed" } } : {};
    const refused = await edge.call(method, path(body.id), { token: other, ...options });
    expect([refused.status, refused.body.code]).toEqual([403, "missing-scope"]);
  }
  expect((await notesOf()).at(-1)).toEqual(body);
  expect((await edge.call("PATCH", path(body.id), { token: own, body: { public: true } })).body.public).toBe(true);
  expect((await edge.call("DELETE", path(body.id))).status).toBe(204);
});

test.each([
  ["no text", {}, "text"],
  ["an empty text", { text: "  " }, "text"],
  ["too long a text", { text: "x".repeat(2001) }, "text"],
  ["a control character", { text: "a\u0000b" }, "text"],
  ["an unknown state", { text: "x", state: "done" }, "state"],
  ["a text in place of true", { text: "x", public: "yes" }, "public"],
  ["an unknown field", { text: "x", author: "me" }, "author"],
])("%s is refused, and nothing is stored", async (_, body, field) => {
  const before = await notesOf();
  const answer = await edge.call("POST", path(), { body });
  expect([answer.status, answer.body.errors.map((error: { path: string }) => error.path)]).toEqual([422, [field]]);
  expect(await notesOf()).toEqual(before);
});

test("an incident has at most 100 notes, also when many are written at the same time", async () => {
  const present = (await notesOf()).length;
  const write = () => edge.call("POST", path(), { body: { text: "Another." } });
  for (let count = present; count < 90; count += 10)
    await Promise.all(Array.from({ length: Math.min(10, 90 - count) }, write));
  const answers = await Promise.all(Array.from({ length: 20 }, write));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
  const refused = answers.find(({ status }) => status !== 201);
  expect([refused?.status, refused?.body.code]).toEqual([409, "already-exists"]);
  const notes = await notesOf();
  expect(notes).toHaveLength(100);
  expect((await edge.call("DELETE", path(notes[0].id))).status).toBe(204);
  expect((await write()).status).toBe(201);
  expect((await write()).status).toBe(409);
});

test("an incident that has ended takes notes, one that does not exist or is another team's does not", async () => {
  const { id } = await storeIncident(edge, monitorId, "2026-12-01T09:00:00.000Z", {
    endedAt: "2026-12-01T09:30:00.000Z",
    endReason: "recovered",
  });
  const write = (incident: string, token = edge.admin) =>
    edge.call("POST", `/v1/incidents/${incident}/notes`, { token, body: { text: "Post mortem" } });
  expect((await write(id)).status).toBe(201);
  expect((await write(id, await edge.limitedToken("write", "team=orders"))).status).toBe(201);
  for (const [incident, token] of [
    [`${monitorId}.1`, edge.admin],
    ["nonsense", edge.admin],
    [id, await edge.limitedToken("write", "team=payments")],
  ] as const)
    expect((await write(incident, token)).status).toBe(404);
});
