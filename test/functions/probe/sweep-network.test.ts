/** Sweeps of a network: addresses that are silent get all their ports with every seventh sweep, and no change is made up for that. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SweepTools } from "../../../functions/probe/sweep-slice.ts";
import { SWEPT, type Sweeping, startSweeping, TICK } from "./sweeping.ts";

const NETWORK = "127.77.2.0/30";
const [ANSWERING, SILENT, OTHER] = ["127.77.2.0", "127.77.2.1", "127.77.2.2"] as const;
const INTERVAL = 3_600;

let at: Sweeping;
/** What is open, by address; one that is absent answers nothing. */
let open: Record<string, readonly number[]>;
let tried: string[];
beforeEach(async () => {
  at = await startSweeping();
  [open, tried] = [{ [ANSWERING]: [22] }, []];
  await at.put({ host: NETWORK, settings: { ports: "22,80,7000-7009", identify: false } });
});
afterEach(() => at.stop());

/** Connections of these machines, in place of real ones: nothing on the loopback network is silent. */
const connecting: SweepTools["sweep"] = async (targets, { found }) => {
  for (const target of targets) {
    tried.push(`${target.address} ${target.port}`);
    const ports = open[target.address];
    found(target, ports ? (ports.includes(target.port) ? "open" : "closed") : "filtered");
  }
};
/** Numbered from 0. @returns its record, and what was tried at an address */
const sweep = async (number: number, { isAsked = false } = {}) => {
  tried = [];
  const tick = TICK + number * INTERVAL;
  await at.wholeSweep(tick, { probe: at.startProbe({ sweep: connecting }), more: { isAsked } });
  return {
    record: (await at.sweeps.sweep(SWEPT, tick))!,
    triedAt: (address: string) => new Set(tried.filter((one) => one.startsWith(`${address} `))).size,
  };
};
const facts = async () => Object.keys((await at.view())?.facts?.values ?? {}).toSorted();

test("they get common ports in between, and no other address does", async () => {
  expect((await sweep(0)).triedAt(SILENT)).toBe(12);
  const second = await sweep(1);
  expect([second.triedAt(ANSWERING), second.triedAt(SILENT)]).toEqual([12, 2]);
  expect(second.record).toMatchObject({ silent: "2-4", shortCount: 3, sinceFull: 1, openCount: 1 });
});

test("a listener on one is found with the seventh sweep at the latest, and on a known port at once", async () => {
  await sweep(0);
  open[SILENT] = [7_005];
  // It answers on no common port: its firewall drops everything else.
  const dropping: SweepTools["sweep"] = async (targets, { found, ...options }) =>
    connecting(targets, {
      ...options,
      found: (target, state) => found(target, target.address === SILENT && state === "closed" ? "filtered" : state),
    });
  const found: number[] = [];
  for (let number = 1; number <= 8; number++) {
    const tick = TICK + number * INTERVAL;
    await at.wholeSweep(tick, { probe: at.startProbe({ sweep: dropping }) });
    if ((await at.sweeps.sweep(SWEPT, tick))!.hosts![SILENT]) found.push(number);
  }
  expect(found).toEqual([7, 8]);
  open[OTHER] = [7_005];
  expect((await sweep(9)).record.hosts![OTHER]?.open).toBe("7005");
  expect(await facts()).toEqual([ANSWERING, SILENT, OTHER].map((address) => `ports.tcp.${address}`));
});

test("a machine that is switched off and comes back is told as that, each once", async () => {
  open[OTHER] = [7_001, 7_002];
  await sweep(0);
  delete open[OTHER];
  const { record } = await sweep(1);
  expect(record.closedPorts?.map(({ port }) => port)).toEqual([7_001, 7_002]);
  for (const number of [2, 3]) expect((await sweep(number)).record.openCount).toBe(1);
  open[OTHER] = [7_001, 7_002];
  expect((await sweep(4)).record.hosts![OTHER]?.open).toBe("7001-7002");
});

test("what another sweep found meanwhile on an address that this one skips stays", async () => {
  await sweep(0);
  const tick = TICK + 2 * INTERVAL;
  const probe = () => at.startProbe({ sweep: connecting });
  await at.run(0, { tick, probe: probe() });
  open[SILENT] = [7_005];
  expect((await sweep(1, { isAsked: true })).triedAt(SILENT)).toBe(12);
  const known = await facts();
  for (const step of [1, 2]) await at.run(step, { tick, probe: probe() });
  expect((await at.sweeps.sweep(SWEPT, tick))!.hosts![SILENT]?.open).toBe("7005");
  expect(await facts()).toEqual(known);
});

test("other settings, and somebody who asks, get all of them", async () => {
  await sweep(0);
  expect((await sweep(1, { isAsked: true })).triedAt(SILENT)).toBe(12);
  await at.put({ host: NETWORK, settings: { ports: "22,7000-7009", identify: false }, settingsVersion: 2 });
  tried = [];
  const more = { settingsVersion: 2 };
  await at.wholeSweep(TICK + 2 * INTERVAL, { probe: at.startProbe({ sweep: connecting }), more });
  expect(new Set(tried.filter((one) => one.startsWith(`${SILENT} `))).size).toBe(11);
});
