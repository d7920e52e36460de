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
      (
        await edge.call("POST", "/v1/monitors", {
          body: { name, protocol: "tcp", host: "127.0.0.1", port: 1, tags: { [name]: "yes" } },
        })
      ).body.id,
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
          severity: n === 1 ? "degraded" : "down",
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

/** Reads all pages; each has the same total, and none but the last may be empty. */
const all = async (path: string) => {
  const items: { startedAt: string; endedAt: string | null; monitor: { id: string } }[] = [];
  let cursor = "";
  let total: number | undefined;
  do {
    const { status, body } = await edge.call("GET", `${path}${cursor && `&cursor=${cursor}`}`);
    expect(status).toBe(200);
    expect(body.total).toBe(total ?? body.total);
    total = body.total;
    items.push(...body.items);
    if (cursor || body.nextCursor) expect(body.items.length).toBeGreaterThan(0);
    cursor = body.nextCursor ?? "";
  } while (cursor);
  expect(total).toBe(items.length);
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
      acknowledged: null,
      alertCount: 2,
      heldBy: [],
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

  const between = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => moment(to - 1 - n));
  test.each<[string, string[]]>([
    [`from=${moment(5)}&to=${moment(9)}`, between(5, 9)],
    [`from=${moment(17)}`, between(17, 20)],
    [`to=${moment(2)}&state=closed`, between(0, 2)],
    [`from=${moment(18)}&state=closed`, []],
    ["severity=degraded", [moment(1)]],
    ["severity=degraded&severity=down&state=open", [moment(19), moment(18)]],
    ["tag=A&from=2026-01-01T00:16:00Z", [moment(18), moment(16)]],
    ["tag=A&tag=B", []],
    ["tag=nothing", []],
    ["from=-1s", []],
  ])("can be those of %s", async (query, expected) => {
    for (const limit of [1, 4, 200]) {
      const items = await all(`/v1/incidents?${query}&limit=${limit}`);
      expect(items.map(({ startedAt }) => startedAt)).toEqual(expected);
    }
  });

  test("can be those of a monitor, one that is gone too", async () => {
    const items = await all(`/v1/incidents?monitorId=${ids[1]}&from=${moment(4)}&limit=3`);
    expect(items.map(({ startedAt }) => startedAt)).toEqual([19, 17, 15, 13, 11, 9, 7, 5].map(moment));
    expect(items.every(({ monitor }) => monitor.id === ids[1])).toBe(true);
    expect(await all("/v1/incidents?monitorId=gone&limit=3")).toEqual([]);
  });

  test("can be chosen by their ids, alone or in a list", async () => {
    const id = (n: number) => `${ids[n % 2]}.${Date.parse(moment(n))}`;
    const items = await all(`/v1/incidents?id=${id(3)}&id=${id(8)}&id=${id(3)}&id=none&id=x.y&limit=1`);
    expect(items.map(({ startedAt }) => startedAt)).toEqual([moment(8), moment(3)]);
    expect(await all(`/v1/incidents?id=${id(3)}&monitorId=${ids[0]}`)).toEqual([]);
    const one = await edge.call("GET", `/v1/incidents/${id(3)}`);
    expect([one.status, one.body]).toEqual([200, { ...items[1], notes: [] }]);
    const none = await edge.call("GET", `/v1/incidents/${ids[0]}.1`);
    expect([none.status, none.body.code]).toEqual([404, "not-found"]);
  });

  test.each(["/v1/incidents?limit=20", "/v1/incidents?state=open&limit=2", `/v1/incidents?severity=degraded&limit=1`])(
    "%s ends without a cursor, because nothing follows",
    async (path) => {
      expect((await edge.call("GET", path)).body.nextCursor).toBeNull();
    },
  );

  test.each(["state=ended", "severity=up", "from=yesterday", "limit=0", "cursor=x", "q=x"])(
    "refuse ?%s",
    async (query) => {
      expect((await edge.call("GET", `/v1/incidents?${query}`)).status).toBe(422);
    },
  );

  test("a cursor of one list does not work in another", async () => {
    const { body } = await edge.call("GET", `/v1/monitors/${ids[0]}/incidents?limit=1`);
    const other = await edge.call("GET", `/v1/monitors/${ids[1]}/incidents?limit=1&cursor=${body.nextCursor}`);
    expect(other.status).toBe(422);
  });
});
