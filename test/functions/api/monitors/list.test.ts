import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { monitorKey } from "../../../../shared/store/keys.ts";
import { type Edge, startEdge } from "../edge.ts";
import { minimal } from "./fixture.ts";

describe("listing", () => {
  let own: Edge;
  beforeAll(async () => {
    own = await startEdge();
    const monitors = Array.from({ length: 25 }, (_, n) => ({
      ...minimal,
      name: `${n % 2 ? "b" : "A"} ${String(n).padStart(2, "0")}`,
      host: n === 3 ? "special.example.com" : "127.0.0.1",
      tags: { n: String(n % 5), ...(n < 3 && { "odd one": "a=b,c" }) },
      paused: n === 7,
      key: `k${n}`,
    }));
    await own.call("PUT", "/v1/monitors", { body: { monitors } });
  });
  afterAll(() => own[Symbol.asyncDispose]());

  const all = async (query: string) => {
    const names: string[] = [];
    let cursor = "";
    let pages = 0;
    do {
      const { status, body } = await own.call("GET", `/v1/monitors?${query}${cursor && `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      names.push(...body.items.map(({ name }: { name: string }) => name));
      cursor = body.nextCursor ?? "";
      pages++;
    } while (cursor);
    return { names, pages };
  };

  test("pages by name without loss or repetition", async () => {
    const { names, pages } = await all("limit=4");
    expect(names).toHaveLength(25);
    expect(new Set(names).size).toBe(25);
    expect(names.map((name) => name.toLowerCase())).toEqual(names.map((name) => name.toLowerCase()).toSorted());
    expect(pages).toBe(7);
  });

  test.each([
    ["q=SPECIAL", 1],
    ["q=a%200", 5],
    ["status=paused", 1],
    ["status=pending&limit=5", 24],
    ["tag=n", 25],
    ["tag=n=2&limit=2", 5],
    ["tag=n=2&tag=odd%20one", 1],
    ["tag=odd%20one=a%3Db%2Cc", 3],
    ["tag=toString", 0],
    ["q=nothing-like-it", 0],
  ])("with %s finds %i", async (query, count) => {
    expect((await all(query)).names).toHaveLength(count);
  });

  test("a cursor of another question is refused", async () => {
    const { body } = await own.call("GET", "/v1/monitors?limit=2");
    const other = await own.call("GET", `/v1/monitors?limit=2&status=up&cursor=${body.nextCursor}`);
    expect([other.status, other.body.errors[0].path]).toEqual([422, "cursor"]);
    expect((await own.call("GET", `/v1/monitors?limit=3&cursor=${body.nextCursor}`)).status).toBe(200);
  });

  test("a monitor that was renamed a moment ago, and still stands at its old name, hides none after it", async () => {
    const { body } = await own.call("GET", "/v1/monitors?limit=1");
    await own.client.send(
      new UpdateCommand({
        TableName: own.tables.monitors,
        Key: monitorKey(body.items[0].id),
        UpdateExpression: "SET #name = :name",
        ExpressionAttributeNames: { "#name": "name" },
        ExpressionAttributeValues: { ":name": "zz" },
      }),
    );
    expect((await all("tag=n&limit=1")).names).toHaveLength(25);
  });
});
