import { DeleteCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { monitorKey } from "../../../../shared/store/keys.ts";
import { monitorOf, putMonitor, viewOf } from "../../../support/monitors.ts";
import { type Edge, startEdge } from "../edge.ts";
import { minimal, useEdge } from "./fixture.ts";

useEdge();

interface Shown {
  id: string;
  name: string;
  status: string;
  since: string;
  createdAt: string;
}

/** Reads all pages; each page but the last has items. */
const readAll = async (edge: Edge, query: string) => {
  const items: Shown[] = [];
  const totals: number[] = [];
  let cursor = "";
  do {
    const { status, body } = await edge.call("GET", `/v1/monitors?${query}${cursor && `&cursor=${cursor}`}`);
    expect(status).toBe(200);
    cursor = body.nextCursor ?? "";
    if (cursor || totals.length > 0) expect(body.items.length).toBeGreaterThan(0);
    items.push(...body.items);
    totals.push(body.total);
  } while (cursor);
  return { items, totals, names: items.map(({ name }) => name) };
};

/** Read units since the last reset. */
const unitsOf = ({ usage, tables }: Edge, table: "monitors" | "history") =>
  usage
    .rows()
    .filter((row) => row.table === tables[table] && /Get|Query/.test(row.operation))
    .reduce((sum, { units }) => sum + units, 0);

describe("listing", () => {
  let own: Edge;
  beforeAll(async () => {
    own = await startEdge();
    const monitors = Array.from({ length: 25 }, (_, n) => ({
      ...minimal,
      ...(n % 5 === 4 && { protocol: "ssh", port: 22 }),
      name: `${n % 2 ? "b" : "A"} ${n}`,
      host: n === 3 ? "special.example.com" : "127.0.0.1",
      tags: { n: String(n % 5), ...(n < 3 && { "odd one": "a=b,c" }) },
      paused: n === 7,
      key: `k${n}`,
    }));
    await own.call("PUT", "/v1/monitors", { body: { monitors } });
  });
  afterAll(() => own[Symbol.asyncDispose]());

  test("pages by name as people sort, without loss or repetition, and with the total", async () => {
    const { names, totals } = await readAll(own, "limit=4");
    const numbers = Array.from({ length: 25 }, (_, n) => n);
    expect(names).toEqual([
      ...numbers.filter((n) => n % 2 === 0).map((n) => `A ${n}`),
      ...numbers.filter((n) => n % 2).map((n) => `b ${n}`),
    ]);
    expect(totals).toEqual(Array(7).fill(25));
  });

  test("a page that ends with the list has no cursor", async () => {
    for (const query of ["limit=25", "limit=5&tag=n=2", "limit=25&sort=-name"])
      expect((await own.call("GET", `/v1/monitors?${query}`)).body).toMatchObject({ nextCursor: null });
  });

  test.each([
    ["q=SPECIAL", 1],
    ["q=specíal", 1],
    ["q=special%20b%203%20tcp", 1],
    ["q=special%20a", 1],
    ["q=special%20nothing", 0],
    ["q=com:5432", 1],
    ["q=127.0.0.1:22", 5],
    ["q=k24", 1],
    ["q=n=3", 5],
    ["q=%20", 25],
    ["status=paused", 1],
    ["status=pending&limit=5", 24],
    ["status=paused&status=pending&limit=5", 25],
    ["status=up&status=down", 0],
    ["status=up", 0],
    ["protocol=ssh&limit=2", 5],
    ["protocol=ssh&protocol=tcp", 25],
    ["protocol=ssh&status=paused", 0],
    ["key=k3&key=k5&key=nothing", 2],
    ["key=k3&q=special", 1],
    ["key=K3", 0],
    ["tag=n", 25],
    ["tag=n=2&limit=2", 5],
    ["tag=n=2&tag=odd%20one", 1],
    ["tag=odd%20one=a%3Db%2Cc", 3],
    ["tag=toString", 0],
    ["q=nothing-like-it", 0],
  ])("with %s finds %i", async (query, count) => {
    const { names, totals } = await readAll(own, query);
    expect(new Set(names).size).toBe(count);
    expect(names).toHaveLength(count);
    expect(new Set(totals)).toEqual(new Set([count]));
  });

  test("fields= leaves out all others, and the id never", async () => {
    const { body } = await own.call("GET", "/v1/monitors?limit=1&fields=name,status");
    expect(body.items).toEqual([{ id: expect.any(String), name: "A 0", status: "pending" }]);
    const wrong = await own.call("GET", "/v1/monitors?fields=name,nome");
    expect([wrong.status, wrong.body.errors]).toEqual([
      422,
      [{ path: "fields", message: expect.stringMatching(/there is no field "nome"; there are name, /) }],
    ]);
  });

  test("without fields from the history, reads none of it", async () => {
    own.usage.reset();
    await own.call("GET", "/v1/monitors?fields=name");
    expect(unitsOf(own, "history")).toBe(0);
  });

  test.each(["sort=colour", "status=broken", "protocol=gopher", "key=", "total=true"])("refuses ?%s", async (query) => {
    const { status, body } = await own.call("GET", `/v1/monitors?${query}`);
    expect([status, body.errors[0].path]).toEqual([422, expect.stringContaining(query.split("=")[0] ?? "")]);
  });

  test("a cursor of another question is refused", async () => {
    const { body } = await own.call("GET", "/v1/monitors?limit=2");
    for (const other of ["status=up", "sort=since", "tag=n"]) {
      const answer = await own.call("GET", `/v1/monitors?limit=2&${other}&cursor=${body.nextCursor}`);
      expect([answer.status, answer.body.errors[0].path]).toEqual([422, "cursor"]);
    }
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
    expect((await readAll(own, "limit=1")).names).toHaveLength(25);
    expect((await readAll(own, "tag=n&limit=1")).names).toHaveLength(25);
  });
});

describe("lists in other orders", () => {
  let own: Edge;
  const STATUSES = ["up", "down", "up", "degraded", "unknown", "up"] as const;
  const at = (n: number) => new Date(1_790_000_000_000 + n * 1000).toISOString();
  beforeAll(async () => {
    own = await startEdge();
    for (let n = 0; n < 30; n++)
      await putMonitor(
        own,
        monitorOf({
          id: `m${n}`,
          name: `Monitor ${n}`,
          status: STATUSES[n % STATUSES.length]!,
          since: at((n * 7) % 11),
          createdAt: at((n * 13) % 30),
          updatedAt: at((n * 13) % 30),
        }),
      );
  });
  afterAll(() => own[Symbol.asyncDispose]());

  test.each(["createdAt", "updatedAt", "since"] as const)("by %s, and reversed", async (field) => {
    const values = (await readAll(own, `sort=${field}&limit=4`)).items.map((item) => item[field as "since"]);
    expect(values).toHaveLength(30);
    expect(values).toEqual(values.toSorted());
    const { items } = await readAll(own, `sort=-${field}&limit=7`);
    expect(items.map((item) => item[field as "since"])).toEqual(values.toReversed());
  });

  test("by status, what needs attention first, and by name among equals", async () => {
    const { items } = await readAll(own, "sort=status&limit=3");
    const statuses = items.map(({ status }) => status);
    expect([...new Set(statuses)]).toEqual(["down", "degraded", "unknown", "up"]);
    expect(items.slice(0, 5).map(({ name }) => name)).toEqual([1, 7, 13, 19, 25].map((n) => `Monitor ${n}`));
  });

  test("of statuses that are not up read these monitors only", async () => {
    await readAll(own, "tag=none");
    own.usage.reset();
    const { items, totals } = await readAll(own, "status=down&status=unknown&fields=name");
    expect([items.length, totals]).toEqual([10, [10]]);
    // 8 queries, 10 rows at half a unit, 10 monitors at one unit, one token.
    expect(unitsOf(own, "monitors")).toBeLessThan(25);
  });

  test("neither skip nor repeat others when monitors come, go and move meanwhile", async () => {
    const first = await own.call("GET", "/v1/monitors?sort=since&limit=10");
    const seen: Shown[] = [...first.body.items];
    const { body: all } = await own.call("GET", "/v1/monitors?sort=since&limit=200");
    const [gone, moved] = [all.items[2], all.items[20]];
    await own.client.send(new DeleteCommand({ TableName: own.tables.monitors, Key: monitorKey(gone.id) }));
    const now = new Date().toISOString();
    await putMonitor(own, { ...monitorOf({ id: moved.id, name: moved.name, since: now }), updatedAt: now });
    await putMonitor(own, monitorOf({ id: "new", name: "New", since: at(0), updatedAt: now }));
    for (let cursor = first.body.nextCursor; cursor; ) {
      const { body } = await own.call("GET", `/v1/monitors?sort=since&limit=10&cursor=${cursor}`);
      seen.push(...body.items);
      cursor = body.nextCursor;
    }
    const ids = seen.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(all.items.map(({ id }: Shown) => id).toSorted());
  });
});

describe("rows that a warm function keeps", () => {
  test("see what was created, changed, paused, renamed and deleted since", async () => {
    await using own = await startEdge();
    const idsOf = async (query: string) => (await readAll(own, query)).items.map(({ id }) => id);
    const make = async (name: string) =>
      (await own.call("POST", "/v1/monitors", { body: { ...minimal, name, tags: { team: "x" } } })).body.id;
    const [a, b] = [await make("a"), await make("b")];
    expect(await idsOf("tag=team")).toEqual([a, b]);
    const c = await make("c");
    expect(await idsOf("tag=team")).toEqual([a, b, c]);
    await own.call("PATCH", `/v1/monitors/${a}`, { body: { tags: { team: "y" }, name: "z" } });
    expect(await idsOf("tag=team=x")).toEqual([b, c]);
    expect(await idsOf("tag=team")).toEqual([b, c, a]);
    await own.call("POST", `/v1/monitors/${b}/pause`);
    expect([await idsOf("status=paused"), await idsOf("status=paused&status=up")]).toEqual([[b], [b]]);
    await own.call("POST", `/v1/monitors/${b}/resume`);
    expect([await idsOf("status=paused"), await idsOf("status=pending")]).toEqual([[], [b, c, a]]);
    await own.call("DELETE", `/v1/monitors/${b}`);
    expect(await idsOf("tag=team")).toEqual([c, a]);
    await own.client.send(new DeleteCommand({ TableName: own.tables.monitors, Key: monitorKey(b) }));
    expect(await readAll(own, "tag=team")).toMatchObject({ totals: [2] });
    expect(await readAll(own, "limit=2")).toMatchObject({ totals: [2] });
  });
});

test("status=maintenance finds what is in maintenance now, in the list, the overview, an export and in bulk", async () => {
  await using own = await startEdge();
  const make = async (name: string, tags = {}) =>
    (await own.call("POST", "/v1/monitors", { body: { ...minimal, name, key: name, tags } })).body.id;
  const [kept, other] = [await make("kept", { team: "x" }), await make("other")];
  const idsOf = async (path: string) =>
    (await own.call("GET", path)).body.items.map(({ id }: { id: string }) => id).toSorted();
  expect(await idsOf("/v1/monitors?status=maintenance")).toEqual([]);
  const schedule = {
    kind: "once",
    startsAt: new Date(Date.now() - 60_000).toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
  };
  const window = { name: "W", tags: { team: "x" }, schedule };
  expect((await own.call("POST", "/v1/maintenance-windows", { body: window })).status).toBe(201);
  for (const path of ["/v1/monitors", "/v1/overview"]) {
    expect(await idsOf(`${path}?status=maintenance`)).toEqual([kept]);
    expect(await idsOf(`${path}?status=maintenance&status=pending`)).toEqual([kept, other].toSorted());
  }
  // Named twice, and one that does not exist: not an error of ours.
  const named = { name: "N", monitorIds: [kept, kept, "nobody"], schedule };
  const answer = await own.call("POST", "/v1/maintenance-windows?dryRun=true", { body: named });
  expect([answer.status, answer.body.errors]).toMatchObject([
    422,
    [{ path: "monitorIds[1]" }, { path: "monitorIds[2]" }],
  ]);
  const exported = await own.call("GET", "/v1/monitors/export?status=maintenance");
  expect(exported.body.monitors.map(({ key }: { key: string }) => key)).toEqual(["kept"]);
  const bulk = { filter: { statuses: ["maintenance"] }, action: "pause", dryRun: true };
  expect((await own.call("POST", "/v1/monitors/bulk", { body: bulk })).body.done).toMatchObject([{ id: kept }]);
});

test("with 5,000 monitors a rare tag is found on the first page, for few units once the function is warm", async () => {
  await using own = await startEdge();
  const numbers = Array.from({ length: 5_000 }, (_, n) => n);
  while (numbers.length > 0)
    await Promise.all(
      numbers.splice(0, 50).map((n) =>
        putMonitor(
          own,
          monitorOf({
            id: `m${n}`,
            name: `Monitor ${n}`,
            status: "up",
            tags: n === 4_999 ? { rare: "yes" } : {},
            views: { a: viewOf("up", 100) },
          }),
        ),
      ),
    );
  for (const mostUnits of [3_000, 120]) {
    own.usage.reset();
    const { body } = await own.call("GET", "/v1/monitors?tag=rare&fields=name");
    expect(body).toEqual({ items: [{ id: "m4999", name: "Monitor 4999" }], nextCursor: null, total: 1 });
    expect(unitsOf(own, "monitors")).toBeLessThan(mostUnits);
  }
}, 120_000);

test("a page of the largest monitors is cut before it is too large for Lambda, and the cursor leads on", async () => {
  await using own = await startEdge();
  const evidence = { certificate: 'é"'.repeat(300) };
  const locations = Array.from({ length: 16 }, (_, n) => `location-${n}`);
  const views = Object.fromEntries(
    locations.map((name) => [name, viewOf("down", 100, { evidence, message: "汉".repeat(400) })]),
  );
  for (let n = 0; n < 200; n++) await putMonitor(own, monitorOf({ id: `m${n}`, name: `m${n}`, locations, views }));
  const { body } = await own.call("GET", "/v1/monitors?limit=200");
  expect(body.items.length).toBeLessThan(200);
  expect(JSON.stringify(JSON.stringify(body)).length).toBeLessThan(6 * 1024 * 1024);
  expect(body.nextCursor).not.toBeNull();
  expect((await readAll(own, "limit=200")).names).toHaveLength(200);
}, 60_000);
