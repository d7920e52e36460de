import { describe, expect, test } from "vitest";
import { errorsOf, refTo } from "../../../support/document.ts";
import { at, create, edge, item, useEdge } from "./fixture.ts";

useEdge();

const SECRET = { protocol: "radius", port: 1812, settings: { secret: "hunter2", nasIdentifier: "watch" } };
const asRead = async (id: string) => (await edge.call("GET", at(id), { token: await edge.tokenWith("read") })).body;
const secretOf = async (id: string) => (await edge.call("GET", at(id))).body.settings.secret;

describe("what GET answers may be sent back", () => {
  test("to PATCH, with masked secrets: nothing changes", async () => {
    const { id } = (await create({ ...SECRET, key: "back/patch" })).body;
    const read = await asRead(id);
    expect(read.settings.secret).toBe("(hidden)");
    for (const schema of ["MonitorPatch", "RadiusMonitorInput"])
      expect(errorsOf(refTo("components", "schemas", schema), read), schema).toBeUndefined();
    const before = await item(id);
    const { status, body } = await edge.call("PATCH", at(id), { body: read });
    expect([status, body.settings.secret]).toEqual([200, "hunter2"]);
    expect(await item(id)).toEqual(before);
  });

  test("to PATCH with one change: only that changes", async () => {
    const { id } = (await create(SECRET)).body;
    const { status } = await edge.call("PATCH", at(id), { body: { ...(await asRead(id)), name: "Renamed" } });
    expect([status, await secretOf(id)]).toEqual([200, "hunter2"]);
    expect((await edge.call("GET", at(id))).body.name).toBe("Renamed");
  });

  test("to PATCH as another monitor's: the id is wrong", async () => {
    const [a, b] = [(await create()).body, (await create()).body];
    const { status, body } = await edge.call("PATCH", at(a.id), { body: b });
    expect([status, body.errors.map(({ path }: { path: string }) => path)]).toEqual([422, ["id", "createdAt"]]);
  });

  test("to POST, which makes another", async () => {
    const { body: read } = await create({ tags: { a: "b" } });
    const { status, body } = await edge.call("POST", "/v1/monitors", { body: read });
    expect(status).toBe(201);
    expect(body.id).not.toBe(read.id);
    expect(body.tags).toEqual({ a: "b" });
  });

  test("to PUT: unchanged", async () => {
    const { id } = (await create({ ...SECRET, key: "back/put" })).body;
    const { status, body } = await edge.call("PUT", "/v1/monitors", { body: { monitors: [await asRead(id)] } });
    expect([status, body.unchanged]).toEqual([200, [{ key: "back/put", id }]]);
  });

  test("a masked secret where none is stored is refused", async () => {
    const { id } = (await create({ protocol: "ssh", port: 22 })).body;
    for (const [method, path, body] of [
      ["PATCH", at(id), { protocol: "radius", settings: { secret: "(hidden)" } }],
      ["POST", "/v1/monitors", { ...SECRET, name: "x", host: "127.0.0.1", settings: { secret: "(hidden)" } }],
    ] as const) {
      const answer = await edge.call(method, path, { body });
      expect([answer.status, answer.body.errors[0].path]).toEqual([422, "settings.secret"]);
    }
  });
});

describe("POST /v1/monitors?from=", () => {
  test("copies settings and secrets, but no key", async () => {
    const source = (await create({ ...SECRET, key: "clone/source", tags: { a: "b" }, intervalSeconds: 30 })).body;
    const { status, body, headers } = await edge.call("POST", `/v1/monitors?from=${source.id}`, { body: {} });
    expect([status, headers.location]).toEqual([201, at(body.id)]);
    expect(body).toMatchObject({ name: "Orders (copy)", key: null, tags: { a: "b" }, intervalSeconds: 30 });
    expect(await secretOf(body.id)).toBe("hunter2");
  });

  test("takes changes, merged as by PATCH", async () => {
    const source = (await create({ ...SECRET, tags: { a: "b", c: "d" } })).body;
    const { body } = await edge.call("POST", `/v1/monitors?from=${source.id}`, {
      body: {
        name: "Other",
        host: "127.0.0.2",
        tags: { c: null },
        key: "clone/other",
        settings: { nasIdentifier: null },
      },
    });
    expect(body).toMatchObject({ name: "Other", host: "127.0.0.2", key: "clone/other", tags: { a: "b" } });
    expect(body.settings).toEqual({ secret: "hunter2" });
  });

  test("takes what GET answered, masked secrets too", async () => {
    const { id } = (await create(SECRET)).body;
    const { body } = await edge.call("POST", `/v1/monitors?from=${id}`, { body: await asRead(id) });
    expect([body.name, await secretOf(body.id)]).toEqual(["Orders", "hunter2"]);
  });

  test("with an Idempotency-Key makes one copy", async () => {
    const { id } = (await create()).body;
    const send = () =>
      edge.call("POST", `/v1/monitors?from=${id}`, { body: {}, headers: { "Idempotency-Key": "clone-1" } });
    const [first, second] = [await send(), await send()];
    expect([first.status, second.body.id]).toEqual([201, first.body.id]);
    const other = await edge.call("POST", "/v1/monitors", {
      body: { name: "x", protocol: "ssh", host: "127.0.0.1" },
      headers: { "Idempotency-Key": "clone-1" },
    });
    expect(other.body.code).toBe("idempotency-key-reused");
  });

  test("names what is wrong, and knows no monitor of another id", async () => {
    const { id } = (await create()).body;
    const wrong = await edge.call("POST", `/v1/monitors?from=${id}`, { body: { colour: null, port: 0 } });
    expect([wrong.status, wrong.body.errors[0].path]).toEqual([422, "colour"]);
    expect((await edge.call("POST", "/v1/monitors?from=nobody", { body: {} })).status).toBe(404);
  });
});
