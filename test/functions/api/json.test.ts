import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseJson } from "../../../functions/api/http/json.ts";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

describe("JSON", () => {
  const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  test.each([
    ["8,000 levels deep", `{"name": ${nested(8_000)}}`, [""], /at most 32 levels/],
    ["100,000 lists deep", nested(100_000), [""], /at most 32 levels/],
    ["33 levels deep", `{"settings": ${nested(32)}}`, [""], /at most 32 levels/],
    ["with a name twice", '{"port": 1, "host": "a", "port": 2}', ["port"], /given once/],
    ["with a name twice, once escaped", '{"port": 1, "p\\u006frt": 1}', ["port"], /given once/],
    [
      "with names twice within",
      '{"tags": {"a": "\\"x\\\\", "a": "y"}, "settings": {"steps": [{}, {"send": 1, "send": {"b": 1, "b": 2}}]}}',
      ["tags.a", "settings.steps[1].send", "settings.steps[1].send.b"],
      /given once/,
    ],
  ])("%s is refused", async (_name, raw, paths, message) => {
    const { status, body } = await edge.call("POST", "/v1/monitors", { raw });
    expect([status, body.code]).toEqual([422, "invalid-input"]);
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(paths);
    expect(body.errors[0].message).toMatch(message);
  });

  test("with equal names in different objects, and 32 levels, is read as it is", () => {
    const text = `{"a": {"a": 1, "b": "{\\"a\\":1,\\"a\\":2}"}, "b": [{"a": 1}, {"a": 2}], "c": ${nested(31)}}`;
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });
});
