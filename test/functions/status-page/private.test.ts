import { afterAll, beforeAll, expect, test } from "vitest";
import { entry, type StatusPages, startStatusPages } from "./fixture.ts";

const PASSWORD = "correct horse";
let world: StatusPages;
let id = "";
beforeAll(async () => {
  world = await startStatusPages();
  await world.create("m1");
  await world.see("m1", "up");
  id = await world.createPage({
    ...{ title: "Inner circle", slug: "inner", visibility: "private", password: PASSWORD },
    groups: [{ entries: [entry("m1", "Ordering")] }],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const logIn = (password: string, sourceIp?: string) =>
  world.read("/status/inner/access", { method: "POST", form: { password }, ...(sourceIp && { sourceIp }) });
const cookieOf = ({ cookies }: { cookies: string[] }) => cookies[0]!.split(";")[0]!;

test("nothing of a private page is told to strangers", async () => {
  for (const path of ["", ".json", "/feed.atom", "/feed.rss", "/badge.svg", "/history", "/incidents/m1.1", "/logo"]) {
    const { status, text, headers } = await world.read(`/status/inner${path}`);
    expect([path, status]).toEqual([path, 403]);
    expect(text).not.toMatch(/Inner|Ordering/);
    expect(headers["cache-control"]).toBe("no-store");
  }
});

test("the password opens it, for this page alone and for twelve hours", async () => {
  const wrong = await logIn("wrong");
  expect([wrong.status, wrong.cookies]).toEqual([403, []]);
  expect(wrong.text).toContain("The password is wrong.");
  const right = await logIn(PASSWORD);
  expect([right.status, right.headers.location]).toEqual([303, "/status/inner"]);
  expect(right.cookies[0]).toMatch(/; Path=\/status\/inner; HttpOnly; SameSite=Lax; Secure; Max-Age=43200$/);
  const cookies = [cookieOf(right)];
  const shown = await world.read("/status/inner", { cookies });
  expect([shown.status, shown.headers["cache-control"]]).toEqual([200, "private, no-store"]);
  expect(shown.text).toContain("Ordering");
  expect((await world.read("/status/inner.json", { cookies })).headers).not.toHaveProperty(
    "access-control-allow-origin",
  );

  await world.createPage({ title: "Other", visibility: "private", password: PASSWORD });
  expect((await world.read("/status/other", { cookies })).status).toBe(403);
  for (const forged of [
    cookies[0]!.replace(/=\d/, "=9"),
    `${cookies[0]}x`,
    "harborlight-page=",
    "harborlight-page=9.9",
  ])
    expect((await world.read("/status/inner", { cookies: [forged] })).status).toBe(403);
  world.time.now += 12 * 3600 + 1;
  expect((await world.read("/status/inner", { cookies })).status).toBe(403);
});

test("a link from the dashboard opens it, and stands for no cookie", async () => {
  const { body } = await world.call("POST", `/v1/status-pages/${id}/links`);
  const followed = await world.read(body.path);
  expect([followed.status, followed.headers.location]).toEqual([303, "/status/inner"]);
  expect((await world.read("/status/inner", { cookies: [cookieOf(followed)] })).status).toBe(200);
  const signed = new URLSearchParams(body.path.split("?")[1]).get("access");
  expect((await world.read("/status/inner", { cookies: [`harborlight-page=${signed}`] })).status).toBe(403);
  world.time.now += 601;
  expect((await world.read(body.path)).status).toBe(403);
});

test("a new password ends what the old one opened", async () => {
  const cookies = [cookieOf(await logIn(PASSWORD))];
  await world.call("PATCH", `/v1/status-pages/${id}`, { body: { password: "another horse" } });
  world.time.now += 16;
  expect((await world.read("/status/inner", { cookies })).status).toBe(403);
  expect((await logIn(PASSWORD)).status).toBe(403);
  expect((await logIn("another horse")).status).toBe(303);
});

test("a source has ten attempts in a minute, and an IPv6 network is one source", async () => {
  world.time.now += 60;
  const from = (n: number) => logIn("wrong", `2001:db8:1:2::${n}`);
  for (let n = 1; n <= 10; n++) expect((await from(n)).status).toBe(403);
  const refused = await from(11);
  expect([refused.status, Number(refused.headers["retry-after"]) <= 60]).toEqual([429, true]);
  expect((await logIn("wrong", "2001:db8:9:9::1")).status).toBe(403);
  world.time.now += 60;
  expect((await from(1)).status).toBe(403);
  expect(world.faults).toEqual([]);
});
