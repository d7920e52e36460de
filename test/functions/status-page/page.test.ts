import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MIDNIGHT } from "../api/overview/world.ts";
import { entry, type StatusPages, startStatusPages } from "./fixture.ts";

const HOUR = 3_600;
const DAY = 86_400;

let world: StatusPages;
beforeAll(async () => {
  world = await startStatusPages();
  const { time } = world;
  time.now = MIDNIGHT - 5 * DAY;
  for (const id of ["m1", "m2", "m3", "m4"]) await world.create(id, { tags: id === "m3" ? { public: "yes" } : {} });
  for (const id of ["m1", "m2", "m3"]) await world.see(id, "up");
  time.now = MIDNIGHT - 2 * DAY + HOUR;
  await world.see("m1", "down");
  time.now += 600;
  await world.see("m1", "up");
  for (time.now = MIDNIGHT - 4 * DAY; time.now <= MIDNIGHT; time.now += DAY) await world.compact();
  time.now = MIDNIGHT + HOUR;
  await world.see("m2", "down");
  time.now += 60;
  await world.createPage({
    title: "Shop",
    groups: [
      { name: "Services", entries: [entry("m1", "Ordering"), entry("m2", "Payment <b>"), entry("m4", "New")] },
      { name: "Regions", text: "Where", entries: [{ tags: { public: "yes" }, text: "All of them" }] },
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const dataOf = async (slug: string) => JSON.parse((await world.read(`/status/${slug}.json`)).text);
const entriesOf = async (slug: string) =>
  (await dataOf(slug)).groups.flatMap((group: { entries: object[] }) => group.entries);

describe("a status page", () => {
  test("says how everything is, with the worst first", async () => {
    const data = await dataOf("shop");
    expect(data).toMatchObject({
      title: "Shop",
      status: "down",
      counts: { up: 2, down: 1, unknown: 1, degraded: 0, maintenance: 0 },
      days: 90,
      groups: [
        {
          name: "Services",
          text: null,
          entries: [
            { name: "Payment <b>", status: "down" },
            { name: "New", status: "unknown" },
            { name: "Ordering", status: "up" },
          ],
        },
        { name: "Regions", text: "Where", entries: [{ name: "m3", text: "All of them", status: "up" }] },
      ],
      maintenance: [],
      notices: [],
    });
    const [, fresh, ordering] = data.groups[0].entries;
    expect(fresh).toMatchObject({ uptimePercent: null });
    // Ten minutes of five days and an hour, rounded down.
    expect(ordering).toMatchObject({ uptimePercent: 99.86, downSeconds: { "87": 600 } });
    expect(ordering.bars).toHaveLength(90);
    expect(ordering.bars.slice(-6)).toBe("uuuxuu");
    expect(data.incidents).toEqual([
      expect.objectContaining({ name: "Payment <b>", severity: "down", endedAt: null, updates: [] }),
      expect.objectContaining({ name: "Ordering", severity: "down", endedAt: expect.any(String) }),
    ]);
  });

  test("is a whole page, escaped, with headers that let a crowd be served", async () => {
    const { status, headers, text } = await world.read("/status/shop");
    expect(status).toBe(200);
    expect(text).toContain("<title>1 of 4 services has problems – Shop</title>");
    expect(text).toContain("Payment &lt;b> is down");
    expect(text).not.toContain("<b>");
    expect(headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": expect.stringMatching(/^public, max-age=\d+, stale-while-revalidate=300, stale-if-error=86400$/),
      "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
      "x-content-type-options": "nosniff",
      "strict-transport-security": "max-age=31536000",
      vary: "accept-encoding",
    });
    expect(headers["content-security-policy"]).not.toContain("unsafe");
    const known = await world.read("/status/shop", { headers: { "if-none-match": headers.etag! } });
    expect([known.status, known.text]).toEqual([304, ""]);
    const packed = await world.read("/status/shop", { headers: { "accept-encoding": "br" } });
    expect([packed.headers["content-encoding"], packed.text]).toEqual(["br", text]);
    const head = await world.read("/status/shop", { method: "HEAD" });
    expect([head.status, head.text, Number(head.headers["content-length"])]).toEqual([
      200,
      "",
      Buffer.byteLength(text),
    ]);
    expect((await world.read("/status/shop/")).text).toBe(text);
    for (const path of ["/status/nowhere", "/status/shop/nowhere", "/status/", "/status/shop/incidents/m1.1"])
      expect([path, (await world.read(path)).status]).toEqual([path, 404]);
    expect([(await world.read("/status/shop", { method: "PUT" })).headers.allow]).toEqual(["GET, HEAD"]);
    expect(world.faults).toEqual([]);
  });

  test("is at most half a minute old", async () => {
    await world.createPage({ title: "Fresh", groups: [{ entries: [entry("m3", "Third")] }] });
    const statusOf = async () => (await entriesOf("fresh"))[0].status;
    expect(await statusOf()).toBe("up");
    await world.see("m3", "down");
    world.time.now += 16;
    expect(await statusOf()).toBe("down");
    world.time.now += 14;
    const { headers } = await world.read("/status/fresh.json");
    expect(headers["cache-control"]).toMatch(/^public, max-age=16,/);
    await world.see("m3", "up");
    world.time.now += 60;
  });

  test("leaves out what is paused or deleted, and announces maintenance without its internal name", async () => {
    await world.createPage({ title: "Care", groups: [{ entries: [entry("m1", "One"), entry("m3", "Three")] }] });
    await world.edit("m1", { paused: true });
    await world.maintain({
      name: "SECRET-WINDOW",
      monitorIds: ["m3"],
      schedule: { kind: "once", durationSeconds: HOUR },
    });
    const data = await dataOf("care");
    expect(data).toMatchObject({
      status: "maintenance",
      groups: [{ entries: [{ name: "Three", status: "maintenance" }] }],
      maintenance: [{ names: ["Three"] }],
    });
    const { text } = await world.read("/status/care");
    expect(text).toContain("1 of 1 service is in maintenance");
    expect(text).not.toContain("SECRET");
    await world.edit("m1", { paused: false });
    world.time.now += 2 * HOUR;
  });

  test("names what will be in maintenance in the page's own order, and says figures as each language does", async () => {
    const entries = [entry("m4", "Four"), entry("m1", "One"), entry("m3", "Three"), entry("m1", "One again")];
    await world.createPage({ title: "Ordre", language: "fr", groups: [{ entries }] });
    const startsAt = new Date((world.time.now + HOUR) * 1000).toISOString();
    const schedule = { kind: "once", startsAt, durationSeconds: HOUR };
    await world.maintain({ name: "Later", monitorIds: ["m1", "m3", "m4"], schedule });
    expect(await dataOf("ordre")).toMatchObject({ maintenance: [{ names: ["Four", "One", "Three"] }] });
    expect((await world.read("/status/ordre")).text).toMatch(/\d+,\d\d % de disponibilité/);
    world.time.now += 3 * HOUR;
  });

  test("shows public notes and notices, and hides what is internal", async () => {
    const id = await world.createPage({ title: "Said", groups: [{ entries: [entry("m2", "Payment")] }] });
    const [incident] = (await dataOf("said")).incidents;
    const notes = `/v1/incidents/${incident.id}/notes`;
    await world.call("POST", notes, { body: { text: "INTERNAL disk of db-2", public: false } });
    await world.call("POST", notes, { body: { text: "We are on it.", state: "investigating", public: true } });
    const notices = `/v1/status-pages/${id}/notices`;
    await world.call("POST", notices, { body: { title: "Holidays", text: "Two\nlines" } });
    world.time.now += 16;
    const data = await dataOf("said");
    expect(data.incidents[0].updates).toMatchObject([{ state: "investigating", text: "We are on it." }]);
    expect(data.notices).toMatchObject([{ kind: "information", title: "Holidays", text: "Two\nlines" }]);
    for (const path of ["", `/incidents/${incident.id}`, "/history", "/feed.atom", "/feed.rss"]) {
      const { status, text } = await world.read(`/status/said${path}`);
      expect([path, status, text.includes("We are on it."), text.includes("INTERNAL")]).toEqual([
        path,
        200,
        true,
        false,
      ]);
    }
    expect((await world.read("/status/shop/history?month=1999-01")).status).toBe(404);
  });

  test("counts a problem that only people see", async () => {
    const id = await world.createPage({ title: "Problem", groups: [{ entries: [entry("m3", "Three")] }] });
    await world.call("POST", `/v1/status-pages/${id}/notices`, { body: { kind: "problem", title: "Odd totals" } });
    expect(await dataOf("problem")).toMatchObject({ status: "degraded", counts: { up: 1 } });
    expect((await world.read("/status/problem")).text).toContain("There is a problem that we know of");
  });

  test("speaks the language of its settings, in its time zone", async () => {
    await world.createPage({
      ...{ title: "Laden", slug: "laden", language: "de", timeZone: "Asia/Kathmandu" },
      groups: [{ entries: [entry("m2", "Zahlung")] }],
    });
    const { text } = await world.read("/status/laden");
    expect(text).toContain('<html lang="de">');
    expect(text).toContain("1 von 1 Dienst hat Probleme");
    expect(text).toContain("Zahlung ist ausgefallen");
    // 01:00 UTC
    expect(text).toContain("20.11.2026, 06:45");
  });

  test("has a badge, feeds that programs read, a logo, and a frame only where it is allowed", async () => {
    const badge = await world.read("/status/shop/badge.svg");
    expect([badge.headers["content-type"], badge.headers["cross-origin-resource-policy"]]).toEqual([
      "image/svg+xml; charset=utf-8",
      "cross-origin",
    ]);
    expect(badge.text).toContain("1 of 4 services has problems");
    const atom = await world.read("/status/shop/feed.atom");
    expect(atom.text).toContain('<link href="https://status.example.com/status/shop">');
    expect(atom.text).toContain("<title>Payment &#60;b&#62; is down</title>");
    const rss = await world.read("/status/shop/feed.rss");
    expect(rss.text).toContain("<link>https://status.example.com/status/shop</link>");
    const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 1, 2, 3]);
    const logo = `data:image/png;base64,${png.toString("base64")}`;
    await world.createPage({ title: "Framed", embed: true, logo, accentColor: "#ff0000" });
    const framed = await world.read("/status/framed");
    expect(framed.headers["content-security-policy"]).toContain("frame-ancestors *");
    const sent = await world.read("/status/framed/logo");
    expect([sent.headers["content-type"], sent.sent]).toEqual(["image/png", png]);
    expect((await world.read("/status/shop/logo")).status).toBe(404);
  });

  test("of 50 entries with 90 days takes less than 25 KB with its styles", async () => {
    const entries = Array.from({ length: 50 }, (_, n) => ({
      ...entry(["m1", "m2", "m3"][n % 3]!, `Service number ${n}`),
      text: `What the public should know of service ${n}`,
    }));
    await world.createPage({ title: "Large", groups: [{ entries }] });
    const { text } = await world.read("/status/large");
    expect(text.match(/class="name"/g)).toHaveLength(50);
    expect(gzipSync(text).length).toBeLessThan(25_000);
  });
});

describe("previews", () => {
  test("are the real page, for ten minutes, and for nobody who does not know the address", async () => {
    const settings = {
      title: "Not saved",
      visibility: "private",
      password: "12345678",
      groups: [{ entries: [entry("m3", "Three")] }],
    };
    const { status, body } = await world.call("POST", "/v1/status-pages/preview", { body: settings });
    expect(status).toBe(201);
    const shown = await world.read(body.path);
    expect([shown.status, shown.headers["x-robots-tag"]]).toEqual([200, "noindex"]);
    expect(shown.headers["content-security-policy"]).toContain("frame-ancestors 'self'");
    expect(shown.text).toContain("Three");
    world.time.now += 601;
    expect((await world.read(body.path)).status).toBe(404);
    const wrong = await world.call("POST", "/v1/status-pages/preview", { body: { title: "" } });
    expect([wrong.status, wrong.body.errors[0].path]).toEqual([422, "title"]);
    const list = await world.call("GET", "/v1/status-pages");
    expect(JSON.stringify(list.body)).not.toContain("Not saved");
  });
});
