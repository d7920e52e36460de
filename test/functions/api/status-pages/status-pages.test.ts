import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isPassword } from "../../../../shared/status-page/access.ts";
import { type Edge, startEdge } from "../edge.ts";

let edge: Edge;
let monitorId = "";
beforeAll(async () => {
  edge = await startEdge();
  const body = { name: "Orders", protocol: "tcp", host: "127.0.0.1", port: 1, tags: { team: "orders" } };
  monitorId = (await edge.call("POST", "/v1/monitors", { body })).body.id;
});
afterAll(() => edge[Symbol.asyncDispose]());

const create = (body: object) => edge.call("POST", "/v1/status-pages", { body });
/** The smallest PNG: one pixel. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const urlOf = (bytes: Buffer, type = "image/png") => `data:${type};base64,${bytes.toString("base64")}`;
const errorsOf = (answer: { body: { errors?: { path: string }[] } }) => answer.body.errors?.map(({ path }) => path);

describe("status pages", () => {
  test("are created with defaults, listed by title, changed, and deleted", async () => {
    const created = await create({ title: "Große Shops" });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      slug: "gro-e-shops",
      path: "/status/gro-e-shops",
      title: "Große Shops",
      ...{ description: null, logo: null, accentColor: null, groups: [], links: [] },
      ...{ showLatency: false, showPercent: true, days: 90, timeZone: "UTC", language: "en" },
      ...{ visibility: "public", embed: false, hasPassword: false },
    });
    const path = created.headers.location ?? "";
    await create({ title: "A page", slug: "a" });
    const list = await edge.call("GET", "/v1/status-pages");
    expect(list.body.items.map(({ title }: { title: string }) => title)).toEqual(["A page", "Große Shops"]);
    const change = {
      slug: "shops",
      description: "All of them.\nAnd more.",
      logo: urlOf(PNG),
      accentColor: "#0a5dc2",
      groups: [
        {
          name: "Shop",
          entries: [
            { monitorId, name: "Ordering" },
            { tags: { team: "orders" }, text: "All" },
          ],
        },
      ],
      links: [{ label: "Help", url: "https://example.com/help" }],
      ...{ days: 30, timeZone: "Asia/Tokyo", language: "ja", embed: true },
    };
    const etag = created.headers.etag ?? "";
    const patched = await edge.call("PATCH", path, { body: change, headers: { "if-match": etag } });
    expect(patched.status).toBe(200);
    expect(patched.body).toMatchObject({
      ...change,
      groups: [{ ...change.groups[0], text: null }],
      path: "/status/shops",
    });
    expect((await edge.call("PATCH", path, { body: { days: 90 }, headers: { "if-match": etag } })).status).toBe(412);
    const reset = await edge.call("PATCH", path, { body: { logo: null, days: null } });
    expect(reset.body).toMatchObject({ logo: null, days: 90, title: "Große Shops" });
    expect((await edge.call("GET", path)).body).toEqual(reset.body);
    expect((await edge.call("DELETE", path)).status).toBe(204);
    expect((await edge.call("GET", path)).status).toBe(404);
  });

  test("name every wrong field, and nothing is stored", async () => {
    const before = await edge.stored();
    const wrong = await create({
      slug: "-Shop",
      title: "",
      logo: urlOf(PNG, "image/gif"),
      accentColor: "red",
      days: 60,
      timeZone: "Mars/Olympus",
      language: "tlh",
      visibility: "secret",
      links: [{ label: "x", url: "javascript:alert(1)" }],
      groups: [
        {
          entries: [
            { monitorId },
            { name: "Both", monitorId, tags: { a: "b" } },
            {},
            { tags: {} },
            { tags: { a: "b" }, name: "Named" },
          ],
        },
      ],
      password: "short",
      colour: "red",
    });
    expect(wrong.status).toBe(422);
    expect(errorsOf(wrong)?.toSorted()).toEqual(
      [
        ...["slug", "title", "logo", "accentColor", "days", "timeZone", "language", "visibility", "password", "colour"],
        ...["links[0].url", "groups[0].entries[0].name", "groups[0].entries[1].monitorId", "groups[0].entries[1].name"],
        ...["groups[0].entries[2].monitorId", "groups[0].entries[3].tags", "groups[0].entries[4].name"],
      ].toSorted(),
    );
    expect(errorsOf(await create({ title: "x", groups: [{ entries: [{ monitorId: "gone", name: "x" }] }] }))).toEqual([
      "groups[0].entries[0].monitorId",
    ]);
    expect(errorsOf(await create({ title: "x", slug: "short", visibility: "unlisted" }))).toEqual(["slug"]);
    expect(await edge.stored()).toEqual(before);
  });

  test.each([
    ["another kind than it says", urlOf(PNG, "image/jpeg"), /no image\/jpeg/],
    ["a script in a picture", urlOf(Buffer.from("<svg/>"), "image/svg+xml"), /one of image\/png/],
    ["too large", urlOf(Buffer.concat([PNG, Buffer.alloc(64 * 1024)])), /at most 65536 bytes/],
    ["an address", "https://example.com/logo.png", /data: URL/],
  ])("refuse a logo: %s", async (_name, logo, message) => {
    const answer = await create({ title: "x", logo });
    expect(answer.body.errors).toEqual([{ path: "logo", message: expect.stringMatching(message) }]);
  });

  test("take a picture of each kind", async () => {
    const webp = Buffer.from("RIFF\0\0\0\0WEBPVP8 ", "latin1");
    for (const [slug, logo] of [
      ["png", urlOf(PNG)],
      ["jpeg", urlOf(Buffer.from([0xff, 0xd8, 0xff, 0xe0]), "image/jpeg")],
      ["webp", urlOf(webp, "image/webp")],
    ])
      expect((await create({ title: "x", slug: `with-${slug}`, logo })).body.logo).toBe(logo);
  });

  test("refuse an address that is taken, and an item that is too large", async () => {
    const { body } = await create({ title: "x", slug: "taken" });
    const other = await create({ title: "y", slug: "other" });
    expect([(await create({ title: "x", slug: "taken" })).body.code]).toEqual(["already-exists"]);
    const moved = await edge.call("PATCH", other.headers.location ?? "", { body: { slug: "taken" } });
    expect([moved.status, moved.body.code]).toEqual([409, "already-exists"]);
    expect((await edge.call("PATCH", `/v1/status-pages/${body.id}`, { body: { slug: "taken" } })).status).toBe(200);
    const wide = "汉".repeat(100);
    const entries = Array.from({ length: 100 }, () => ({ monitorId, name: wide, text: wide }));
    const large = await create({ title: "x", groups: [{ entries }, { entries }, { entries }] });
    expect(large.body.errors).toEqual([{ path: "", message: expect.stringMatching(/at most 190000 bytes/) }]);
  });

  test("keep a monitor that was deleted, so that other changes go on", async () => {
    const made = await edge.call("POST", "/v1/monitors", {
      body: { name: "Gone", protocol: "tcp", host: "127.0.0.1", port: 2 },
    });
    const groups = [{ entries: [{ monitorId: made.body.id, name: "Gone" }] }];
    const page = await create({ title: "x", slug: "keeps", groups });
    const monitor = (await edge.stores.monitors.get(made.body.id))!;
    await edge.stores.monitors.markDeleted(monitor, new Date());
    const patched = await edge.call("PATCH", page.headers.location ?? "", { body: { title: "y" } });
    expect(patched.body).toMatchObject({ title: "y", groups });
  });

  test("that are unlisted get an address that nobody guesses", async () => {
    const { body } = await create({ title: "Secret", visibility: "unlisted" });
    expect(body.slug).toMatch(/^[0-9a-f]{32}$/);
  });

  test("keep a password as a hash, and tell nobody", async () => {
    const password = "correct horse";
    const made = await create({ title: "x", slug: "private", visibility: "private", password });
    expect(made.body.hasPassword).toBe(true);
    const [item] = (await edge.stored("monitors", "PAGE")).filter(({ slug }) => slug === "private");
    expect(isPassword(password, item!.password)).toBe(true);
    expect(isPassword("correct hors", item!.password)).toBe(false);
    const everything = JSON.stringify([await edge.stored("monitors", "AUDIT#"), made.body, item]);
    expect(everything).not.toContain(password);
    expect(JSON.stringify([made.body, await edge.call("GET", "/v1/audit")])).not.toContain(item!.secret);
    const path = made.headers.location ?? "";
    expect((await edge.call("PATCH", path, { body: { title: "y" } })).body.hasPassword).toBe(true);
    const link = await edge.call("POST", `${path}/links`, { token: await edge.tokenWith("read") });
    expect(link.body.path).toMatch(/^\/status\/private\?access=\d+\.[\w-]+$/);
    expect((await edge.call("PATCH", path, { body: { password: null } })).body.hasPassword).toBe(false);
  });

  test("are read, and not changed, by a token that is limited to tags", async () => {
    const token = await edge.limitedToken("write", "team=orders");
    const { headers } = await create({ title: "x", slug: "limited" });
    const path = headers.location ?? "";
    expect((await edge.call("GET", path, { token })).status).toBe(200);
    for (const [method, at, body] of [
      ["POST", "/v1/status-pages", { title: "x" }],
      ["PATCH", path, { title: "another" }],
      ["DELETE", path, undefined],
      ["POST", `${path}/notices`, { title: "x" }],
      ["POST", `${path}/links`, undefined],
    ] as const) {
      const answer = await edge.call(method, at, { token, body });
      expect([method, at, answer.status, answer.body.code]).toEqual([method, at, 403, "missing-scope"]);
    }
  });
});

describe("notices", () => {
  test("are written, changed, listed with the latest first, and deleted with their page", async () => {
    const page = await create({ title: "x", slug: "noticed" });
    const path = `${page.headers.location}/notices`;
    const first = await edge.call("POST", path, { body: { title: "Now" } });
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({ kind: "information", title: "Now", text: null, endsAt: null });
    const planned = { kind: "maintenance", title: "Sunday", startsAt: "2099-12-06T02:00:00.000Z" };
    const second = await edge.call("POST", path, { body: planned });
    const list = await edge.call("GET", path);
    expect(list.body.items.map(({ title }: { title: string }) => title)).toEqual(["Sunday", "Now"]);
    const at = `${path}/${second.body.id}`;
    const wrong = await edge.call("PATCH", at, { body: { endsAt: "2099-12-06T01:00:00Z" } });
    expect(errorsOf(wrong)).toEqual(["endsAt"]);
    const changed = await edge.call("PATCH", at, { body: { endsAt: "2099-12-06T04:00:00Z", text: "Two hours." } });
    expect(changed.body).toMatchObject({ ...planned, endsAt: "2099-12-06T04:00:00.000Z", text: "Two hours." });
    expect((await edge.call("DELETE", at)).status).toBe(204);
    expect((await edge.call("DELETE", at)).status).toBe(404);
    expect(errorsOf(await edge.call("POST", path, { body: { kind: "x", startsAt: "soon" } }))?.toSorted()).toEqual([
      "kind",
      "startsAt",
      "title",
    ]);
    await edge.call("DELETE", page.headers.location ?? "");
    expect(await edge.stored("monitors", `PAGE#${page.body.id}`)).toEqual([]);
  });
});
