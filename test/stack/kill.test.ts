/** `kill -9` in the middle of down transitions, again and again: nothing acknowledged is lost, nothing is told as news twice. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createClient, startSubscriber, until } from "../support/client.ts";
import { freePort, type Product, startProduct } from "../support/product.ts";

/** When after the first acknowledgement it dies, in milliseconds: before, during and after the check, decision and delivery. */
const DEATHS = [0, 80, 250, 600];

test("killed at any moment, then started: every acknowledged monitor is there, and is told down with one alertId", async () => {
  const folder = await mkdtemp(join(tmpdir(), "harborlight-kill-"));
  const subscriber = await startSubscriber();
  const [apiPort, deadPort] = [await freePort(), await freePort()];
  let product: Product = await startProduct(folder, apiPort);
  const acknowledged: string[] = [];
  try {
    const api = createClient(product.apiUrl, product.token);
    await api("POST", "/v1/subscriptions", { topic: "alerts", kind: "http", endpoint: subscriber.url });
    await until("confirmed subscription", async () => {
      const { body } = await api("GET", "/v1/subscriptions");
      return body.items.some(({ isConfirmed }: { isConfirmed: boolean }) => isConfirmed);
    });
    for (const [round, death] of DEATHS.entries()) {
      const create = async (n: number) => {
        const { status, body } = await api("POST", "/v1/monitors", {
          name: `round ${round} monitor ${n}`,
          protocol: "tcp",
          host: "127.0.0.1",
          port: deadPort,
          intervalSeconds: 10,
          retries: { count: 0, delayMs: 0 },
          alerts: { emails: ["ops@example.com"] },
        });
        if (status === 201) acknowledged.push(body.id);
      };
      await create(0); // its check is on the way
      const others = [1, 2, 3].map((n) => create(n).catch(() => {})); // some of these die unanswered
      await sleep(death);
      await product.kill();
      await Promise.all(others);
      product = await startProduct(folder, apiPort);
    }
    for (const id of acknowledged) {
      await until(`monitor ${id} down`, async () => (await api("GET", `/v1/monitors/${id}`)).body.status === "down");
      // The mailbox may be leased to a process that was killed, until the lease ends after 20 s.
      await until(`alert of ${id}`, () => subscriber.of(id).length > 0, 60_000);
      await until(
        `incident of ${id}`,
        async () => (await api("GET", `/v1/monitors/${id}/incidents`)).body.items.length === 1,
      );
    }
    await sleep(1_000); // what would come twice, comes
    for (const id of acknowledged) {
      const ids = new Set(subscriber.of(id).map(({ alert }) => alert.alertId));
      expect([...ids], `alerts of ${id}`).toHaveLength(1);
    }
    const repeated = acknowledged.filter((id) => subscriber.of(id).length > 1).length;
    console.info(
      `${DEATHS.length} kills, ${acknowledged.length} acknowledged monitors, ${repeated} alerts repeated with the same alertId`,
    );
    expect(acknowledged.length).toBeGreaterThanOrEqual(DEATHS.length);
  } finally {
    await product.kill();
    await subscriber.stop();
    await rm(folder, { recursive: true, force: true });
  }
}, 240_000);
