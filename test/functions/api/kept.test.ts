import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorsOf, refTo } from "../../support/document.ts";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

/** What policies, maintenance windows and channels have in common. */
const KINDS = [
  {
    path: "/v1/policies",
    body: { name: "Kept", match: { tags: { team: "web" } }, steps: [{ afterSeconds: 0, emails: ["a@example.com"] }] },
    schema: "Policy",
  },
  {
    path: "/v1/maintenance-windows",
    body: { name: "Kept", all: true, schedule: { kind: "daily", at: "02:30", durationSeconds: 3_600 } },
    schema: "MaintenanceWindow",
  },
  {
    path: "/v1/channels",
    body: {
      name: "Kept",
      kind: "gotify",
      settings: { server: "https://gotify.example.com", token: "AbCdEf0123456_." },
    },
    schema: "Channel",
  },
];

describe.each(KINDS)("$path", ({ path, body, schema }) => {
  let own = "";
  beforeAll(async () => {
    const created = await edge.call("POST", path, { body });
    expect(created.status).toBe(201);
    own = created.headers.location ?? "";
  });

  test("takes the ETag of GET as If-Match, until it changes", async () => {
    const etag = (await edge.call("GET", own)).headers.etag ?? "";
    const headers = { "if-match": etag };
    expect((await edge.call("PATCH", own, { body: { name: "Changed" }, headers })).status).toBe(200);
    const late = await edge.call("PATCH", own, { body: { name: "Late" }, headers });
    expect([late.status, late.body.code]).toEqual([412, "stale-etag"]);
    expect((await edge.call("DELETE", own, { headers })).status).toBe(412);
  });
});
