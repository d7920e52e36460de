/** The export against the API function behind a real HTTP server that fails now and then. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ExportError, type ExportOptions, exportOutcomes, parseOptions } from "../../../infra/commands/export.ts";
import { type Edge, startEdge } from "../../functions/api/edge.ts";
import { type Plain, runShard } from "../../support/fleet.ts";
import { noisyTarget } from "../../support/noise.ts";

const NOW = Math.floor(Date.now() / 1000);
const FROM = NOW - 40 * 3_600;
const plain: Plain = new Map();
let edge: Edge;
let url = "";
/** Statuses that the next requests get instead of an answer. */
const faults: number[] = [];
const server = createServer(async (request, response) => {
  const fault = faults.shift();
  if (fault) return response.writeHead(fault, { "content-type": "application/json" }).end('{"detail":"out of order"}');
  const { status, body } = await edge.call("GET", request.url!, { token: request.headers.authorization!.slice(7) });
  return response.writeHead(status).end(JSON.stringify(body));
});

beforeAll(async () => {
  edge = await startEdge();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const members = new Map();
  let shard = "";
  for (const name of ["a", "b", "c"]) {
    const body = { name, protocol: "tcp", host: "127.0.0.1", port: 1, intervalSeconds: 600, locations: ["local"] };
    const { id } = (await edge.call("POST", "/v1/monitors", { body })).body;
    const [item] = await edge.stored("monitors", `MONITOR#${id}`);
    shard = item!.shard;
    const placements = [{ shard, fromTick: 0, toTick: null }];
    await edge.client.send(new PutCommand({ TableName: edge.tables.monitors, Item: { ...item, placements } }));
    members.set(id, noisyTarget(members.size + 1));
  }
  await runShard(
    { ...edge, history: edge.stores.history },
    { shard, locations: ["local"], from: FROM, to: NOW, members },
    plain,
  );
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await edge[Symbol.asyncDispose]();
});

const job: ExportOptions = { from: new Date(FROM * 1000), to: new Date(NOW * 1000), format: "jsonl" };
const run = async (some: Partial<ExportOptions> = {}, firstPauseMs = 1) => {
  const parts: string[] = [];
  const write = async (more: string) => void parts.push(more);
  const output = { write, progress: () => {}, firstPauseMs };
  const source = { url, token: edge.admin };
  const error = await exportOutcomes(source, { ...job, ...some }, output).then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  return { text: parts.join(""), error };
};
const expected = () =>
  [...plain]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, list]) => list.map(({ tick }) => `${key.split(" ")[0]} ${new Date(tick * 1000).toISOString()}`));
const seen = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .map(({ monitorId, at }) => `${monitorId} ${at}`);

test("streams every outcome once, monitor by monitor, oldest first", async () => {
  const { text, error } = await run();
  expect(error).toBeUndefined();
  expect(seen(text)).toEqual(expected());
});

test("as CSV, with one header", async () => {
  const { text } = await run({ format: "csv" });
  const lines = text.trimEnd().split("\r\n");
  expect(lines[0]).toBe("monitorId,at,location,state,health,reason,latencyMs,lossPercent,view,offline,maintenance");
  expect(lines.slice(1).map((line) => line.split(",").slice(0, 2).join(" "))).toEqual(expected());
});

test("tries again what fails in passing", async () => {
  faults.push(503, 429, 500, 502);
  const { text, error } = await run();
  expect(error).toBeUndefined();
  expect(seen(text)).toEqual(expected());
});

test("what fails for good says how to continue, and continuing leaves out and repeats nothing", async () => {
  const whole = expected();
  for (const before of [0, 1, 3, 5]) {
    const begun = await run({}, 0).then(async () => {
      faults.push(...Array(before + 1).fill(0), ...Array(10).fill(503));
      return run({}, 0);
    });
    faults.length = 0;
    expect(begun.error).toBeInstanceOf(ExportError);
    const [, id, date] = /--resume (\w+),(\S+)/.exec(begun.error!.message)!;
    const rest = await run({ resume: { id: id!, date: date! } });
    const both = [begun.text, rest.text].filter((text) => text !== "").flatMap(seen);
    expect(both).toEqual(whole);
  }
});

test("an unknown monitor and a wrong token are errors in words, at once", async () => {
  expect((await run({ monitor: "nobody" }, 60_000)).error?.message).toContain("there is no monitor");
});

test.each([
  [["--from", "yesterday"], "--from must be a moment in ISO 8601"],
  [["--from", "2026-02-30"], "--from must be a moment in ISO 8601"],
  [["--from", "1960-01-01"], "--from must be a moment in ISO 8601"],
  [["--from", "2026-01-02", "--url", "nonsense"], "--url must be the API's URL"],
  [["--from", "2026-01-02", "--to", "2026-01-01"], "--from must be before --to"],
  [["--from", "2026-01-02", "--to", "2126-01-01"], "--to must not be in the future"],
  [["--from", "2026-01-02", "--format", "xml"], "--format must be csv or jsonl"],
  [["--from", "2026-01-02", "--resume", "x"], "--resume must be"],
  [["--frm", "2026-01-02"], "usage:"],
])("%j is refused", (args, message) => {
  expect(() => parseOptions(args, new Date("2026-06-01"))).toThrow(message);
});
