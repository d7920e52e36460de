import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Deps } from "../../../functions/api/deps.ts";
import { explain } from "../../../functions/api/http/problem.ts";
import { retryOnConflict } from "../../../functions/api/monitors/write.ts";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

describe("addresses and methods", () => {
  test.each([
    ["GET", "/v1/nothing", 404, "not-found"],
    ["GET", "/v1/monitors/nobody", 404, "not-found"],
    ["PATCH", "/v1/monitors/nobody", 404, "not-found"],
    ["DELETE", "/v1/monitors/nobody", 404, "not-found"],
    ["POST", "/v1/monitors/nobody/check", 404, "not-found"],
    ["GET", "/v1/monitors/nobody/incidents", 404, "not-found"],
    ["DELETE", "/v1/subscriptions/nobody", 404, "not-found"],
    ["DELETE", "/v1/tokens/nobody", 404, "not-found"],
    ["GET", `/v1/monitors/${"a".repeat(3000)}`, 404, "not-found"],
    ["GET", `/v1/monitors/${"a".repeat(3000)}/results`, 404, "not-found"],
    ["DELETE", `/v1/tokens/${"a".repeat(3000)}`, 404, "not-found"],
    ["DELETE", "/v1/monitors", 405, "method-not-allowed"],
    ["OPTIONS", "/v1/monitors", 405, "method-not-allowed"],
  ])("%s %s is %i", async (method, path, status, code) => {
    const answer = await edge.call(method, path, method === "PATCH" ? { body: {} } : {});
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    if (status === 405) expect(answer.headers.allow).toBe("POST, GET, HEAD, PUT");
  });

  test("encoded letters of a path are letters, an encoded slash is none", async () => {
    const status = async (path: string) => (await edge.call("GET", path)).status;
    expect(await status("/v1/%6Donitors")).toBe(200);
    expect(await status("/v1%2Fmonitors")).toBe(404);
    const { body } = await edge.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["read"] } });
    const encoded = body.id.replace(/./, (first: string) => `%${first.charCodeAt(0).toString(16)}`);
    expect((await edge.call("DELETE", `/v1/tokens/${encoded}`)).status).toBe(204);
  });

  test("HEAD is GET without the body", async () => {
    const { status, body, headers } = await edge.call("HEAD", "/v1/monitors");
    expect([status, body, headers["content-type"]]).toEqual([200, undefined, "application/json"]);
  });

  test.each(["/v1/monitors", "/v1/monitors/nobody"])("HEAD %s has the length of GET's body", async (path) => {
    const { body } = await edge.call("GET", path);
    const { headers } = await edge.call("HEAD", path);
    expect(headers["content-length"]).toBe(String(Buffer.byteLength(JSON.stringify(body))));
  });
});

test("a change that keeps losing to others says when to try again", async () => {
  const { body } = await edge.call("POST", "/v1/monitors", {
    body: { name: "Orders", protocol: "tcp", host: "db.example.com", port: 5432 },
  });
  const deps = { monitors: edge.stores.monitors } as unknown as Deps;
  const error = await retryOnConflict(deps, body.id, undefined, async () => undefined).catch((problem) => problem);
  expect(explain(error, "request-1")).toMatchObject({
    document: { status: 409, code: "changed-meanwhile" },
    headers: { "retry-after": "1" },
  });
});

test("Allow names the methods of this very path, not of paths with an id in its place", async () => {
  const { status, headers } = await edge.call("GET", "/v1/monitors/bulk/");
  expect([status, headers.allow]).toEqual([404, undefined]); // bulk is taken for an id
  const options = await edge.call("OPTIONS", "/v1/monitors/bulk");
  expect([options.status, options.headers.allow]).toEqual([405, "POST"]);
});
