import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { protocols } from "../../../shared/protocols/index.ts";
import { createLocationStore } from "../../../shared/store/locations.ts";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

describe("GET /v1/protocols", () => {
  test("has every protocol with a schema, and an example that creates a monitor", async () => {
    const { status, body } = await edge.call("GET", "/v1/protocols");
    expect([status, body.items.map(({ name }: { name: string }) => name)]).toEqual([
      200,
      Object.keys(protocols).toSorted(),
    ]);
    for (const { name, settings, example } of body.items) {
      expect(settings.type ?? settings.anyOf ?? settings.oneOf, name).toBeDefined();
      const created = await edge.call("POST", "/v1/monitors", { body: example });
      expect([name, created.status, created.body.errors]).toEqual([name, 201, undefined]);
    }
  });
});

describe("GET /v1/health", () => {
  const at = new Date("2026-11-22T10:00:00.000Z");
  const laterBy = (seconds: number) => new Date(at.getTime() + seconds * 1000);
  const ask = async (now: Date) => {
    edge.clock.now = () => now;
    const { status, body } = await edge.call("GET", "/v1/health", { token: null });
    edge.clock.now = () => new Date();
    return { status, body };
  };

  test("needs no token and says when each location spoke last", async () => {
    await createLocationStore(edge.client, edge.tables.monitors).beat("local", at, at);
    expect(await ask(laterBy(180))).toEqual({
      status: 200,
      body: {
        status: "ok",
        version: "test",
        locations: [
          { name: "local", condition: "working", lastHeartbeatAt: at.toISOString(), offlineSince: null },
          { name: "eu-west-1", condition: "working", lastHeartbeatAt: null, offlineSince: null },
          { name: "inside", condition: "working", lastHeartbeatAt: null, offlineSince: null },
        ],
      },
    });
  });

  test("is degraded while a location is silent", async () => {
    const { status, body } = await ask(laterBy(181));
    expect([status, body.status, body.locations[0].condition]).toEqual([200, "degraded", "silent"]);
  });

  test("is degraded while heartbeats are asked of a location and none ever came", async () => {
    const locations = createLocationStore(edge.client, edge.tables.monitors);
    await locations.beat("local", laterBy(1_000), laterBy(1_000));
    await locations.ask("inside", laterBy(800), 180);
    expect((await ask(laterBy(900))).body.status).toBe("ok");
    const { body } = await ask(laterBy(1_000));
    expect([body.status, body.locations[2].condition]).toEqual(["degraded", "silent"]);
    await locations.beat("inside", laterBy(1_000), laterBy(1_000));
  });

  test("is degraded while a location is offline", async () => {
    await createLocationStore(edge.client, edge.tables.monitors).setOffline("local", at.toISOString());
    const { body } = await ask(laterBy(1_000));
    expect([body.status, body.locations[0].condition]).toEqual(["degraded", "offline"]);
  });
});

describe("people who open the API's address in a browser", () => {
  test.each(["/v1", "/v1/"])("are told at %s what this is and where the document is", async (path) => {
    const { status, headers, body } = await edge.call("GET", path, { token: null });
    expect([status, headers["content-type"]]).toEqual([200, "text/plain; charset=utf-8"]);
    expect(body).toMatch(/Harborlight test .*\n\n\/v1\/openapi\.json/);
  });

  test("cannot write there", async () => {
    const { status, headers } = await edge.call("POST", "/v1", { token: null });
    expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
  });
});

test("GET /v1/openapi.json is served without a token", async () => {
  expect((await edge.call("GET", "/v1/openapi.json", { token: null })).body).toEqual({ openapi: "3.1.1" });
});

describe("an unexpected error", () => {
  test("is a problem that says nothing of the inside", async () => {
    const broken = await startEdge();
    await broken.stop();
    const { status, body, headers } = await broken.call("GET", "/v1/health", { token: null });
    expect([status, headers["content-type"]]).toEqual([500, "application/problem+json"]);
    expect(body).toEqual({
      type: "urn:harborlight:problem:internal",
      title: "Something went wrong on our side",
      status: 500,
      code: "internal",
      detail: "look for request request-1 in the log of the api function",
      requestId: "request-1",
    });
  });

  test("of taking too long is 503, while there is time to say so", async () => {
    const document = { protocol: "tcp", host: "127.0.0.1", port: 1 };
    let release = (_outcome: unknown) => {};
    edge.outside.probe = () => new Promise((resolve) => (release = resolve));
    const { status, body } = await edge.call("POST", "/v1/checks", { body: document, remainingMs: 700 });
    release({ state: "open" });
    expect([status, body.code]).toEqual([503, "timed-out"]);
  });
});
