import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFairShare } from "../../../../functions/api/http/fair-share.ts";
import type { StoredToken } from "../../../../shared/store/tokens.ts";
import { type Edge, startEdge } from "../edge.ts";

const NOW = new Date("2026-11-27T10:00:15Z");
const NEXT_MINUTE = new Date("2026-11-27T10:01:00Z");

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
  edge.clock.now = () => NOW;
});
afterAll(() => edge[Symbol.asyncDispose]());

/** Instances of the function, which share nothing but the table. */
const instances = (count: number, perMinute: number) => {
  const made = Array.from({ length: count }, () => createFairShare(edge.stores.tokens, perMinute));
  return async (id: string, index: number, now = NOW) => {
    const token = (await edge.stores.tokens.get(id)) as StoredToken;
    return made[index % count]!.admit(token, now).then(
      () => true,
      () => false,
    );
  };
};
const newId = async () => (await edge.tokenWith("read")).split("_")[1]!;

describe("a token's share", () => {
  test("is said in every answer, and its end in a problem with Retry-After", async () => {
    const token = await edge.tokenWith("read");
    const { headers } = await edge.call("GET", "/v1/monitors", { token });
    expect(headers).toMatchObject({ "ratelimit-policy": '"token";q=1200;w=60', ratelimit: '"token";r=1199;t=45' });
    const missing = await edge.call("GET", "/v1/monitors/nothing0", { token });
    expect([missing.status, missing.headers.ratelimit]).toEqual([404, '"token";r=1198;t=45']);
    const forbidden = await edge.call("GET", "/v1/audit", { token });
    expect([forbidden.status, forbidden.headers.ratelimit]).toEqual([403, '"token";r=1197;t=45']);
    await edge.stores.tokens.report(token.split("_")[1]!, { minute: Math.floor(NOW.getTime() / 60_000), count: 1_200 });
    const refused = await edge.call("GET", "/v1/monitors", { token });
    expect([refused.status, refused.body.code]).toEqual([429, "too-many-requests"]);
    expect(refused.headers).toMatchObject({ ratelimit: '"token";r=0;t=45', "retry-after": "45" });
    expect((await edge.call("GET", "/v1/monitors")).status).toBe(200);
  });

  test.each([1, 2, 5])("holds over %i instances, but for what each has not reported yet", async (count) => {
    const [admit, id] = [instances(count, 60), await newId()];
    let admitted = 0;
    for (let call = 0; call < 180; call++) admitted += (await admit(id, call)) ? 1 : 0;
    expect(admitted).toBeGreaterThanOrEqual(60);
    expect(admitted).toBeLessThanOrEqual(60 + (count - 1) * 19);
  });

  test("is new in the next minute, and each token's own", async () => {
    const [admit, id, other] = [instances(1, 2), await newId(), await newId()];
    expect([await admit(id, 0), await admit(id, 0), await admit(id, 0)]).toEqual([true, true, false]);
    expect(await admit(other, 0)).toBe(true);
    expect(await admit(id, 0, NEXT_MINUTE)).toBe(true);
  });

  test("costs one write in twenty calls, and none once it is used up", async () => {
    const [admit, id] = [instances(1, 100), await newId()];
    edge.usage.reset();
    for (let call = 0; call < 100; call++) await admit(id, 0);
    // The first report of a minute takes two: it finds no count of that minute to add to.
    expect(edge.usage.total().writes).toBe(6);
    edge.usage.reset();
    for (let call = 0; call < 100; call++) expect(await admit(id, 0)).toBe(false);
    expect(edge.usage.total().writes).toBe(0);
  });
});
