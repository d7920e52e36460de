/** A service whose latency, or a switch whose traffic leaves its usual range: what a probe makes of it, from its memory and from the blocks of others. */
import { expect, test } from "vitest";
import { HOURS_OF_WEEK, type UsualHour, type UsualWeek } from "../../../shared/measures/usual.ts";
import type { Monitor } from "../../../shared/model.ts";
import { UNUSUAL_OFF } from "../../../shared/monitor/unusual.ts";
import { createUsualStore, type UsualWeeks, watchedPlace } from "../../../shared/store/usual.ts";
import { monitorOf } from "../../support/monitors.ts";
import { Switch } from "../../support/switch.ts";
import { startProbe, startTarget } from "./fixture.ts";

/** So low that any latency is far outside, and so high that none is. */
const LOW = { centre: Math.log(2), spread: 0.001 };
const HIGH = { centre: Math.log(60_000), spread: 0.2 };

const weekOf = (usual: UsualHour): UsualWeek =>
  new Map(Array.from({ length: HOURS_OF_WEEK }, (_, hour) => [hour, usual]));

async function start(more: Partial<Monitor> = {}) {
  const p = await startProbe({ lane: 60 });
  const target = await startTarget();
  await p.put({
    port: target.port,
    retries: { count: 2, delayMs: 0 },
    unusual: { ...UNUSUAL_OFF, latency: more.protocol ? "off" : "normal", outBytes: more.protocol ? "normal" : "off" },
    ...more,
  });
  const store = createUsualStore(p.client, p.tables.history, {
    now: p.now,
    sleep: async () => {},
    unreadable: (error) => expect.unreachable(error.message),
  });
  const learnWeeks = (weeks: UsualWeeks, what: Partial<Monitor> = {}) =>
    store.put(
      watchedPlace(monitorOf({ id: "m1", port: target.port, ...what }), "a"),
      Math.floor(p.now() / 1000),
      weeks,
      [],
    );
  return {
    ...p,
    target,
    learnWeeks,
    learn: (usual: typeof LOW) => learnWeeks(new Map([["latency", weekOf(usual)]])),
    /** Runs ticks, each by the process that is given, and tells at which the view changed, and to what. */
    async run(from: number, to: number, processOf: () => ReturnType<typeof p.startProcess>) {
      const seen: string[] = [];
      for (let n = from; n <= to; n++) {
        await p.tick(n, 0.5, processOf());
        const view = await p.view();
        const now = `${view?.health} ${view?.reason}`;
        if (seen.at(-1)?.endsWith(now) !== true) seen.push(`${n} ${now}`);
      }
      return seen;
    },
    async [Symbol.asyncDispose]() {
      await target[Symbol.asyncDispose]();
      await p[Symbol.asyncDispose]();
    },
  };
}

test("is degraded once it was outside of its range for 15 minutes, and says so in numbers", async () => {
  await using p = await start();
  await p.learn(LOW);
  const process = p.startProcess();
  const seen = await p.run(1, 30, () => process);
  // A mean needs 8 checks, and there have to be means for 15 minutes.
  expect(seen).toEqual(["1 up null", expect.stringMatching(/^2[2-9] degraded unusual$/)]);
  expect((await p.view())?.message).toMatch(/^takes [\d.]+ ms; on Fridays at 08:00 UTC it was 0 to 0\.0017 ms$/);
});

test("finds the same where each tick has a process of its own, from the newest blocks", async () => {
  await using p = await start();
  await p.learn(LOW);
  const seen = await p.run(1, 30, () => p.startProcess());
  expect(seen).toEqual(["1 up null", expect.stringMatching(/^2[2-9] degraded unusual$/)]);
  // After a failed check it is not up by itself, and a new process knows that it was unusual.
  await p.target.set(false);
  expect((await p.run(31, 31, () => p.startProcess())).at(-1)).toMatch(/^31 down/);
});

test("reads the range once an hour, and is up again when the range says so", async () => {
  await using p = await start();
  await p.learn(LOW);
  const reads: number[] = [];
  let n = 0;
  const process = p.startProcess((operation, { ExpressionAttributeValues: values }) => {
    if (operation === "Query" && String((values as { ":pk"?: string })[":pk"]).startsWith("USUAL#")) reads.push(n);
  });
  const next = () => {
    n += 1;
    return process;
  };
  expect((await p.run(1, 30, next)).at(-1)).toMatch(/degraded unusual$/);
  await p.learn(HIGH);
  expect((await p.run(31, 62, next)).at(-1)).toMatch(/^6[12] up null$/);
  expect(reads).toHaveLength(2);
});

test("a monitor without the setting reads nothing", async () => {
  await using p = await start();
  await p.learn(LOW);
  await p.put({ port: p.target.port, unusual: null });
  const seen = await p.run(1, 25, () =>
    p.startProcess((operation, input) => {
      if (operation === "Query") expect(JSON.stringify(input)).not.toContain("USUAL#");
    }),
  );
  expect(seen).toEqual(["1 up null"]);
});

test.each([
  ["by one process", false],
  ["by a process for each tick, from the stored counters", true],
])("an interface that sends far more than usual is named, with figures, %s", async (_, isCold) => {
  const device = new Switch(3);
  await using server = await device.serve();
  await using p = await start({ protocol: "interfaces", port: server.port, settings: { community: "harbor" } });
  // Of 2 KB/s each; the third port is not known.
  const usual = { centre: Math.log(1 + 10_000 + 2_000), spread: Math.log(1.2) };
  const weeks = ["Gi1/0/1", "Gi1/0/2"].map((name) => [`outBytes#${name}`, weekOf(usual)] as const);
  await p.learnWeeks(new Map(weeks), { protocol: "interfaces", port: server.port });
  const process = p.startProcess();
  const seen: string[] = [];
  for (let n = 1; n <= 63; n++) {
    device.pass(60);
    // For twenty-five minutes the first two send 80 MB/s.
    for (const port of device.ports.slice(0, 2)) if (n > 20 && n <= 45) port.outOctets += 80_000_000n * 60n;
    await p.tick(n, 0.5, isCold ? p.startProcess() : process);
    const view = await p.view();
    const now = `${view?.health} ${view?.reason}`;
    if (seen.at(-1)?.endsWith(now) !== true) seen.push(`${n} ${now}`);
    if (n === 45)
      expect(view).toMatchObject({
        message: expect.stringMatching(
          /^Gi1\/0\/1 sends 80 MB\/s; on Fridays at 08:00 UTC it was 0 to 4\.4 KB\/s; 1 more unusual, see the evidence$/,
        ),
        evidence: { unusual: ["Gi1/0/1 outBytes", "Gi1/0/2 outBytes"] },
      });
  }
  expect(seen).toEqual([
    "1 up null",
    expect.stringMatching(/^3[67] degraded unusual$/),
    expect.stringMatching(/^(59|6[0-2]) up null$/),
  ]);
});
