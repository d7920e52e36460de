import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { incidentKey } from "../../../shared/store/keys.ts";
import { incidentPlace, openIncidentPlace } from "../../../shared/store/listing.ts";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
const ids: string[] = [];
const moment = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();

beforeAll(async () => {
  edge = await startEdge();
  for (const name of ["A", "B"])
    ids.push(
      (await edge.call("POST", "/v1/monitors", { body: { name, protocol: "tcp", host: "127.0.0.1", port: 1 } })).body
        .id,
    );
  // Twenty in turns; the newest of each monitor is still open.
  for (let n = 0; n < 20; n++) {
    const monitorId = ids[n % 2] ?? "";
    const endedAt = n < 18 ? moment(n + 1) : null;
    await edge.client.send(
      new PutCommand({
        TableName: edge.tables.monitors,
        Item: {
          ...incidentKey(monitorId, moment(n)),
          id: `${monitorId}.${Date.parse(moment(n))}`,
          startedAt: moment(n),
          endedAt,
          severity: "down",
          reason: "timeout",
          message: "no answer",
          evidence: {},
          locations: {},
          announced: endedAt ? "recovered" : "down",
          alertCount: 2,
          endReason: endedAt && "recovered",
          undeliverable: n === 0 ? { "x.1 email:a@b.ch": { error: "MessageRejected: no", at: moment(1) } } : {},
          monitorId,
          monitorName: "A",
          protocol: "tcp",
          host: "127.0.0.1",
          port: 1,
          ...incidentPlace(monitorId, moment(n)),
          ...(!endedAt && openIncidentPlace(monitorId, moment(n))),
        },
      }),
    );
  }
});
afterAll(() => edge[Symbol.asyncDispose]());

const all = async (path: string) => {
  const items: { startedAt: string; endedAt: string | null }[] = [];
  let cursor = "";
  do {
    const { status, body } = await edge.call("GET", `${path}${cursor && `&cursor=${cursor}`}`);
    expect(status).toBe(200);
    items.push(...body.items);
    cursor = body.nextCursor ?? "";
  } while (cursor);
  return items;
};

describe("incidents", () => {
  test("of all monitors come newest first, open and closed ones together", async () => {
    const items = await all("/v1/incidents?limit=7");
    expect(items.map(({ startedAt }) => startedAt)).toEqual(Array.from({ length: 20 }, (_, n) => moment(19 - n)));
  });

  test.each([
    ["open", 2],
    ["closed", 18],
  ])("can be the %s ones alone", async (state, count) => {
    const items = await all(`/v1/incidents?state=${state}&limit=5`);
    expect(items).toHaveLength(count);
    expect(items.every(({ endedAt }) => (endedAt === null) === (state === "open"))).toBe(true);
  });

  test("of one monitor page too", async () => {
    const items = await all(`/v1/monitors/${ids[1]}/incidents?limit=3`);
    expect(items.map(({ startedAt }) => startedAt)).toEqual(Array.from({ length: 10 }, (_, n) => moment(19 - 2 * n)));
  });

  test("say what happened to which monitor, how long, and who could not be told", async () => {
    const oldest = (await all(`/v1/monitors/${ids[0]}/incidents?limit=200`)).at(-1);
    expect(oldest).toEqual({
      id: `${ids[0]}.${Date.parse(moment(0))}`,
      startedAt: moment(0),
      endedAt: moment(1),
      durationSeconds: 60,
      severity: "down",
      reason: "timeout",
      message: "no answer",
      evidence: {},
      locations: {},
      alertCount: 2,
      endReason: "recovered",
      undeliverable: [{ delivery: "x.1 email:a@b.ch", error: "MessageRejected: no", at: moment(1) }],
      monitor: { id: ids[0], name: "A", protocol: "tcp", host: "127.0.0.1", port: 1 },
    });
  });

  test("show the address of a failed mail only to those who may write", async () => {
    const path = `/v1/monitors/${ids[0]}/incidents?limit=200`;
    const { body } = await edge.call("GET", path, { token: await edge.tokenWith("read") });
    expect(body.items.at(-1).undeliverable).toEqual([
      { delivery: "x.1 email:(hidden)", error: "MessageRejected: no", at: moment(1) },
    ]);
  });

  test.each(["state=ended", "limit=0", "cursor=x", "q=x"])("refuse ?%s", async (query) => {
    expect((await edge.call("GET", `/v1/incidents?${query}`)).status).toBe(422);
  });

  test("a cursor of one list does not work in another", async () => {
    const { body } = await edge.call("GET", `/v1/monitors/${ids[0]}/incidents?limit=1`);
    const other = await edge.call("GET", `/v1/monitors/${ids[1]}/incidents?limit=1&cursor=${body.nextCursor}`);
    expect(other.status).toBe(422);
  });
});
