/** The forms in which history is asked for: moments of a range, content types. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Edge, startEdge } from "./edge.ts";

const HOUR = 3600;
const NOW = Math.floor(Date.now() / 1000);

let edge: Edge;
let id: string;
beforeAll(async () => {
  edge = await startEdge();
  edge.clock.now = () => new Date(NOW * 1000);
  const body = { name: "Orders", protocol: "tcp", host: "db.example.com", port: 5432 };
  id = (await edge.call("POST", "/v1/monitors", { body })).body.id;
});
afterAll(() => edge[Symbol.asyncDispose]());

test.each([
  ["-5h", NOW - 5 * HOUR],
  ["-90m", NOW - 1.5 * HOUR],
  ["-100s", NOW - 100],
  ["-2d", NOW - 48 * HOUR],
  ["-1w", NOW - 168 * HOUR],
  [`${NOW - HOUR}`, NOW - HOUR],
  [`${(NOW - HOUR) * 1000 + 999}`, NOW - HOUR],
])("a range may begin at %s", async (from, expected) => {
  const { status, body } = await edge.call("GET", `/v1/monitors/${id}/stats?from=${from}&step=1d`);
  expect([status, body.errors, body.total?.from]).toEqual([200, undefined, new Date(expected * 1000).toISOString()]);
});

test.each([
  ["text/csv", "csv"],
  ["text/csv, application/json", "csv"],
  ["Text/CSV; header=present", "csv"],
  ["application/json;q=0.5, text/csv;q=0.9", "csv"],
  ["text/csv;q=0.1, application/json", "json"],
  ["text/csv;q=0.5, */*", "json"],
  ["text/csv, */*;q=0.1", "csv"],
  ["text/*", "csv"],
  ["application/json;q=0, */*", "csv"],
  ["text/csv;q=0", "json"],
  ["*/*", "json"],
  ["text/html", "json"],
  ["text/csvx", "json"],
])("Accept: %s is answered in %s", async (accept, expected) => {
  const { status, headers } = await edge.call("GET", `/v1/monitors/${id}/results?limit=1`, { headers: { accept } });
  expect([status, headers["content-type"]?.includes(expected)]).toEqual([200, true]);
});
