import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { linkToken } from "../../../../shared/alerts/acknowledge-link.ts";
import { createLinkSecret } from "../../../../shared/store/link-secret.ts";
import { type Edge, startEdge } from "../edge.ts";
import { storeIncident } from "./fixture.ts";

const NOW = new Date("2026-12-01T12:00:00.000Z");
let edge: Edge;
let secret: Buffer;
beforeAll(async () => {
  edge = await startEdge();
  edge.clock.now = () => NOW;
  secret = await createLinkSecret(edge.client, edge.tables.monitors)();
});
afterAll(() => edge[Symbol.asyncDispose]());

const troubled = async (name: string) => {
  const body = { name, protocol: "tcp", host: "127.0.0.1", port: 1 };
  const monitorId = (await edge.call("POST", "/v1/monitors", { body })).body.id as string;
  return { monitorId, id: (await storeIncident(edge, monitorId, "2026-12-01T11:00:00.000Z")).id };
};
const pathOf = (incidentId: string, receiver = "email:ops@example.com", sentAt = NOW, key = secret) =>
  `/v1/acknowledge?token=${linkToken({ incidentId, receiver }, key, sentAt)}`;
const open = (path: string, method: "GET" | "POST" = "GET") => edge.call(method, path, { token: null });

test("the page asks, and opening it changes nothing; its form acknowledges", async () => {
  const { monitorId, id } = await troubled("<b>Orders & co</b>");
  const before = await edge.stored("monitors", `MONITOR#${monitorId}`);
  for (let opened = 0; opened < 3; opened++) {
    const page = await open(pathOf(id));
    expect(page.status).toBe(200);
    expect(page.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "content-security-policy": expect.stringMatching(
        /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'/,
      ),
    });
    expect(page.body).toContain("&#60;b&#62;Orders &#38; co&#60;/b&#62; is down");
    expect(page.body).toContain('<form method="post">');
    expect(page.body).toContain("2026-12-01 11:00:00 UTC");
    expect(page.body).not.toMatch(/<b>|<script/);
  }
  expect(await edge.stored("monitors", `MONITOR#${monitorId}`)).toEqual(before);

  const done = await open(pathOf(id), "POST");
  expect([done.status, done.body]).toEqual([200, expect.stringContaining("link sent to email:ops@example.com")]);
  const { incident, lookBy } = (await edge.stores.monitors.get(monitorId))!;
  expect(incident?.acknowledged).toMatchObject({ at: NOW.toISOString(), by: "link sent to email:ops@example.com" });
  expect(lookBy).not.toBeNull();

  edge.clock.now = () => new Date(NOW.getTime() + 60_000);
  const { body } = await edge.call("GET", `/v1/audit?monitor=${monitorId}`);
  const operation = "acknowledgeByLink";
  expect(body.items.find((entry: { operation: string }) => entry.operation === operation)).toMatchObject({
    by: { id: "email:ops@example.com", name: "link sent to email:ops@example.com" },
    changes: { acknowledged: [null, { note: null }] },
  });
});

test("a link works once: then the page says who has it, whoever opens which link", async () => {
  const { monitorId, id } = await troubled("Orders");
  await open(pathOf(id), "POST");
  const stored = (await edge.stores.monitors.get(monitorId))!.incident?.acknowledged;
  for (const method of ["GET", "POST"] as const) {
    const page = await open(pathOf(id, "email:other@example.com"), method);
    expect(page.body).toContain("Somebody is at work on Orders");
    expect(page.body).not.toContain("<form");
  }
  expect((await edge.stores.monitors.get(monitorId))!.incident?.acknowledged).toEqual(stored);
});

test("the link of a channel is named by the channel", async () => {
  const { monitorId, id } = await troubled("Orders");
  const settings = { url: "https://hook.example.com/x" };
  const { body } = await edge.call("POST", "/v1/channels", { body: { name: "Night shift", kind: "slack", settings } });
  await open(pathOf(id, `channel:${body.id}`), "POST");
  const { incident } = (await edge.stores.monitors.get(monitorId))!;
  expect(incident?.acknowledged?.by).toBe("link sent to Night shift");
});

test("after the end of the incident the page says so, and does nothing", async () => {
  const { monitorId, id } = await troubled("Orders");
  await storeIncident(edge, monitorId, "2026-12-01T11:00:00.000Z", {
    endedAt: "2026-12-01T11:30:00.000Z",
    endReason: "recovered",
  });
  for (const method of ["GET", "POST"] as const) {
    const page = await open(pathOf(id), method);
    expect(page.status).toBe(200);
    expect(page.body).toContain("The incident of Orders is over");
    expect(page.body).toContain("2026-12-01 11:30:00 UTC");
    expect(page.body).not.toContain("<form");
  }
});

test.each(["GET", "POST"] as const)("a link that is wrong, cut or too old does nothing: %s", async (method) => {
  const { monitorId, id } = await troubled("Secret name");
  const before = await edge.stored("monitors", `MONITOR#${monitorId}`);
  const old = new Date(NOW.getTime() - 7 * 86_400_000);
  for (const path of [
    pathOf(id, "email:ops@example.com", old),
    pathOf(id, "email:ops@example.com", NOW, randomBytes(32)),
    pathOf(id).slice(0, -3),
    pathOf("gone.1"),
    "/v1/acknowledge?token=x",
    "/v1/acknowledge?token=",
  ]) {
    const page = await open(path, method);
    expect([page.status, page.body]).toEqual([404, expect.stringContaining("This link does not work")]);
    expect(page.body).not.toContain("Secret name");
  }
  expect((await open("/v1/acknowledge", method)).status).toBe(422);
  expect(await edge.stored("monitors", `MONITOR#${monitorId}`)).toEqual(before);
});

test("the secret is made once, and stays", async () => {
  const read = () => createLinkSecret(edge.client, edge.tables.monitors)();
  expect(new Set((await Promise.all([read(), read(), read()])).map((one) => one.toString("hex")))).toEqual(
    new Set([secret.toString("hex")]),
  );
  expect(secret).toHaveLength(32);
});
