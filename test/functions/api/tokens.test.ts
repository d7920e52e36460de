import { createHash } from "node:crypto";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import type { Context } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasScope } from "../../../functions/api/http/auth.ts";
import { SCOPES, type Scope } from "../../../shared/tokens.ts";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

const make = async (scopes: Scope[], name = "test") =>
  (await edge.call("POST", "/v1/tokens", { body: { name, scopes } })).body;

describe("authentication", () => {
  test.each([
    ["missing", null, undefined],
    ["not one of ours", "secret", 'error="invalid_token"'],
    ["of an unknown id", `hl_0123456789_${"x".repeat(43)}`, 'error="invalid_token"'],
    ["of the prototype", `hl_constructor_${"x".repeat(43)}`, 'error="invalid_token"'],
  ])("refuses a token that is %s", async (_name, token, says) => {
    const { status, headers, body } = await edge.call("GET", "/v1/monitors", { token });
    expect([status, body.code]).toEqual([401, "unauthenticated"]);
    expect(headers["www-authenticate"]).toContain(says ?? "Bearer realm");
  });

  test("refuses the right id with a wrong secret, in the same words", async () => {
    const wrong = edge.admin.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
    const unknown = await edge.call("GET", "/v1/monitors", { token: `hl_0123456789_${"x".repeat(43)}` });
    const answer = await edge.call("GET", "/v1/monitors", { token: wrong });
    expect([answer.status, answer.body]).toEqual([401, unknown.body]);
  });

  test("comes before everything else: a stranger learns nothing about input", async () => {
    const { status } = await edge.call("POST", "/v1/monitors?x=1", { token: null, raw: "{" });
    expect(status).toBe(401);
  });

  test("takes the scheme in any case", async () => {
    const { status } = await edge.call("GET", "/v1/monitors", {
      headers: { authorization: `bearer ${edge.admin}` },
      token: null,
    });
    expect(status).toBe(200);
  });

  test("stops with the next call after revoking", async () => {
    const { id, token } = await make(["read"]);
    expect((await edge.call("GET", "/v1/monitors", { token })).status).toBe(200);
    expect((await edge.call("DELETE", `/v1/tokens/${id}`)).status).toBe(204);
    expect((await edge.call("GET", "/v1/monitors", { token })).status).toBe(401);
    expect((await edge.call("DELETE", `/v1/tokens/${id}`)).status).toBe(404);
  });

  test("notes the day of the last use once", async () => {
    const { id, token } = await make(["read"]);
    await edge.call("GET", "/v1/monitors", { token });
    const first = await edge.stores.tokens.get(id);
    await edge.call("GET", "/v1/monitors", { token });
    expect(first?.lastUsedAt).toEqual(expect.any(String));
    expect((await edge.stores.tokens.get(id))?.lastUsedAt).toBe(first?.lastUsedAt);
  });
});

describe("scopes", () => {
  const minimal = { name: "Orders", protocol: "tcp", host: "127.0.0.1", port: 1 };
  test.each([
    ["read", "GET", "/v1/monitors", 200],
    ["read", "POST", "/v1/monitors", 403],
    ["read", "POST", "/v1/checks", 403],
    ["write", "GET", "/v1/monitors", 200],
    ["write", "POST", "/v1/monitors", 201],
    ["write", "GET", "/v1/tokens", 403],
    ["admin", "GET", "/v1/monitors", 200],
    ["admin", "GET", "/v1/tokens", 200],
  ] as const)("%s may %s %s: %i", async (scope, method, path, status) => {
    const token = await edge.tokenWith(scope);
    const answer = await edge.call(method, path, { token, ...(method === "POST" && { body: minimal }) });
    expect(answer.status).toBe(status);
    if (status === 403) {
      expect(answer.body.code).toBe("missing-scope");
      expect(answer.body.detail).toMatch(/needs the scope (deploy|admin); the token ".*" has (read|write)/);
      expect(answer.headers["www-authenticate"]).toContain("insufficient_scope");
    }
  });

  test("higher ones include lower ones", () => {
    const allowed = (scopes: Scope[]) => SCOPES.filter((scope) => hasScope({ scopes }, scope)).join(" ");
    expect(allowed(["metrics"])).toBe("metrics");
    expect(allowed(["read"])).toBe("metrics read");
    expect(allowed(["deploy"])).toBe("metrics read deploy");
    expect(allowed(["write"])).toBe("metrics read deploy write");
    expect(allowed(["admin", "read"])).toBe("metrics read deploy write admin");
    expect(allowed([])).toBe("");
  });
});

describe("tokens", () => {
  test("show their text once and are stored as a hash", async () => {
    const { id, token, ...rest } = await make(["read", "write"], "CI");
    expect(rest).toMatchObject({ name: "CI", scopes: ["read", "write"], lastUsedAt: null, revokedAt: null });
    const secret = token.slice(`hl_${id}_`.length);
    const [item] = (await edge.stored("monitors", "TOKEN")).filter(({ sk }) => sk === id);
    expect(item?.secretHash).toBe(createHash("sha256").update(secret).digest("hex"));
    expect(JSON.stringify(await edge.stored())).not.toContain(secret);
    const { body } = await edge.call("GET", "/v1/tokens?limit=200");
    expect(JSON.stringify(body)).not.toContain(item?.secretHash);
    expect(body.items.find((one: { id: string }) => one.id === id)).toMatchObject({ name: "CI" });
  });

  test("page", async () => {
    const ids: string[] = [];
    let cursor = "";
    do {
      const { body } = await edge.call("GET", `/v1/tokens?limit=3${cursor && `&cursor=${cursor}`}`);
      ids.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor ?? "";
    } while (cursor);
    const active = (await edge.stored("monitors", "TOKEN")).filter(({ revokedAt }) => !revokedAt);
    expect(ids).toEqual(active.map(({ id }) => id).toSorted());
  });

  test("that are revoked or expired are listed apart", async () => {
    await using own = await startEdge();
    const create = async (name: string, more = {}) =>
      (await own.call("POST", "/v1/tokens", { body: { name, scopes: ["read"], ...more } })).body;
    const revoked = await create("revoked");
    await own.call("DELETE", `/v1/tokens/${revoked.id}`);
    const expired = await create("expired", { expiresAt: new Date(Date.now() + 60_000).toISOString() });
    const active = await create("active", { expiresAt: new Date(Date.now() + 600_000).toISOString() });
    own.clock.now = () => new Date(Date.now() + 120_000);
    const namesOf = async (query: string) =>
      (await own.call("GET", `/v1/tokens?limit=200${query}`)).body.items.map(
        ({ name, state }: Record<string, string>) => [name, state],
      );
    expect(await namesOf("&state=revoked")).toEqual([["revoked", "revoked"]]);
    expect(await namesOf("&state=expired")).toEqual([["expired", "expired"]]);
    expect((await namesOf("")).toSorted()).toEqual([
      ["active", "active"],
      ["admin", "active"],
    ]);
    expect((await own.call("GET", "/v1/tokens/me", { token: expired.token })).status).toBe(401);
    expect((await own.call("GET", "/v1/tokens/me", { token: active.token })).body).toMatchObject({ name: "active" });
  });

  test("that were stored before there were limits, expiry and rotation work on", async () => {
    const token = await edge.tokenWith("read");
    const { pk, sk, id, name, scopes, secretHash, createdAt } = (await edge.stored("monitors", "TOKEN")).find(
      (item) => item.id === token.split("_")[1],
    )!;
    const Item = { pk, sk, id, name, scopes, secretHash, createdAt };
    await edge.client.send(new PutCommand({ TableName: edge.tables.monitors, Item }));
    const { status, body } = await edge.call("GET", "/v1/tokens/me", { token });
    expect([status, body]).toMatchObject([200, { state: "active", expiresAt: null, monitorTags: null }]);
  });

  test("that have expired are not rotated", async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    await using own = await startEdge();
    const { id } = (await own.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["read"], expiresAt } })).body;
    own.clock.now = () => new Date(Date.now() + 120_000);
    expect((await own.call("POST", `/v1/tokens/${id}/rotate`, { body: {} })).status).toBe(404);
  });

  test("say who they are, whatever their scope", async () => {
    const { body } = await edge.call("GET", "/v1/tokens/me", { token: await edge.tokenWith("metrics") });
    expect(body).toMatchObject({ name: "metrics", scopes: ["metrics"], state: "active", monitorTags: null });
  });

  test("are renamed", async () => {
    const { id } = await make(["read"]);
    const { status, body } = await edge.call("PATCH", `/v1/tokens/${id}`, { body: { name: "New" } });
    expect([status, body.name]).toEqual([200, "New"]);
    expect((await edge.stores.tokens.get(id))?.name).toBe("New");
    expect((await edge.call("PATCH", "/v1/tokens/nothing0", { body: { name: "New" } })).status).toBe(404);
  });

  describe("that are rotated", () => {
    const START = Date.parse("2026-11-27T10:00:00Z");
    const works = async (own: Edge, token: string) =>
      (await own.call("GET", "/v1/tokens/me", { token })).status === 200;
    const rotate = async (own: Edge, id: string, body: object = {}) =>
      (await own.call("POST", `/v1/tokens/${id}/rotate`, { body })).body;

    test("have two secrets for a day, or as long as asked", async () => {
      await using own = await startEdge();
      own.clock.now = () => new Date(START);
      const first = await own.tokenWith("write");
      const id = first.split("_")[1]!;
      const second = await rotate(own, id);
      expect(second).toMatchObject({ id, scopes: ["write"], previousSecretExpiresAt: "2026-11-28T10:00:00.000Z" });
      expect([await works(own, first), await works(own, second.token)]).toEqual([true, true]);
      own.clock.now = () => new Date(START + 86_400_000);
      expect([await works(own, first), await works(own, second.token)]).toEqual([false, true]);
      const third = await rotate(own, id, { overlapSeconds: 0 });
      expect(third.previousSecretExpiresAt).toBeNull();
      expect([await works(own, second.token), await works(own, third.token)]).toEqual([false, true]);
    });

    test("twice within the overlap end the first secret at once", async () => {
      const first = await edge.tokenWith("read");
      const id = first.split("_")[1]!;
      const second = await rotate(edge, id);
      const third = await rotate(edge, id);
      const all = [first, second.token, third.token];
      expect(await Promise.all(all.map((token) => works(edge, token)))).toEqual([false, true, true]);
    });

    test("at the same time are rotated once", async () => {
      const id = (await edge.tokenWith("read")).split("_")[1]!;
      const token = (await edge.stores.tokens.get(id))!;
      expect(await edge.stores.tokens.rotate(token, "a".repeat(64), token.createdAt)).toBe(true);
      expect(await edge.stores.tokens.rotate(token, "b".repeat(64), token.createdAt)).toBe(false);
    });
  });

  test.each([
    [{ scopes: ["read"] }, "name"],
    [{ name: "x" }, "scopes"],
    [{ name: "x", scopes: [] }, "scopes"],
    [{ name: "x", scopes: ["root"] }, "scopes[0]"],
    [{ name: "x", scopes: ["read"], expires: 1 }, "expires"],
    [{ name: "x", scopes: ["read"], expiresAt: "tomorrow" }, "expiresAt"],
    [{ name: "x", scopes: ["read"], expiresAt: "2026-01-01T00:00:00Z" }, "expiresAt"],
    [{ name: "x", scopes: ["read"], monitorTags: [] }, "monitorTags"],
    [{ name: "x", scopes: ["read"], monitorTags: ["team"] }, "monitorTags[0]"],
  ])("are refused with %j", async (body, path) => {
    const before = (await edge.stored("monitors", "TOKEN")).length;
    const answer = await edge.call("POST", "/v1/tokens", { body });
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
    expect((await edge.stored("monitors", "TOKEN")).length).toBe(before);
  });

  test("keep one admin", async () => {
    await using own = await startEdge();
    const id = own.admin.split("_")[1] ?? "";
    const refused = await own.call("DELETE", `/v1/tokens/${id}`);
    expect([refused.status, refused.body.code]).toEqual([409, "last-admin-token"]);
    const other = await own.tokenWith("admin");
    expect((await own.call("DELETE", `/v1/tokens/${id}`)).status).toBe(204);
    expect((await own.call("GET", "/v1/monitors", { token: other })).status).toBe(200);
  });
});

describe("the command create-token", () => {
  const invoke = (event: Record<string, unknown>) => edge.handler(event as { command: string }, {} as Context);

  test("makes a token that works", async () => {
    const made = (await invoke({ command: "create-token", name: "first", scopes: ["admin"] })) as {
      id: string;
      token: string;
    };
    expect(made).toEqual({
      id: made.id,
      token: expect.stringMatching(/^hl_[a-z0-9]{20}_/),
      name: "first",
      scopes: ["admin"],
    });
    expect((await edge.call("GET", "/v1/tokens", { token: made.token })).status).toBe(200);
  });

  test("takes a given one, as often as it is asked, and revives a revoked one", async () => {
    const token = `hl_local_${"s".repeat(32)}`;
    const event = { command: "create-token", name: "local", scopes: ["read", "write", "admin"], token };
    expect(await invoke(event)).toMatchObject({ id: "local", token });
    const first = await edge.stores.tokens.get("local");
    await invoke(event);
    expect(await edge.stores.tokens.get("local")).toEqual(first);
    await edge.call("DELETE", "/v1/tokens/local");
    await invoke(event);
    expect((await edge.call("GET", "/v1/monitors", { token })).status).toBe(200);
  });

  test.each([
    [{ command: "drop-tables" }],
    [{ command: "create-token", name: "x", scopes: ["root"] }],
    [{ command: "create-token", name: "x", scopes: ["read"], token: "short" }],
  ])("refuses %j", async (event) => {
    await expect(invoke(event)).rejects.toThrow();
  });
});
