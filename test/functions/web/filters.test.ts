import { expect, test } from "vitest";
import type { Row } from "../../../functions/web/page/model.ts";
import { countByStatus, found, merged, ordered, type Question } from "../../../functions/web/page/monitors/filters.ts";

const row = (id: string, more: Partial<Row> = {}): Row => ({
  id,
  revision: 1,
  name: id,
  protocol: "tcp",
  host: "db.example.com",
  port: 5432,
  tags: {},
  intervalSeconds: 60,
  status: "up",
  since: "2026-11-27T10:00:00.000Z",
  state: "open",
  reason: null,
  message: "",
  latencyMs: 1,
  uptimePercent: 100,
  maintenanceUntil: null,
  bars: "u",
  downSeconds: {},
  ...more,
});
const question = (more: Partial<Question> = {}): Question => ({
  q: "",
  status: null,
  tag: null,
  group: null,
  sort: "status",
  ...more,
});
const ids = (rows: readonly Row[], more: Partial<Question> = {}) =>
  ordered(found(rows, question(more)), question(more)).flatMap((group) => group.rows.map(({ id }) => id));

test("what needs attention comes first, then names as people sort them", () => {
  const rows = [row("Web 10"), row("Web 9"), row("paused", { status: "paused" }), row("down", { status: "down" })];
  expect(ids(rows)).toEqual(["down", "Web 9", "Web 10", "paused"]);
  expect(ids(rows, { sort: "name" })).toEqual(["down", "paused", "Web 9", "Web 10"]);
});

test("a search finds monitors that have all words, in names, addresses, protocols, tags and messages", () => {
  const rows = [
    row("Orders", { tags: { team: "Shop" }, message: "refused the connection" }),
    row("Mail", { protocol: "smtp", host: "mx.example.com", port: 25 }),
  ];
  for (const q of ["ORD shop", "team=shop", "refused", "5432"]) expect(ids(rows, { q })).toEqual(["Orders"]);
  expect(ids(rows, { q: "smtp :25" })).toEqual(["Mail"]);
  expect(ids(rows, { q: "x".repeat(500_000) })).toEqual([]);
});

test("filters by status and tag", () => {
  const rows = [row("a", { tags: { team: "x=y" } }), row("b", { status: "down", tags: { team: "z" } }), row("c")];
  expect(ids(rows, { status: "down" })).toEqual(["b"]);
  expect(ids(rows, { tag: "team" })).toEqual(["b", "a"]);
  expect(ids(rows, { tag: "team=x=y" })).toEqual(["a"]);
  expect(ids(rows, { tag: "constructor" })).toEqual([]);
});

test("groups by a tag, those without it last", () => {
  const rows = [row("a", { tags: { team: "web" } }), row("b"), row("c", { tags: { team: "db" } })];
  const groups = ordered(rows, question({ group: "team" }));
  expect(groups.map(({ name, rows: own }) => [name, own.map(({ id }) => id)])).toEqual([
    ["db", ["c"]],
    ["web", ["a"]],
    ["", ["b"]],
  ]);
});

test("sorts by the lowest uptime, the highest latency and the newest change", () => {
  const rows = [
    row("a", { uptimePercent: 99, latencyMs: 5 }),
    row("b", { uptimePercent: null, latencyMs: null, since: "2026-11-27T11:00:00.000Z" }),
    row("c", { uptimePercent: 98, latencyMs: 9 }),
  ];
  expect(ids(rows, { sort: "uptime" })).toEqual(["c", "a", "b"]);
  expect(ids(rows, { sort: "latency" })).toEqual(["c", "a", "b"]);
  expect(ids(rows, { sort: "newest" })).toEqual(["b", "a", "c"]);
});

test("counts by status", () => {
  expect([...countByStatus([row("a"), row("b"), row("c", { status: "down" })])]).toEqual([
    ["up", 2],
    ["down", 1],
  ]);
});

test("a row that says nothing new stays the same object, and one without latency keeps the one it had", () => {
  const before = new Map([row("a"), row("b")].map((one) => [one.id, one]));
  const { latencyMs: _, ...polled } = row("b", { revision: 2, status: "down" });
  const after = merged(before, [row("a"), polled]);
  expect(after.get("a")).toBe(before.get("a"));
  expect(after.get("b")).toMatchObject({ revision: 2, status: "down", latencyMs: 1 });
});
