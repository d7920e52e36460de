/** What all answers have in common: compression, ETags, caching, and what is too large for Lambda. */
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { finishAnswer, MAX_RESULT_BYTES, matchesTag } from "../../../functions/api/http/answer.ts";
import { encodingOf } from "../../../shared/encoding.ts";
import { type Edge, startEdge } from "./edge.ts";
import { minimal } from "./monitors/fixture.ts";

let edge: Edge;
let path = "";
beforeAll(async () => {
  edge = await startEdge();
  const { body } = await edge.call("POST", "/v1/monitors", { body: { ...minimal, badge: true } });
  path = `/v1/monitors/${body.id}`;
});
afterAll(() => edge[Symbol.asyncDispose]());

describe("the encoding", () => {
  test.each([
    [undefined, undefined],
    ["", undefined],
    ["identity", undefined],
    ["deflate", undefined],
    ["gzip", "gzip"],
    ["x-gzip", "gzip"],
    ["GZIP , deflate", "gzip"],
    ["gzip, deflate, br, zstd", "br"],
    ["gzip;q=1, br;q=0.5", "gzip"],
    ["br;q=0, gzip;q=0", undefined],
    ["*", "br"],
    ["*;q=0.1, br;q=0", "gzip"],
    ["gzip;q=0.5, identity", undefined],
    ["identity;q=0.2, gzip;q=0.5", "gzip"],
    ["gzip;q=broken", undefined],
  ])("for %j is %s", (accepted, expected) => {
    expect(encodingOf(accepted)).toBe(expected);
  });

  test.each(["gzip", "br"])("%s is used from 1 KB on, and says so", async (encoding) => {
    const headers = { "Accept-Encoding": encoding };
    const plain = await edge.call("GET", "/v1/protocols");
    const packed = await edge.call("GET", "/v1/protocols", { headers });
    expect(packed.body).toEqual(plain.body);
    expect(packed.headers).toMatchObject({ "content-encoding": encoding, vary: "accept-encoding" });
    expect(plain.headers).toMatchObject({ vary: "accept-encoding" });
    expect(plain.headers).not.toHaveProperty("content-encoding");
    const small = await edge.call("GET", "/v1/health", { headers, token: null });
    expect(small.sent.isBase64Encoded ?? false).toBe(false);
    expect(small.headers).not.toHaveProperty("content-encoding");
  });

  test("packs problems too", async () => {
    const body = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`wrong${n}`, n]));
    const {
      status,
      headers,
      body: problem,
    } = await edge.call("POST", "/v1/monitors", {
      body,
      headers: { "Accept-Encoding": "gzip" },
    });
    expect([status, headers["content-encoding"], headers["content-type"]]).toEqual([
      422,
      "gzip",
      "application/problem+json",
    ]);
    expect(problem.errors.length).toBeGreaterThan(40);
    expect(headers).not.toHaveProperty("etag");
  });

  test("of HEAD has the length and tag of GET's body", async () => {
    for (const accepted of ["identity", "gzip"]) {
      const headers = { "Accept-Encoding": accepted };
      const get = await edge.call("GET", "/v1/protocols", { headers });
      const head = await edge.call("HEAD", "/v1/protocols", { headers });
      const bytes = Buffer.byteLength(get.sent.body ?? "", get.sent.isBase64Encoded ? "base64" : "utf8");
      expect([head.body, head.headers]).toEqual([
        undefined,
        { ...get.headers, ratelimit: expect.any(String), "content-length": String(bytes) },
      ]);
      expect(head.sent.isBase64Encoded).toBeUndefined();
    }
  });
});

describe("the ETag", () => {
  const polled = () => [
    "/v1/monitors",
    path,
    `${path}/incidents`,
    `${path}/results`,
    "/v1/incidents",
    "/v1/metrics",
    "/v1/subscriptions",
    "/v1/tokens",
    "/v1/protocols",
    "/v1/openapi.json",
    "/v1/health",
    `/v1/badges/${path.split("/").at(-1)}.svg`,
    "/v1",
  ];

  test("of everything that can be polled gives a 304 while nothing changes, and differs by encoding", async () => {
    edge.outside.sns = () => "<Subscriptions></Subscriptions>";
    await edge.call("GET", "/v1/tokens"); // notes when the token was used
    for (const url of polled()) {
      const { status, headers, sent } = await edge.call("GET", url);
      expect([url, status, headers.etag]).toEqual([url, 200, expect.stringMatching(/^"[\w.-]+"$/)]);
      const again = await edge.call("GET", url, { headers: { "If-None-Match": `"other", W/${headers.etag}` } });
      expect([url, again.status, again.body, again.headers.etag]).toEqual([url, 304, undefined, headers.etag]);
      expect([again.headers["cache-control"], again.headers.vary]).toEqual([headers["cache-control"], headers.vary]);
      const packed = await edge.call("GET", url, {
        headers: { "Accept-Encoding": "gzip", "If-None-Match": headers.etag ?? "" },
      });
      expect([url, packed.status]).toEqual([url, (sent.body?.length ?? 0) < 1024 ? 304 : 200]);
      expect((await edge.call("HEAD", url, { headers: { "If-None-Match": "*" } })).status).toBe(304);
    }
  });

  test("is of no answer that changes something, and those are never kept", async () => {
    const { headers } = await edge.call("POST", `${path}/pause`, { headers: {} });
    expect(headers["cache-control"]).toBe("no-store");
    await edge.call("POST", `${path}/resume`);
    const problem = await edge.call("GET", "/v1/monitors/none");
    expect([problem.status, problem.headers["cache-control"], problem.headers.etag]).toEqual([
      404,
      "no-store",
      undefined,
    ]);
  });

  test("of private answers asks the server each time, and of what a version changes may be kept an hour", async () => {
    const cachingOf = async (url: string) => (await edge.call("GET", url)).headers["cache-control"];
    expect(await cachingOf(path)).toBe("private, no-cache");
    expect(await cachingOf("/v1/protocols")).toBe("public, max-age=3600");
    expect(await cachingOf("/v1/openapi.json")).toBe("public, max-age=3600");
  });

  test("of a monitor changes with what is shown, and still locks its settings", async () => {
    const read = await edge.call("GET", path, { headers: { "Accept-Encoding": "gzip" } });
    const [shown = "", settings] = [read.headers.etag, read.body.etag];
    expect(matchesTag(shown, settings)).toBe(true);
    edge.clock.now = () => new Date(Date.now() + 1000);
    const patch = (ifMatch: string, description: string) =>
      edge.call("PATCH", path, { body: { name: description }, headers: { "If-Match": ifMatch } });
    expect((await patch('"other"', "a")).status).toBe(412);
    expect((await patch('"other.abc-gzip"', "a")).status).toBe(412);
    expect((await patch(`W/${shown}`, "a")).status).toBe(412);
    const first = await patch(`"other", ${shown}`, "a");
    expect(first.status).toBe(200);
    for (const stale of [shown, settings]) expect((await patch(stale, "b")).status).toBe(412);
    expect((await patch(first.headers.etag ?? "", "c")).status).toBe(200);
    edge.clock.now = () => new Date();
    expect((await edge.call("GET", path)).headers.etag).not.toBe(shown);
  });
});

describe("an answer that is too large for Lambda", () => {
  const event = (headers = {}) =>
    ({ headers, requestContext: { http: { method: "GET" } } }) as unknown as APIGatewayProxyEventV2;
  const result = (body: string) => ({ statusCode: 200, headers: { "content-type": "text/plain" }, body });

  test("is a problem that says what to do", async () => {
    const half = JSON.stringify('"'.repeat(MAX_RESULT_BYTES / 2 / 2));
    await expect(finishAnswer(event(), result(half))).rejects.toMatchObject({
      code: "answer-too-large",
      message: expect.stringMatching(/send the header Accept-Encoding: gzip, or ask for less/),
    });
  });

  test("is sent where it is small enough compressed", async () => {
    const body = "harborlight_up 1\n".repeat(MAX_RESULT_BYTES / 8);
    const packed = await finishAnswer(event({ "accept-encoding": "gzip" }), result(body));
    expect(packed.isBase64Encoded).toBe(true);
    expect(JSON.stringify(packed).length).toBeLessThan(MAX_RESULT_BYTES / 10);
  });
});
