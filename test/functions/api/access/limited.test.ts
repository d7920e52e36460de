/** Tokens that are limited to tags: calls about many monitors, and scopes. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Edge, startEdge } from "../edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

const create = async (team: string) => {
  const body = { name: `Of ${team}`, protocol: "tcp", host: "127.0.0.1", port: 1, tags: { team } };
  return (await edge.call("POST", "/v1/monitors", { body })).body.id as string;
};

test("it changes its own alone by a bulk call, keeps its tag, and sees the tags of its own", async () => {
  const [own, other] = [await create("orders"), await create("payments")];
  const token = await edge.limitedToken("deploy", "team=orders");
  const bulk = async (body: object) => (await edge.call("POST", "/v1/monitors/bulk", { token, body })).body;
  const paused = await bulk({ ids: [own, other], action: "pause" });
  expect(paused.done.map(({ id }: { id: string }) => id)).toEqual([own]);
  expect(paused.failed).toMatchObject([{ id: other, code: "not-found" }]);
  const freed = await bulk({ ids: [own], action: "update", change: { tags: { team: null } } });
  expect(freed.failed).toMatchObject([{ id: own, code: "invalid-input", errors: [{ path: "tags" }] }]);
  const { body } = await edge.call("GET", "/v1/tags", { token });
  expect(body.items).toEqual([{ key: "team", monitors: 1, values: [{ value: "orders", monitors: 1 }] }]);
});

test("it cannot have the scope admin", async () => {
  const body = { name: "x", scopes: ["admin"], monitorTags: ["team=orders"] };
  const answer = await edge.call("POST", "/v1/tokens", { body });
  expect([answer.status, answer.body.errors[0].path]).toEqual([422, "monitorTags"]);
});
