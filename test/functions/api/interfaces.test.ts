/** Interfaces of devices in the API: how they stand, and what went over them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredPoll } from "../../../shared/history/poll.ts";
import { noSums, usageOf } from "../../../shared/measures/slots.ts";
import { NEW_INTERFACE } from "../../../shared/rules/interface-verdicts.ts";
import { targetOf } from "../../../shared/store/counters.ts";
import { interfaceReading } from "../../support/interfaces.ts";
import { startEdge } from "./edge.ts";

let edge: Awaited<ReturnType<typeof startEdge>>;
/** 2026-11-28T00:00:00Z */
const START = 1_795_824_000;
let now = START + 120;
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

const counters = () => edge.stores.counters;
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

describe("traffic of one interface", () => {
  /** So many polls, a minute apart from START on, with so many bytes received between each two. */
  const polled = async (minutes: number, bytes: (minute: number) => number) => {
    const { body: monitor } = await create();
    const store = counters();
    let octets = 0n;
    for (let minute = 0; minute <= minutes; minute++) {
      octets += BigInt(bytes(minute));
      const one = interfaceReading({ inOctets: octets, outOctets: octets / 2n, inErrors: minute });
      await store.putPoll(device(monitor.id), pollAt(minute * 60, [one, interfaceReading({ name: "eth0", index: 1 })]));
    }
    now = START + minutes * 60;
    return `/v1/monitors/${monitor.id}/interfaces`;
  };

  test("steps are sums of the counters, and what is missing is null", async () => {
    const path = await polled(10, (minute) => (minute === 3 ? 7_500_000 : 75_000));
    const query = `from=${START - 300}&to=${START + 600}&step=5m`;
    const { status, body } = await edge.call("GET", `${path}/R2kxLzAvNw/traffic?${query}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: "R2kxLzAvNw", name: "Gi1/0/7", location: "eu-west-1", step: "5m" });
    expect(body.items).toMatchObject([
      { seconds: 0, in: { bytes: null, bitsPerSecond: null, percentile95BitsPerSecond: null }, errors: null },
      {
        from: new Date(START * 1000).toISOString(),
        seconds: 300,
        in: { bytes: 7_800_000, bitsPerSecond: 208_000, utilisationPercent: 0.0208, peakBitsPerSecond: 208_000 },
        out: { bytes: 3_900_000, bitsPerSecond: 104_000 },
        errors: 5,
        speedMbps: 1_000,
      },
      { seconds: 300, in: { bytes: 375_000, percentile95BitsPerSecond: 10_000 } },
    ]);
    expect(body.total).toMatchObject({ seconds: 600, in: { bytes: 8_175_000, percentile95BitsPerSecond: 208_000 } });
    const minutes = await edge.call("GET", `${path}/R2kxLzAvNw/traffic?from=${START}&to=${START + 600}&step=1m`);
    expect(minutes.body.items.map((one: { in: { bytes: number } }) => one.in.bytes)).toEqual(
      Array.from({ length: 10 }, (_, n) => (n === 2 ? 7_500_000 : 75_000)),
    );
    // By its name, where that has no slash; and as CSV.
    const { headers, body: csv } = await edge.call("GET", `${path}/eth0/traffic?from=${START}&to=${START + 300}`, {
      headers: { accept: "text/csv" },
    });
    expect(headers["content-type"]).toMatch(/^text\/csv/);
    const [head, row, end] = String(csv).split("\r\n");
    expect(head).toMatch(/^from,to,seconds,inBytes,outBytes,inBitsPerSecond/);
    expect(row).toContain(",300,0,0,0,0,0,0,0,0,0,0,0,1000");
    expect(end).toBe("");
  });

  test("days that are compacted and days that are not are one series", async () => {
    const path = await polled(10, () => 75_000);
    const id = path.split("/")[3]!;
    const yesterday = START - 86_400;
    const slots = Array.from({ length: 288 }, () => ({
      ...noSums(),
      seconds: 300,
      inBytes: 375_000,
      speedMbps: 1_000,
    }));
    await edge.stores.rates.putDays({ id, location: "eu-west-1" }, yesterday, new Map([["Gi1/0/7", slots]]));
    await edge.stores.rates.advance({ id, location: "eu-west-1" }, START);
    const query = `from=${yesterday}&to=${START + 600}`;
    const days = await edge.call("GET", `${path}/R2kxLzAvNw/traffic?${query}&step=1d`);
    expect(days.body.items).toMatchObject([
      { seconds: 86_400, in: { bytes: 288 * 375_000 } },
      { seconds: 600, in: { bytes: 10 * 75_000 } },
    ]);
    const hours = await edge.call("GET", `${path}/R2kxLzAvNw/traffic?${query}&step=1h`);
    expect(hours.body.items).toHaveLength(25);
    expect(hours.body.total.in).toMatchObject({ bytes: 288 * 375_000 + 750_000, percentile95BitsPerSecond: 10_000 });
  });

  test("months that are over have their own figures", async () => {
    const path = await polled(10, () => 75_000);
    const id = path.split("/")[3]!;
    const usage = { ...usageOf({ ...noSums(), seconds: 86_400, inBytes: 5, speedMbps: 10 }, []), inPercentile95: 77 };
    await edge.stores.rates.putMonths({ id, location: "eu-west-1" }, "2026-10", new Map([["Gi1/0/7", usage]]));
    const query = "from=2026-10-01&step=1mo";
    const { body } = await edge.call("GET", `${path}/R2kxLzAvNw/traffic?${query}`);
    expect(body.items).toMatchObject([
      { from: "2026-10-01T00:00:00.000Z", in: { bytes: 5, percentile95BitsPerSecond: 77 } },
      { from: "2026-11-01T00:00:00.000Z", in: { bytes: 750_000 } },
    ]);
  });

  test("what is wrong is named: an unknown interface, a range too long for its steps, another team's monitor", async () => {
    const path = await polled(1, () => 75_000);
    const unknown = await edge.call("GET", `${path}/Te1/traffic`);
    expect([unknown.status, unknown.body.detail]).toEqual([404, expect.stringContaining('no interface "Te1"')]);
    const long = await edge.call("GET", `${path}/eth0/traffic?from=-30d&step=1m`);
    expect([long.status, long.body.errors?.[0]]).toEqual([
      422,
      { path: "step", message: "1m allows ranges of at most 1.4 days" },
    ]);
    expect((await edge.call("GET", `${path}/eth0/traffic?location=nowhere`)).status).toBe(422);
    const id = path.split("/")[3]!;
    for (const what of ["traffic", "forecast"])
      expect((await edge.call("GET", `${path.replace(id, "0".repeat(20))}/eth0/${what}`)).status).toBe(404);
  });

  test("a forecast says when 80 % of the line rate is reached, from six weeks on", async () => {
    const path = await polled(2, () => 75_000);
    const id = path.split("/")[3]!;
    const forecast = async () => (await edge.call("GET", `${path}/R2kxLzAvNw/forecast`)).body;
    expect(await forecast()).toMatchObject({
      weeks: 0,
      sharePercent: 80,
      in: { at: null, bitsPerSecondPerWeek: null },
    });
    const week = 7 * 86_400;
    const last = Math.floor(now / week) * week;
    const rateOf = (n: number) => 100e6 + n * 10e6; // 10 Mb/s more each week
    for (let n = 0; n < 10; n++)
      for (let day = 0; day < 7; day++) {
        const slots = Array.from({ length: 288 }, () => ({
          ...noSums(),
          seconds: 300,
          inBytes: (rateOf(n) * 300) / 8,
          outBytes: 1e6,
          speedMbps: 1_000,
        }));
        const from = last - (10 - n) * week + day * 86_400;
        await edge.stores.rates.putDays({ id, location: "eu-west-1" }, from, new Map([["Gi1/0/7", slots]]));
      }
    await edge.stores.rates.advance({ id, location: "eu-west-1" }, last);
    const found = await forecast();
    expect(found).toMatchObject({ weeks: 10, speedMbps: 1_000, out: { bitsPerSecondPerWeek: 0, at: null } });
    expect(found.in.bitsPerSecondPerWeek).toBeCloseTo(10e6, -4);
    // From the middle of the first week on: 100 Mb/s and 10 Mb/s a week make 800 Mb/s after 70 weeks.
    const expected = (last - 10 * week + week / 2 + 70 * week) * 1000;
    expect(Math.abs(Date.parse(found.in.at) - expected)).toBeLessThan(86_400_000);
    expect(found.in.earliest <= found.in.at && found.in.at <= found.in.latest).toBe(true);
  });
});

test("metrics have the interfaces of devices, at most 2,000 series, and say what is left out", async () => {
  const { body: monitor } = await create({ tags: { only: "metrics" } });
  const many = Array.from({ length: 400 }, (_, place) =>
    interfaceReading({ name: `Gi1/0/${place}`, index: place + 1 }),
  );
  now = START + 100_060;
  await counters().putPoll(device(monitor.id), pollAt(100_000, many));
  const after = many.map((one) => ({ ...one, inOctets: one.inOctets! + 60_000n }));
  await counters().putPoll(device(monitor.id), pollAt(100_060, after));
  const scrape = async () => (await edge.call("GET", "/v1/metrics?tag=only=metrics")).body as string;
  const text = await scrape();
  const labels = `{monitor="${monitor.id}",interface="Gi1/0/7"}`;
  expect(text).toContain(`harborlight_interface_receive_bits_per_second${labels} 8000\n`);
  expect(text).toContain(`harborlight_interface_up${labels} 1\n`);
  expect(text).toContain(`harborlight_interface_speed_bits_per_second${labels} 1000000000\n`);
  expect(text.match(/^harborlight_interface_/gm)!.length).toBeLessThanOrEqual(2_000);
  expect(text).toContain("harborlight_interfaces_left_out 67\n");
  now += 1_000;
  expect(await scrape()).not.toContain(labels);
});
