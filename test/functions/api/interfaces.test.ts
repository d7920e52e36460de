/** Interfaces of devices in the API: how they stand, and what went over them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredPoll } from "../../../shared/history/poll.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import { NEW_INTERFACE } from "../../../shared/rules/interface-verdicts.ts";
import { createCounterStore, targetOf } from "../../../shared/store/counters.ts";
import { interfaceReading } from "../../support/interfaces.ts";
import { startEdge } from "./edge.ts";

let edge: Awaited<ReturnType<typeof startEdge>>;
const START = 1_795_809_600;
const now = START + 120;
beforeAll(async () => {
  edge = await startEdge();
  edge.clock.now = () => new Date(now * 1000);
});
afterAll(() => edge.stop());

const DEVICE = {
  name: "Access switch 3",
  protocol: "interfaces",
  host: "93.184.216.34",
  locations: ["eu-west-1"],
  settings: { community: "harbor" },
};
const create = (more: object = {}) => edge.call("POST", "/v1/monitors", { body: { ...DEVICE, ...more } });

const counters = () =>
  createCounterStore(edge.client, edge.tables.history, {
    history: edge.stores.history,
    retention: DEFAULT_RETENTION,
    now: () => now * 1000,
    unreadable: (error) => expect.unreachable(error.message),
  });
const device = (id: string) => ({ id, location: "eu-west-1", target: targetOf({ host: DEVICE.host, port: 161 }) });
const pollAt = (
  seconds: number,
  interfaces: StoredPoll["interfaces"],
  memory: StoredPoll["memory"] = new Map(),
): StoredPoll => ({
  atMs: (START + seconds) * 1000,
  upHundredths: 1_000_000 + seconds * 100,
  interfaces,
  memory,
});

describe("how interfaces stand", () => {
  test("rates are those between the last two polls, by hand", async () => {
    const { body: monitor } = await create();
    const one = interfaceReading({ name: "Gi1/0/7", alias: "uplink", index: 10_107 });
    const off = interfaceReading({ name: "Gi1/0/8", index: 10_108, oper: 2, speedMbps: 0, duplex: 1 });
    await counters().putPoll(device(monitor.id), pollAt(0, [one, off]));
    await counters().putPoll(
      device(monitor.id),
      pollAt(
        60,
        [
          {
            ...one,
            inOctets: one.inOctets! + 75_000_000n, // x 8 / 60 s = 10 Mb/s
            outOctets: one.outOctets! + 750_000_000n,
            inPackets: one.inPackets! + 60_000n,
            outPackets: one.outPackets! + 539_940n,
            inErrors: 60,
          },
          off,
        ],
        new Map([["Gi1/0/7", { ...NEW_INTERFACE, verdicts: ["errors-high"] }]]),
      ),
    );
    const { status, body } = await edge.call("GET", `/v1/monitors/${monitor.id}/interfaces`);
    expect(status).toBe(200);
    expect(body.nextCursor).toBeNull();
    expect(body.items).toEqual([
      {
        id: "R2kxLzAvNw",
        name: "Gi1/0/7",
        alias: "uplink",
        index: 10_107,
        location: "eu-west-1",
        at: new Date((START + 60) * 1000).toISOString(),
        admin: "up",
        link: "up",
        speedMbps: 1_000,
        duplex: "full",
        in: { bitsPerSecond: 10_000_000, packetsPerSecond: 1_000, utilisationPercent: 1 },
        out: { bitsPerSecond: 100_000_000, packetsPerSecond: 8_999, utilisationPercent: 10 },
        errorsPerMillion: 100,
        discardsPerMillion: 0,
        verdicts: ["errors-high"],
      },
      expect.objectContaining({ name: "Gi1/0/8", link: "down", speedMbps: null, duplex: null }),
    ]);
  });

  test("rates are null at the first poll and after a restart; a device of before is not shown", async () => {
    const { body: monitor } = await create();
    const one = interfaceReading({ name: "eth0" });
    const rates = async () => (await edge.call("GET", `/v1/monitors/${monitor.id}/interfaces`)).body.items[0];
    const unknown = { bitsPerSecond: null, packetsPerSecond: null, utilisationPercent: null };
    expect(await rates()).toBeUndefined();
    await counters().putPoll({ ...device(monitor.id), target: "10.0.0.1 161" }, pollAt(0, [one]));
    expect(await rates()).toBeUndefined();
    await counters().putPoll(device(monitor.id), pollAt(10, [one]));
    expect(await rates()).toMatchObject({ in: unknown, out: unknown, errorsPerMillion: null });
    await counters().putPoll(device(monitor.id), { ...pollAt(70, [one]), upHundredths: 500 });
    expect(await rates()).toMatchObject({ in: unknown, out: unknown });
  });

  test("they come in pages", async () => {
    const { body: monitor } = await create();
    const some = Array.from({ length: 5 }, (_, place) => interfaceReading({ name: `e${place}`, index: place + 1 }));
    await counters().putPoll(device(monitor.id), pollAt(0, some));
    const path = `/v1/monitors/${monitor.id}/interfaces?limit=3`;
    const first = (await edge.call("GET", path)).body;
    const second = (await edge.call("GET", `${path}&cursor=${first.nextCursor}`)).body;
    const names = [...first.items, ...second.items].map(({ name }: { name: string }) => name);
    expect([names, second.nextCursor]).toEqual([["e0", "e1", "e2", "e3", "e4"], null]);
  });
});

test("a monitor has the default port of SNMP; wrong settings are named, and nothing is stored", async () => {
  expect((await create()).body).toMatchObject({ port: 161, intervalSeconds: 60 });
  const before = await edge.stored("monitors", "MONITOR#");
  for (const [settings, path] of [
    [{ version: "3" }, "settings.user"],
    [{ only: "" }, "settings.only"],
    [{ limits: { utilisationPercent: 101 } }, "settings.limits.utilisationPercent"],
  ] as const) {
    const { status, body } = await create({ settings });
    expect([status, body.errors?.[0]?.path]).toEqual([422, path]);
  }
  expect(await edge.stored("monitors", "MONITOR#")).toEqual(before);
});
