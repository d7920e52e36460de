/**
 * `npm run simulate -- --crowd [monitors]`: all monitors of a large installation go down at once while state-change is five
 * minutes behind. Everybody must be told once, each monitor be touched about once, and no tick wait behind the touches.
 */
import type { Deployment } from "./deployment.ts";
import type { Scenario } from "./scenario.ts";
import { simulate } from "./world.ts";

const DOWN_AT = 900;
const BACK_AT = DOWN_AT + 300;
const SECONDS = 2_700;

const scenarioOf = (count: number): Scenario => ({
  seed: `crowd-${count}`,
  startMs: Date.parse("2026-12-01T12:00:00.000Z"),
  seconds: SECONDS,
  skewMs: 0,
  jitterMs: 500,
  monitors: Array.from({ length: count }, (_, n) => ({
    at: 20 + (n * 500) / count,
    settings: {
      name: `m${n}`,
      key: `m${n}`,
      protocol: "tcp",
      host: "h",
      port: 443,
      intervalSeconds: 60,
      timeoutMs: 2_000,
      retries: { count: 0, delayMs: 500 },
      locations: ["a"],
    },
  })),
  events: [{ host: "h", from: DOWN_AT, to: SECONDS, kind: "refused" }],
  cuts: [],
  edits: [],
  faults: [{ fault: "outage", strength: 1, from: DOWN_AT, to: BACK_AT, only: { caller: "state-change" } }],
});

/** @returns how many promises were broken */
export async function judgeCrowd(count: number, deployment: Deployment, say: (line: string) => void): Promise<number> {
  let touches = 0;
  const { journal } = await simulate(scenarioOf(count), {
    deployment,
    onCall: ({ caller, operation, item }) => {
      if (caller === "dispatch" && operation === "Update" && item?.startsWith("MONITOR#")) touches++;
    },
  });
  const downs = journal.told.filter(({ event, receiver }) => event === "down" && receiver === "sns");
  const told = new Set(downs.map(({ monitorId }) => monitorId));
  const last = Math.max(...downs.map(({ at }) => at));
  const late = journal.blocks.filter(({ at, tick }) => at - (tick - journal.startMs / 1000) > 10).length;
  say(`${count} monitors down at ${DOWN_AT} s, state-change away until ${BACK_AT} s`);
  say(`told: ${told.size}, alerts ${downs.length}, the last at ${last.toFixed(0)} s`);
  say(`touches by dispatch: ${touches}, ${(touches / count).toFixed(2)} a monitor`);
  say(`blocks later than 10 s: ${late} of ${journal.blocks.length}; records given up: ${journal.givenUp.length}`);
  const broken = [told.size < count, downs.length > told.size, late > 0, touches > 3 * count].filter(Boolean);
  return broken.length;
}
