import { afterAll, beforeAll, expect, test } from "vitest";
import { HIDDEN } from "../../../shared/protocols/secrets.ts";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

test("secrets among the settings are shown to tokens that may write them, and hidden from readers", async () => {
  const settings = { community: "s3cret" };
  const body = { name: "Router", protocol: "snmp", host: "127.0.0.1", port: 1161, settings };
  const created = await edge.call("POST", "/v1/monitors", { body });
  expect(created.status).toBe(201);
  expect(created.body.settings).toEqual(settings);
  const reader = await edge.tokenWith("read");
  for (const path of [`/v1/monitors/${created.body.id}`, "/v1/monitors"]) {
    const seen = await edge.call("GET", path, { token: reader });
    expect(JSON.stringify(seen.body)).not.toContain("s3cret");
    expect(JSON.stringify(seen.body)).toContain(HIDDEN);
    expect(JSON.stringify((await edge.call("GET", path)).body)).toContain("s3cret");
  }
});
