/** `/v1/metrics` with many monitors, and with names that need care. Outcomes are in `history.test.ts`. */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { finishAnswer, MAX_RESULT_BYTES } from "../../../../functions/api/http/answer.ts";
import { exposition, type NamedBlock } from "../../../../functions/api/monitors/exposition.ts";
import { chunksOf } from "../../../../shared/rules/plan.ts";
import { monitorOf, putMonitor } from "../../../support/monitors.ts";
import { type Edge, startEdge } from "../edge.ts";
import { minimal, useEdge } from "./fixture.ts";

useEdge();

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
  const monitors = [
    { key: "a", name: 'Say "hi" \\ bye', tags: { "team/x": "web", "team-x": "ops", env: "prod\\" } },
    { key: "b", name: "Größe", paused: true, tags: { env: "test" } },
    { key: "c", name: "plain" },
  ];
  await edge.call("PUT", "/v1/monitors", { body: { monitors: monitors.map((one) => ({ ...minimal, ...one })) } });
  await putMonitor(edge, monitorOf({ id: "down1", name: "No key", status: "down", tags: { env: "prod" } }));
});
afterAll(() => edge[Symbol.asyncDispose]());

const scrape = async (query = "") => {
  const { status, body } = await edge.call("GET", `/v1/metrics${query}`);
  expect(status).toBe(200);
  return (body as string).trimEnd().split("\n");
};
const samples = (lines: string[], name: string) => lines.filter((line) => line.startsWith(`${name}{`));

describe("metrics", () => {
  test("say what each monitor is, with labels that differ and are escaped", async () => {
    const infos = samples(await scrape(), "harborlight_monitor_info");
    expect(infos.map((line) => line.replace(/monitor="[^"]*"/, "monitor"))).toEqual(
      expect.arrayContaining([
        String.raw`harborlight_monitor_info{monitor,name="Say \"hi\" \\ bye",protocol="tcp",host="127.0.0.1",port="5432",key="a",tag_env="prod\\",tag_team_x="ops",tag_team_x_2="web"} 1`,
        'harborlight_monitor_info{monitor,name="Größe",protocol="tcp",host="127.0.0.1",port="5432",key="b",tag_env="test"} 1',
        'harborlight_monitor_info{monitor,name="No key",protocol="tcp",host="127.0.0.1",port="5432",tag_env="prod"} 1',
      ]),
    );
    expect(infos).toHaveLength(4);
  });

  test("have the status of every monitor, paused and pending ones too, one sample each", async () => {
    const statuses = samples(await scrape(), "harborlight_monitor_status");
    const counts = Map.groupBy(statuses, (line) => /status="(\w+)"/.exec(line)?.[1]);
    expect(Object.fromEntries([...counts].map(([status, some]) => [status, some.length]))).toEqual({
      pending: 2,
      paused: 1,
      down: 1,
    });
  });

  test("can be those of a tag, and come in parts that together are all", async () => {
    expect(samples(await scrape("?tag=env=prod"), "harborlight_monitor_status")).toHaveLength(1);
    expect(samples(await scrape("?tag=env"), "harborlight_monitor_status")).toHaveLength(3);
    const whole = await scrape();
    const parts = [...(await scrape("?part=1/3")), ...(await scrape("?part=2/3")), ...(await scrape("?part=3/3"))];
    expect(new Set(parts)).toEqual(new Set(whole));
    expect(samples(parts, "harborlight_monitor_info")).toHaveLength(4);
  });

  test.each(["part=0/2", "part=3/2", "part=1", "part=1/101", "part=a/b", "tag="])("refuse ?%s", async (query) => {
    const { status, body } = await edge.call("GET", `/v1/metrics?${query}`);
    expect([status, body.errors[0].path]).toEqual([422, expect.stringMatching(/^(part|tag)/)]);
  });
});

describe("with 10,000 monitors from two locations", () => {
  const MEMBERS = 250;
  const locations = ["eu-west-1", "us-east-1"];
  const idOf = (n: number) => createHash("sha256").update(String(n)).digest("hex").slice(0, 20);
  const rows = Array.from({ length: 10_000 }, (_, n) => {
    const monitor = monitorOf({
      id: idOf(n),
      name: `Service ${n} in production`,
      key: `service-${n}`,
      host: `host-${n}.example.com`,
      status: "up",
      tags: { team: `t${n % 9}`, env: "prod" },
    });
    return {
      ...monitor,
      listKey: "",
      changedAt: "",
      cause: null,
      certificateEndsMs: null,
      channels: [],
      acknowledged: false,
    };
  });
  const blocks: NamedBlock[] = locations.flatMap((location) =>
    chunksOf(rows, MEMBERS).map((members, shard) => ({
      shard: `60#${shard}`,
      location,
      tick: 1_790_000_000,
      offline: false,
      ids: members.map(({ id }) => id),
      entries: members.map((_, n) => ({
        health: "up" as const,
        view: "up" as const,
        state: "open" as const,
        reason: null,
        latencyMs: (n * 37) % 999,
        lossPercent: n % 2 ? 0 : null,
        bits: 0,
        bitCount: 32,
        settingsByte: 1,
        unmeasuredStreak: 0,
        upStreak: 127,
        notUpStreak: 0,
        doubt: 0,
      })),
    })),
  );
  const event = (headers = {}) =>
    ({ headers, requestContext: { http: { method: "GET" } } }) as unknown as APIGatewayProxyEventV2;
  const answer = (body: string) => ({ statusCode: 200, headers: { "content-type": "text/plain" }, body });

  test("an answer fits compressed, and is refused with what to do where it does not fit", async () => {
    const body = exposition(rows, blocks);
    expect(body.match(/\n/g)!.length).toBeGreaterThan(100_000);
    const packed = await finishAnswer(event({ "accept-encoding": "gzip" }), answer(body));
    expect(gunzipSync(Buffer.from(packed.body ?? "", "base64")).toString()).toBe(body);
    expect(JSON.stringify(packed).length).toBeLessThan(MAX_RESULT_BYTES / 2);
    await expect(finishAnswer(event(), answer(body))).rejects.toMatchObject({
      code: "answer-too-large",
      message: expect.stringMatching(/Accept-Encoding: gzip, or ask for less.* part/),
    });
    const third = await finishAnswer(event(), answer(exposition(rows.slice(0, 3_400), blocks)));
    expect(JSON.stringify(third).length).toBeLessThan(MAX_RESULT_BYTES);
  });
});
