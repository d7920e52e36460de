import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());
beforeEach(() => {
  edge.calls.checks.length = 0;
  edge.outside.probe = () => OUTCOME;
});

const OUTCOME = {
  state: "open",
  reason: null,
  message: "connected",
  health: "up",
  address: "127.0.0.1",
  timings: { connectMs: 0.4, latencyMs: 0.4 },
  traffic: { bytesSent: 0, bytesReceived: 0 },
  evidence: {},
  attempts: 1,
};
const document = {
  protocol: "tcp",
  host: "db.example.com",
  port: 5432,
  timeoutMs: 20_000,
  locations: ["local", "inside"],
};

describe("POST /v1/checks", () => {
  test("tries settings from every location, once, and stores nothing", async () => {
    const before = (await edge.stored("monitors", "MONITOR#")).length;
    const { status, body } = await edge.call("POST", "/v1/checks", { body: document });
    expect(status).toBe(200);
    expect(body).toEqual({
      outcomes: [
        { location: "local", ...OUTCOME },
        { location: "inside", ...OUTCOME },
      ],
    });
    expect(edge.calls.checks.map(({ functionName }) => functionName).toSorted()).toEqual([
      "probe-inside",
      "probe-local",
    ]);
    expect(edge.calls.checks[0]?.payload).toEqual({
      kind: "check",
      check: {
        protocol: "tcp",
        host: "db.example.com",
        port: 5432,
        settings: {},
        family: "auto",
        addresses: "first",
        expectedState: "open",
        timeoutMs: 15_000,
        retries: { count: 0, delayMs: 0 },
        degradedAboveMs: null,
        degradedAboveMsByLocation: {},
        errorRate: null,
        unusual: null,
        failureThreshold: 1,
        recoveryThreshold: 1,
        intervalSeconds: 60,
      },
    });
    expect((await edge.stored("monitors", "MONITOR#")).length).toBe(before);
  });

  test("says that a probe did not finish, in place of an outcome", async () => {
    edge.outside.probe = () => null;
    const { body } = await edge.call("POST", "/v1/checks", { body: document });
    const error = "the probe did not finish the check in time";
    expect(body.outcomes).toEqual([
      { location: "local", error },
      { location: "inside", error },
    ]);
  });

  test("says which location failed, and what the others saw", async () => {
    edge.outside.probe = (name) => {
      if (name === "probe-inside") throw new Error("no memory left");
      return OUTCOME;
    };
    const { status, body } = await edge.call("POST", "/v1/checks", { body: document });
    expect(status).toBe(200);
    expect(body.outcomes).toEqual([
      { location: "local", ...OUTCOME },
      { location: "inside", error: "the probe failed: no memory left" },
    ]);
  });

  test("says so when a probe refuses the settings", async () => {
    edge.outside.probe = () => ({ errors: [{ path: "host", message: "no" }] });
    const { body } = await edge.call("POST", "/v1/checks", { body: { ...document, locations: ["local"] } });
    expect(body.outcomes[0].error).toMatch(/refused the settings/);
  });

  test("refuses what creation refuses", async () => {
    const { status, body } = await edge.call("POST", "/v1/checks", {
      body: { ...document, host: "169.254.169.254", port: 0, zzz: 1 },
    });
    expect(status).toBe(422);
    expect(body.errors.map(({ path }: { path: string }) => path).toSorted()).toEqual(["host", "port", "zzz"]);
    expect((await edge.call("POST", "/v1/checks", { body: [document] })).status).toBe(422);
    expect(edge.calls.checks).toEqual([]);
  });
});

describe("POST /v1/monitors/{id}/check", () => {
  test("checks a monitor as it is saved", async () => {
    const { body: monitor } = await edge.call("POST", "/v1/monitors", {
      body: { ...document, name: "Orders", timeoutMs: 3000 },
    });
    edge.outside.probe = async () => {
      await sleep(50);
      return { ...OUTCOME, facts: { software: "Harbor 1.0" } };
    };
    const { status, body } = await edge.call("POST", `/v1/monitors/${monitor.id}/check`);
    expect([status, body.outcomes.length]).toEqual([200, 2]);
    expect(body.outcomes[0].facts).toEqual({ software: "Harbor 1.0" });
    expect(edge.calls.checks[0]?.payload).toMatchObject({ check: { timeoutMs: 3000 } });
  });
});

describe("the limit of 60 a minute", () => {
  test("is each token's own, counts exactly, and ends with the minute", async () => {
    const token = await edge.tokenWith("write");
    const minute = Math.floor(Date.now() / 60_000) * 60_000;
    edge.clock.now = () => new Date(minute + 15_500);
    const some = { ...document, locations: ["local"] };
    const ask = (who: string) => edge.call("POST", "/v1/checks", { body: some, token: who });
    const answers = await Promise.all(Array.from({ length: 65 }, () => ask(token)));
    const refused = answers.filter(({ status }) => status === 429);
    expect([answers.filter(({ status }) => status === 200).length, refused.length]).toEqual([60, 5]);
    expect(refused[0]?.body.code).toBe("too-many-requests");
    expect(refused[0]?.headers["retry-after"]).toBe("45");
    expect((await ask(edge.admin)).status).toBe(200);
    edge.clock.now = () => new Date(minute + 60_500);
    expect((await ask(token)).status).toBe(200);
    edge.clock.now = () => new Date();
  });
});
