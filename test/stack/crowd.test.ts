/** The whole product under a crowd: strangers take nothing from those with a token, nor one token from another. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "../support/client.ts";
import { freePort, type Product, startProduct } from "../support/product.ts";

let folder: string;
let product: Product;

beforeAll(async () => {
  folder = await mkdtemp(join(process.cwd(), ".harborlight-crowd-"));
  product = await startProduct(folder, await freePort());
}, 60_000);
afterAll(async () => {
  await product?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Starts a call every so often, whether or not the ones before are answered. @returns how often each status came */
const flood = async (call: (index: number) => Promise<{ status: number }>, perSecond: number, seconds: number) => {
  const calls: Promise<number>[] = [];
  const start = Date.now();
  for (let index = 0; index < perSecond * seconds; index++) {
    await sleep(Math.max(0, start + (index * 1_000) / perSecond - Date.now()));
    calls.push(call(index).then(({ status }) => status));
  }
  return Object.fromEntries(
    Object.entries(Object.groupBy(await Promise.all(calls), String)).map(([status, all]) => [status, all!.length]),
  );
};

test.each([
  ["at a public route", ["/v1/health"], ["200", "429"]],
  ["at all routes", ["/v1/monitors", "/v1/incidents", "/v1/health", "/v1/nothing"], ["200", "401", "404", "429"]],
])(
  "60 anonymous requests a second %s make no call of an admin fail",
  async (_where, paths, expected) => {
    const stranger = createClient(product.apiUrl);
    const admin = createClient(product.apiUrl, product.token);
    await admin("GET", "/v1/monitors");
    const [crowd, served] = await Promise.all([
      flood((index) => stranger("GET", paths[index % paths.length]!), 60, 4),
      flood(() => admin("GET", "/v1/monitors"), 10, 4),
    ]);
    expect(served).toEqual({ 200: 40 });
    expect(expected).toEqual(expect.arrayContaining(Object.keys(crowd)));
  },
  60_000,
);

test("the answers of the gateway alone are bare, those of the function are problem documents", async () => {
  const stranger = createClient(product.apiUrl);
  const answers = await Promise.all(Array.from({ length: 40 }, () => stranger("GET", "/v1/health")));
  expect(answers.find(({ status }) => status === 429)?.body).toEqual({ message: "Too Many Requests" });
  const { body } = await stranger("GET", "/v1/monitors");
  expect(body).toMatchObject({ code: "unauthenticated" });
});

test("a browser logs in over http and creates a monitor", async () => {
  const page = { "sec-fetch-site": "same-origin" };
  const anonymous = createClient(product.apiUrl);
  const { status, headers, body } = await anonymous("POST", "/v1/sessions", { token: product.token }, page);
  expect([status, body.headerSecret]).toEqual([201, expect.any(String)]);
  const cookie = headers.getSetCookie()[0]!.split(";")[0]!;
  expect(cookie).toMatch(new RegExp(`^harborlight-${new URL(product.apiUrl).port}=`));
  const session = { cookie, "harborlight-session": body.headerSecret, ...page };
  const monitor = { name: "By hand", protocol: "tcp", host: "127.0.0.1", port: 1 };
  expect((await anonymous("POST", "/v1/monitors", monitor, session)).status).toBe(201);
  const foreign = { ...session, "sec-fetch-site": "same-site" };
  expect((await anonymous("POST", "/v1/monitors", monitor, foreign)).body.code).toBe("cross-site-request");
  expect((await anonymous("DELETE", "/v1/session", undefined, session)).headers.getSetCookie()[0]).toContain(
    "Max-Age=0",
  );
  expect((await anonymous("GET", "/v1/session", undefined, session)).status).toBe(401);
});
