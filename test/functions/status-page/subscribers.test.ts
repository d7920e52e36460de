/** Mail about a status page: from the form to the mailbox of whoever confirmed, and out again. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDelivery } from "../../../functions/deliver/wiring.ts";
import type { Mail } from "../../../shared/alerts/mime.ts";
import { RECEIVERS } from "../api/edge.ts";
import { entry, type StatusPages, startStatusPages } from "./fixture.ts";

const ORIGIN = "https://status.example.com";
const MINUTE = 60;

let world: StatusPages;
let pageId = "";
let deliver: ReturnType<typeof createDelivery>;
const mails: Mail[] = [];
/** Errors that SES answers with, by address. */
const refusals = new Map<string, Error>();
const reported: object[] = [];

beforeAll(async () => {
  world = await startStatusPages();
  await world.create("m1", { tags: { team: "orders" } });
  await world.see("m1", "up");
  pageId = await world.createPage({
    title: "Shop",
    groups: [{ name: "Services", entries: [entry("m1", "Payment")] }],
  });
  deliver = createDelivery({
    client: world.client,
    table: world.tables.monitors,
    locations: ["local"],
    queues: async () => ({ rejected: new Set(), errors: new Map() }),
    receivers: {
      ...RECEIVERS,
      sendMail: async (mail) => {
        const refusal = refusals.get(mail.to);
        if (refusal) throw refusal;
        mails.push(mail);
      },
    },
    url: null,
    origin: ORIGIN,
    now: () => new Date(world.time.now * 1000),
    sleep: async () => {},
    newId: () => "lease",
    random: () => 0,
    log: () => {},
    delivered: (report) => void reported.push(report),
  });
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => {
  mails.length = 0;
});

/** Delivers the news of pages, and then what came of it to their subscribers. */
const deliverNews = async () => {
  for (const kind of ["RECEIVER#page:", "RECEIVER#subscriber:"]) {
    const items = await world.stored("monitors", kind);
    expect(await deliver(items.map(({ pk }) => pk.slice("RECEIVER#".length)))).toEqual([]);
  }
};

let sources = 0;
const subscribe = (address: string, sourceIp = `198.51.100.${++sources}`) =>
  world.read("/status/shop/subscribers", { method: "POST", form: { address }, sourceIp });
/** Path of the link of a kind in a mail. */
const linkIn = ({ text }: Mail, action: string) =>
  new RegExp(`${ORIGIN}(/status/\\S+/subscribers/${action}\\S+)`).exec(text)?.[1] ?? expect.fail(`no link in ${text}`);
const join = async (address: string) => {
  await subscribe(address);
  await deliverNews();
  const path = linkIn(mails.at(-1)!, "confirm");
  await world.read(path, { method: "POST" });
  mails.length = 0;
};
const list = async () => (await world.call("GET", `/v1/status-pages/${pageId}/subscribers`)).body.items;

describe("subscribing", () => {
  test("takes a mail with a link that asks, and a confirmation", async () => {
    expect((await world.read("/status/shop")).text).toContain('action="/status/shop/subscribers"');
    const asked = await subscribe("Ann@example.com");
    expect(asked.status).toBe(200);
    expect(asked.text).toContain("a mail is on its way");
    await deliverNews();
    expect(mails).toMatchObject([{ to: "Ann@example.com", subject: "[Shop] Confirm", from: RECEIVERS.sender }]);
    expect(mails[0]!.unsubscribeUrl).toBeUndefined();
    const path = linkIn(mails[0]!, "confirm");
    const question = await world.read(path);
    expect(question.text).toContain("You will get mail about incidents and maintenance of Shop.");
    // A scanner of mail that opens the link confirms nothing.
    expect(await list()).toMatchObject([{ address: "Ann@example.com", confirmedAt: null }]);
    expect((await world.read(path, { method: "POST" })).text).toContain("You are subscribed.");
    expect(await list()).toMatchObject([{ confirmedAt: expect.any(String) }]);
    const [one] = await list();
    expect((await world.call("DELETE", `/v1/status-pages/${pageId}/subscribers/${one.id}`)).status).toBe(204);
    expect(await list()).toEqual([]);
  });

  test("is refused for what is no address, too often from one source, and too often for one address", async () => {
    const wrong = await subscribe("ann at example");
    expect([wrong.status, wrong.text.includes("This is no mail address.")]).toEqual([422, true]);
    for (let n = 0; n < 3; n++) expect((await subscribe(`bo${n}@example.com`, "203.0.113.1")).status).toBe(200);
    expect((await subscribe("bo4@example.com", "203.0.113.1")).status).toBe(429);
    await subscribe("cy@example.com");
    // The answer does not tell that the address was asked for before.
    expect((await subscribe("CY@example.com")).text).toContain("a mail is on its way");
    await deliverNews();
    expect(mails.filter(({ to }) => /cy@/i.test(to))).toHaveLength(1);
    world.time.now += 86_401;
    expect(await list()).toEqual([]);
  });

  test("with a link that is forged, old or of another purpose does nothing", async () => {
    await subscribe("dee@example.com");
    await deliverNews();
    const path = linkIn(mails[0]!, "confirm");
    for (const forged of [path.replace(/token=.*/, "token=x"), path.replace("confirm", "leave"), `${path}x`])
      expect((await world.read(forged, { method: "POST" })).status).toBe(404);
    world.time.now += 86_401;
    const late = await world.read(path, { method: "POST" });
    expect([late.status, late.text.includes("does not work any more")]).toEqual([404, true]);
  });
});

describe("subscribers", () => {
  test("hear of an incident, public notes and its end, and leave by one click", async () => {
    await join("eve@example.com");
    await world.see("m1", "down");
    await deliverNews();
    expect(mails).toMatchObject([
      {
        to: "eve@example.com",
        subject: "[Shop] Payment is down",
        unsubscribeUrl: expect.stringContaining(`/status/${pageId}/subscribers/leave?id=`),
      },
    ]);
    const [incident] = (await world.call("GET", "/v1/incidents?state=open")).body.items;
    const notes = `/v1/incidents/${incident.id}/notes`;
    await world.call("POST", notes, { body: { text: "internal", public: false } });
    await world.call("POST", notes, { body: { text: "A switch failed.", state: "identified", public: true } });
    await deliverNews();
    expect(mails[1]).toMatchObject({ subject: "[Shop] Payment is down – Identified" });
    expect(mails[1]!.text).toContain("A switch failed.");
    world.time.now += 5 * MINUTE;
    await world.see("m1", "up");
    await deliverNews();
    expect(mails.map(({ subject }) => subject).slice(2)).toEqual(["[Shop] Payment was down"]);
    const everything = JSON.stringify(mails);
    expect(everything).not.toMatch(/internal|127\.0\.0\.1|it is down|refused/);

    // What mail programs send for one click (RFC 8058).
    const path = linkIn(mails[0]!, "leave");
    expect((await world.read(path)).text).toContain("You will get no more mail about Shop.");
    await world.read(path, { method: "POST", form: { "List-Unsubscribe": "One-Click" } });
    expect(await list()).toEqual([]);
    mails.length = 0;
    await world.call("POST", `/v1/status-pages/${pageId}/notices`, { body: { title: "Nobody hears" } });
    await deliverNews();
    expect(mails).toEqual([]);
  });

  test("hear of notices, but of none that is over; links work after the address of the page changed", async () => {
    await join("finn@example.com");
    const notices = `/v1/status-pages/${pageId}/notices`;
    const over = { startsAt: "2026-01-01T00:00:00Z", endsAt: "2026-01-02T00:00:00Z" };
    await world.call("POST", notices, { body: { title: "Long ago", ...over } });
    await world.call("POST", notices, { body: { title: "Sunday", kind: "maintenance", text: "Two\nlines <b>" } });
    await world.call("PATCH", `/v1/status-pages/${pageId}`, { body: { slug: "store", language: "de" } });
    await world.maintain({ name: "internal", all: true, schedule: { kind: "once", durationSeconds: 3_600 } });
    await deliverNews();
    expect(mails).toMatchObject([{ subject: "[Shop] Wartung: Sunday" }, { subject: "[Shop] Geplante Wartung" }]);
    expect(mails[1]!.text).toMatch(/Payment/);
    expect(mails[1]!.text).not.toMatch(/internal/);
    expect(mails[0]!.html).toContain("lines &#60;b&#62;");
    world.time.now += 16;
    const left = await world.read(linkIn(mails[0]!, "leave"), { method: "POST" });
    expect(left.text).toContain("keine Mails mehr");
    await world.call("PATCH", `/v1/status-pages/${pageId}`, { body: { slug: "shop", language: "en" } });
    world.time.now += 16;
  });

  test("whose mail is refused disturb neither the others nor the people on call", async () => {
    await join("gus@example.com");
    await join("hal@example.com");
    refusals.set("gus@example.com", Object.assign(new Error("no such user"), { name: "MessageRejected" }));
    const before = await world.stored("monitors", "NOTICE#");
    await world.call("POST", `/v1/status-pages/${pageId}/notices`, { body: { title: "News" } });
    await deliverNews();
    expect(mails.map(({ to }) => to)).toEqual(["hal@example.com"]);
    expect(await world.stored("monitors", "NOTICE#")).toEqual(before);
    expect(reported).toEqual([]);
  });

  test("and notices go with their page", async () => {
    await world.call("DELETE", `/v1/status-pages/${pageId}`);
    expect(await world.stored("monitors", "PAGE-SUBSCRIBERS#")).toEqual([]);
    expect(world.faults).toEqual([]);
  });
});
