import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

const minimal = { name: "Orders", protocol: "tcp", host: "127.0.0.1", port: 5432 };

describe("one monitor", () => {
  beforeEach(() => {
    edge.calls.jobs.length = 0;
    edge.calls.plans.length = 0;
  });

  test("is created with every default, checked at once, and its new shard planned", async () => {
    const { status, headers, body } = await edge.call("POST", "/v1/monitors", { body: minimal });
    expect(status).toBe(201);
    expect(headers.location).toBe(`/v1/monitors/${body.id}`);
    expect(body).toEqual({
      ...minimal,
      key: null,
      settings: {},
      family: "auto",
      addresses: "first",
      intervalSeconds: 60,
      timeoutMs: 5000,
      retries: { count: 2, delayMs: 1000 },
      expectedState: "open",
      failureThreshold: 1,
      recoveryThreshold: 1,
      degradedAboveMs: null,
      locations: ["local"],
      quorum: "majority",
      alerts: { afterSeconds: 0, emails: [] },
      tags: {},
      paused: false,
      id: body.id,
      status: "pending",
      since: body.createdAt,
      lastCheckedAt: null,
      latencyMs: null,
      timeToAlertSeconds: 80,
      views: {},
      incident: null,
      flapping: false,
      createdAt: body.createdAt,
      updatedAt: body.createdAt,
    });
    expect(edge.calls.jobs).toEqual([
      { queue: "jobs-local", job: { kind: "spot", monitorId: body.id, settingsVersion: 1 } },
    ]);
    expect(edge.calls.plans).toEqual([{ source: "api", shard: "60#0" }]);
    const read = await edge.call("GET", `/v1/monitors/${body.id}`);
    expect(read.body).toEqual(body);
    expect(read.headers.etag).toBe(headers.etag);
  });
});
