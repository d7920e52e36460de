import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Edge, startEdge } from "../edge.ts";

const HOUR_MS = 3_600_000;
const START = Date.parse("2026-11-27T10:00:00Z");
const HTTP = { host: "127.0.0.1:4000" };
const HTTPS = { host: "api.example.com", "x-forwarded-proto": "https" };
const OWN_PAGE = { "sec-fetch-site": "same-origin" };

let edge: Edge;
let now = START;
const metricLines: string[] = [];
beforeAll(async () => {
  const write = process.stdout.write.bind(process.stdout) as (text: string) => boolean;
  vi.spyOn(process.stdout, "write").mockImplementation((text) =>
    String(text).includes("LoginsFailed") ? metricLines.push(String(text)) > 0 : write(String(text)),
  );
  edge = await startEdge();
  edge.clock.now = () => new Date(now);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await edge[Symbol.asyncDispose]();
});
beforeEach(() => {
  // Failed logins of the tests before are of an earlier minute.
  now += 60_000;
});

const post = (body: unknown, headers: Record<string, string> = HTTP, sourceIp = "192.0.2.1") =>
  edge.call("POST", "/v1/sessions", { token: null, body, headers, sourceIp });

const logIn = async ({ token = edge.admin, remember = false, headers = HTTP as Record<string, string> } = {}) => {
  const { status, body, cookies } = await post({ token, remember }, headers);
  expect(status).toBe(201);
  const cookie = cookies[0]!.split(";")[0]!;
  const all = { ...headers, ...OWN_PAGE, ...(body.headerSecret && { "harborlight-session": body.headerSecret }) };
  const call = (method: string, path: string, more: Record<string, string> = {}, sent?: unknown) =>
    edge.call(method, path, { token: null, cookies: [cookie], headers: { ...all, ...more }, body: sent });
  return { body, cookies, cookie, call, setCookie: cookies[0]! };
};

describe("logging in", () => {
  const codeFor = async (token: string) =>
    ((await edge.handler({ command: "create-login-code", token } as never, {} as never)) as { code: string }).code;

  test("with a one-time code works once, within ten minutes, while the token's secret works", async () => {
    const code = await codeFor(edge.admin);
    const { body } = await logIn({ token: code });
    expect(body).toMatchObject({ name: "admin", scopes: ["admin"] });
    expect((await post({ token: code })).status).toBe(401);
    const late = await codeFor(edge.admin);
    now += 660_000;
    expect((await post({ token: late })).body.detail).toMatch(/used already, or its time is over/);
    const { token, id } = (await edge.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["read"] } })).body;
    const revoked = await codeFor(token);
    await edge.call("DELETE", `/v1/tokens/${id}`);
    expect((await post({ token: revoked })).status).toBe(401);
    await expect(codeFor(token)).rejects.toThrow(/revoked/);
    expect(JSON.stringify(await edge.stored("monitors", "LOGIN-CODE"))).not.toContain(code.slice(5));
  });

  test("over https gives a cookie that only this host gets, and no other secret", async () => {
    const { setCookie, body } = await logIn({ headers: HTTPS });
    expect(setCookie).toMatch(
      /^__Host-harborlight=[a-z0-9]{20}\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect(body).toMatchObject({ headerSecret: null, name: "admin", scopes: ["admin"], version: "test" });
    expect(body.locations[0]).toEqual({ name: "local", families: ["ipv4", "ipv6"], port25: false });
  });

  test("over http gives a cookie without Secure and prefix, and a second secret for a header", async () => {
    const { setCookie, body } = await logIn();
    expect(setCookie).toMatch(/^harborlight-4000=[a-z0-9]{20}\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(body.headerSecret).toMatch(/^[\w-]{43}$/);
  });

  test("with remember gives a cookie that outlives the browser", async () => {
    expect((await logIn({ remember: true })).setCookie).toMatch(/; Max-Age=34560000$/);
  });

  test("stores no secret in clear", async () => {
    const { cookie, body } = await logIn();
    const stored = JSON.stringify(await edge.stored());
    for (const secret of [cookie.split(".")[1]!, body.headerSecret, edge.admin.slice(-43)])
      expect(stored).not.toContain(secret);
  });

  test("answers every way of being wrong in one text", async () => {
    const revoked = await edge.tokenWith("read");
    await edge.stores.tokens.revoke(revoked.split("_")[1]!, new Date());
    const texts = [];
    for (const token of ["secret", `hl_0123456789_${"x".repeat(43)}`, `${edge.admin.slice(0, -1)}!`, revoked]) {
      const { status, body, cookies } = await post({ token });
      expect([status, cookies]).toEqual([401, []]);
      texts.push(JSON.stringify(body));
    }
    expect(new Set(texts).size).toBe(1);
  });

  test("is refused from another site, and allowed for programs", async () => {
    for (const [name, value] of [
      ["sec-fetch-site", "cross-site"],
      ["origin", "http://evil.example"],
    ] as const) {
      const { status, body } = await post({ token: edge.admin }, { ...HTTP, [name]: value });
      expect([status, body.code]).toEqual([403, "cross-site-request"]);
    }
    expect((await post({ token: edge.admin })).status).toBe(201);
  });
});

describe("ten failures a minute and address", () => {
  const fail = (sourceIp: string) => post({ token: "wrong" }, HTTP, sourceIp);

  test("lead to 429 for that address alone, until the next minute, even with the right token", async () => {
    for (let count = 0; count < 10; count++) expect((await fail("192.0.2.7")).status).toBe(401);
    const refused = await post({ token: edge.admin }, HTTP, "192.0.2.7");
    expect([refused.status, refused.body.code, refused.headers["retry-after"]]).toEqual([
      429,
      "too-many-requests",
      "60",
    ]);
    expect((await post({ token: edge.admin }, HTTP, "192.0.2.8")).status).toBe(201);
    now += 60_000;
    expect((await post({ token: edge.admin }, HTTP, "192.0.2.7")).status).toBe(201);
  });

  test("cost nothing more once they are refused", async () => {
    for (let count = 0; count < 11; count++) await fail("192.0.2.9");
    edge.usage.reset();
    expect((await fail("192.0.2.9")).status).toBe(429);
    expect(edge.usage.total()).toEqual({ reads: 0, writes: 0 });
  });

  test("count for a network of 64 bits where the address is IPv6", async () => {
    for (let count = 0; count < 10; count++) await fail(`2001:db8::${count + 1}`);
    expect((await fail("2001:db8::ffff")).status).toBe(429);
    expect((await fail("2001:db8:0:1::1")).status).toBe(401);
  });

  test("are written to the metric that topic system hears of", async () => {
    metricLines.length = 0;
    await fail("192.0.2.10");
    expect(metricLines).toEqual([expect.stringContaining('"LoginsFailed":1')]);
  });
});

describe("a session", () => {
  test("is what its token is, and no more", async () => {
    const { call } = await logIn({ token: await edge.tokenWith("read") });
    expect((await call("GET", "/v1/session")).body).toMatchObject({ name: "read", scopes: ["read"] });
    expect((await call("GET", "/v1/monitors")).status).toBe(200);
    expect((await call("POST", "/v1/monitors", {}, {})).body.code).toBe("missing-scope");
  });

  test("made over http needs its second secret, whatever a proxy or a thief says of https", async () => {
    const { cookie } = await logIn();
    const [, value] = cookie.split("=");
    const cookies = [`__Host-harborlight=${value}`];
    const { status } = await edge.call("GET", "/v1/session", { token: null, cookies, headers: HTTPS });
    expect(status).toBe(401);
  });

  test("ends with the next call after its token is revoked", async () => {
    const token = await edge.tokenWith("read");
    const { call } = await logIn({ token });
    await edge.call("DELETE", `/v1/tokens/${token.split("_")[1]}`);
    expect((await call("GET", "/v1/session")).status).toBe(401);
  });

  test("ends with the secret that began it, when the token is rotated", async () => {
    const token = await edge.tokenWith("read");
    const { call } = await logIn({ token });
    await edge.call("POST", `/v1/tokens/${token.split("_")[1]}/rotate`, { body: { overlapSeconds: 60 } });
    expect((await call("GET", "/v1/session")).status).toBe(200);
    now += 61_000;
    expect((await call("GET", "/v1/session")).status).toBe(401);
  });

  test("ends with its token at the latest, and says so", async () => {
    const expiresAt = new Date(now + HOUR_MS).toISOString();
    const { body } = await edge.call("POST", "/v1/tokens", { body: { name: "hour", scopes: ["read"], expiresAt } });
    const { call } = await logIn({ token: body.token });
    expect((await call("GET", "/v1/session")).body.expiresAt).toBe(expiresAt);
    now += HOUR_MS;
    expect((await call("GET", "/v1/session")).status).toBe(401);
  });

  test("ends by logging out, which takes the cookie back", async () => {
    const { call } = await logIn({ headers: HTTPS });
    const out = await call("DELETE", "/v1/session");
    expect([out.status, out.cookies]).toEqual([
      204,
      ["__Host-harborlight=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0"],
    ]);
    expect((await call("GET", "/v1/session")).status).toBe(401);
  });

  test.each([
    [false, 12],
    [true, 30 * 24],
  ])("with remember %s ends after %i hours without use", async (remember, hours) => {
    const used = await logIn({ remember });
    const unused = await logIn({ remember });
    now += (hours - 1) * HOUR_MS;
    expect((await used.call("GET", "/v1/session")).status).toBe(200);
    now += HOUR_MS + 1_000;
    expect((await used.call("GET", "/v1/session")).status).toBe(200);
    expect((await unused.call("GET", "/v1/session")).status).toBe(401);
  });

  test("is not used by polls", async () => {
    const { call } = await logIn();
    for (let hour = 0; hour < 11; hour++) {
      now += HOUR_MS;
      expect((await call("GET", "/v1/session", { "harborlight-poll": "1" })).status).toBe(200);
    }
    now += HOUR_MS + 1_000;
    expect((await call("GET", "/v1/session", { "harborlight-poll": "1" })).status).toBe(401);
  });

  test("in use is written every quarter of an hour at most", async () => {
    const { call } = await logIn();
    let writes = 0;
    for (let minute = 0; minute < 60; minute++) {
      now += 60_000;
      edge.usage.reset();
      await call("GET", "/v1/session");
      writes += edge.usage.total().writes > 0 ? 1 : 0;
    }
    // Four of the session, and three of the token's count of calls.
    expect(writes).toBeLessThanOrEqual(4);
  });
});

describe("an admin", () => {
  test("sees who is logged in, newest first, and ends a session", async () => {
    await using own = await startEdge();
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) {
      own.clock.now = () => new Date(START + count * 1_000);
      const headers = { "user-agent": `browser ${count}` };
      ids.unshift(
        (await own.call("POST", "/v1/sessions", { token: null, headers, body: { token: own.admin } })).body.id,
      );
    }
    const first = (await own.call("GET", "/v1/sessions?limit=3")).body;
    const second = (await own.call("GET", `/v1/sessions?limit=3&cursor=${first.nextCursor}`)).body;
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
    expect(second.nextCursor).toBeNull();
    expect(first.items[0]).toEqual({
      id: ids[0],
      tokenId: own.admin.split("_")[1],
      isRemembered: false,
      createdAt: "2026-11-27T10:00:04.000Z",
      expiresAt: "2026-11-27T22:00:04.000Z",
      sourceIp: "127.0.0.1",
      userAgent: "browser 4",
    });
    expect((await own.call("DELETE", `/v1/sessions/${ids[0]}`)).status).toBe(204);
    expect((await own.call("DELETE", `/v1/sessions/${ids[0]}`)).status).toBe(404);
    expect((await own.call("GET", "/v1/sessions")).body.items).toHaveLength(4);
  });

  test("sees no session whose token was revoked or rotated, and no end later than the token's", async () => {
    await using own = await startEdge();
    own.clock.now = () => new Date(START);
    const began = async (more: object = {}) => {
      const { id, token } = (await own.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["read"], ...more } }))
        .body;
      return { id, session: (await own.call("POST", "/v1/sessions", { token: null, body: { token } })).body.id };
    };
    const expiresAt = new Date(START + HOUR_MS).toISOString();
    const [revoked, rotated, ending] = [await began(), await began(), await began({ expiresAt })];
    const listed = async () => (await own.call("GET", "/v1/sessions?limit=1")).body;
    await own.call("DELETE", `/v1/tokens/${revoked.id}`);
    await own.call("POST", `/v1/tokens/${rotated.id}/rotate`, { body: { overlapSeconds: 0 } });
    expect(await listed()).toMatchObject({ items: [{ id: ending.session, expiresAt }], nextCursor: null });
    own.clock.now = () => new Date(START + HOUR_MS);
    expect((await listed()).items).toEqual([]);
  });
});

test("a token has no session to end", async () => {
  const { status, body } = await edge.call("DELETE", "/v1/session");
  expect([status, body.code]).toEqual([404, "not-found"]);
  expect((await edge.call("GET", "/v1/session")).body).toMatchObject({ id: null, name: "admin", expiresAt: null });
});
