import { describe, expect, test } from "vitest";
import { monitorKey } from "../../../shared/store/keys.ts";
import { createMonitorReader } from "../../../shared/store/monitor-item.ts";
import { serve } from "../../support/servers.ts";
import { startProbe } from "./fixture.ts";

describe("a job", () => {
  test("of several shards: one that fails is repeated with the job, the others are done by then", async () => {
    let broken = "SHARD#10#1#a";
    await using p = await startProbe({
      intercept: ({ operation, body }) =>
        operation === "PutItem" && (body as { Item: { pk: { S: string } } }).Item.pk.S === broken
          ? "fail-before"
          : "proceed",
    });
    await using server = await serve(() => {});
    const shards = ["10#0", "10#1"];
    for (const [i, shard] of shards.entries())
      await p.put({ id: `m${i}`, port: server.port, shard, placements: [{ shard, fromTick: 0, toTick: null }] });
    await expect(p.job({ kind: "tick", shards, tick: p.at(0) })).rejects.toThrow();
    expect(p.state.results).toEqual(["checked"]);
    broken = "";
    await p.job({ kind: "tick", shards, tick: p.at(0) });
    expect(p.state.results.toSorted()).toEqual(["checked", "checked", "done"]);
    for (const shard of shards) expect((await p.history.latestBlock(shard, "a", p.at(0)))?.tick).toBe(p.at(0));
    expect((await p.view("m1"))?.health).toBe("up");
  });

  test("of timers touches those that have not changed since, and none twice", async () => {
    await using p = await startProbe();
    const dueAt = "2027-01-01T00:00:00.000Z";
    await p.put({});
    await p.setTimer("m1", dueAt);
    const timers = ["m1", "gone"].map((id) => ({ ...monitorKey(id), dueAt }));
    await p.job({ kind: "touch", timers });
    await p.job({ kind: "touch", timers });
    const found = await createMonitorReader(p.client, p.tables.monitors).getMany(["m1", "gone"]);
    expect([...found.keys()]).toEqual(["m1"]);
    expect(found.get("m1")).toMatchObject({ revision: 2, lookBy: expect.any(String), nextEvaluationAt: null });
  });
});
