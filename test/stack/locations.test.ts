/** Three locations on one machine, each with a queue and a probe of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createClient, until } from "../support/client.ts";
import { freePort, startProduct } from "../support/product.ts";
import { serve } from "../support/servers.ts";

test("a monitor is seen from all of its locations, a majority decides, and none of them while it is cut off", async () => {
  const folder = await mkdtemp(join(tmpdir(), "harborlight-locations-"));
  const port = await freePort();
  const locations = { HARBORLIGHT_LOCATIONS: "a,b,c" };
  let product = await startProduct(folder, port, locations);
  try {
    const server = await serve(() => {});
    const api = createClient(product.apiUrl, product.token);
    const { status, body } = await api("POST", "/v1/monitors", {
      name: "From everywhere",
      protocol: "tcp",
      host: "127.0.0.1",
      port: server.port,
      intervalSeconds: 10,
      locations: ["a", "b", "c"],
    });
    expect(status).toBe(201);
    const monitor = await until("three views", async () => {
      const { body: now } = await api("GET", `/v1/monitors/${body.id}`);
      return Object.keys(now.views).length === 3 && now.status === "up" && now;
    });
    expect(Object.keys(monitor.views).toSorted()).toEqual(["a", "b", "c"]);
    const checked = await api("POST", `/v1/monitors/${body.id}/check`);
    expect(
      checked.body.outcomes
        .map(({ location, state }: { location: string; state: string }) => [location, state])
        .toSorted(),
    ).toEqual([
      ["a", "open"],
      ["b", "open"],
      ["c", "open"],
    ]);
    const { body: health } = await createClient(product.apiUrl)("GET", "/v1/health");
    expect(JSON.stringify(health)).toMatch(/"a".*"b".*"c"/);

    await server[Symbol.asyncDispose]();
    await product.stop();
    // A multicast address: no kernel connects to one, wherever this machine stands.
    product = await startProduct(folder, port, { ...locations, HARBORLIGHT_CONTROL_TARGETS: "224.0.0.1:9" });
    await until("locations that are cut off", async () => {
      // Not by the public /v1/health, which has a throttle of 10 requests a second.
      const { body: cut } = await api("GET", "/v1/locations");
      return cut.items.every(({ offlineSince }: { offlineSince: string | null }) => offlineSince !== null);
    });
    expect((await api("GET", `/v1/monitors/${body.id}`)).body.status).toBe("up");
    const results = await until("its results", async () => {
      const { body: page } = await api("GET", `/v1/monitors/${body.id}/results?limit=3`);
      return page.items.some(({ offline }: { offline: boolean }) => offline) && page.items;
    });
    expect(results[0]).toMatchObject({ state: "closed", offline: true });
  } finally {
    await product.stop();
    await rm(folder, { recursive: true, force: true });
  }
}, 90_000);
