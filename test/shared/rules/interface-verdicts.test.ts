/** Verdicts on interfaces over time: when each begins, what it says, and when it ends. */
import { describe, expect, test } from "vitest";
import type { InterfaceLimits, InterfacePoll } from "../../../shared/contract/poll.ts";
import { type Interval, intervalsBetween } from "../../../shared/measures/counters.ts";
import type { Outcome } from "../../../shared/model.ts";
import {
  type Fault,
  type InterfaceMemory,
  judgeInterfaces,
  WINDOW_MINUTES,
  withFaults,
} from "../../../shared/rules/interface-verdicts.ts";
import { type Port, Switch } from "../../support/switch.ts";

const LIMITS: InterfaceLimits = {
  utilisationPercent: 90,
  errorsPerMillion: 10,
  discardsPerMillion: 1_000,
  flaps: 3,
  duplex: true,
  slower: true,
  down: "if-it-was-up",
  isCritical: () => false,
  isIdle: () => false,
};

/** A switch whose one port is judged once a minute. */
function watch(limits: Partial<InterfaceLimits> = {}) {
  const device = new Switch(1);
  const port = device.ports[0]!;
  const START = device.upHundredths;
  let before: InterfacePoll | undefined;
  let memory: ReadonlyMap<string, InterfaceMemory> = new Map();
  let intervals: readonly Interval[] = [];
  const poll = (): readonly Fault[] => {
    const atMs = 1_795_809_600_000 + (device.upHundredths - START) * 10;
    const now: InterfacePoll = {
      atMs,
      upHundredths: device.upHundredths,
      interfaces: [{ ...port, isWide: true }],
    };
    const newest = before && intervalsBetween(before, now, 60).get(port.name);
    intervals = [...intervals, ...(newest ? [newest] : [])].filter(
      ({ endMs }) => endMs > atMs - WINDOW_MINUTES * 60_000,
    );
    const judged = judgeInterfaces(
      { ...now, limits: { ...LIMITS, ...limits } },
      memory,
      new Map([[port.name, intervals]]),
    );
    [before, memory] = [now, judged.memory];
    return judged.faults;
  };
  poll();
  return {
    device,
    port,
    /** Lets minutes pass, each with this traffic and these counts. @returns the verdicts after the last one */
    pass(minutes: number, each: Partial<Record<keyof Port, number>> = {}, traffic?: Parameters<Switch["pass"]>[1]) {
      let faults: readonly Fault[] = [];
      for (let n = 0; n < minutes; n++) {
        device.pass(60, traffic);
        for (const [key, count] of Object.entries(each)) (port as unknown as Record<string, number>)[key]! += count;
        faults = poll();
      }
      return faults.map(({ verdict }) => verdict);
    },
    poll,
  };
}

/** Some 120,000 packets of 1,000 bytes in a minute, each way. */
const BUSY = { in: 2_000_000, out: 2_000_000, packetBytes: 1_000 };
const megabits = (count: number) => ({ in: count * 125_000, out: 1_000, packetBytes: 1_000 });

describe("link-down", () => {
  test("of a link that was up, until it is up", () => {
    const w = watch();
    w.device.setLink("Gi1/0/1", 2);
    expect(w.pass(1)).toEqual(["link-down"]);
    expect(w.pass(30)).toEqual(["link-down"]);
    w.device.setLink("Gi1/0/1", 1);
    expect(w.pass(1)).toEqual([]);
  });

  test("not of one that somebody turned off, and afterwards not before it was up again", () => {
    const w = watch();
    w.device.setLink("Gi1/0/1", 2);
    w.port.admin = 2;
    expect(w.pass(1)).toEqual([]);
    w.port.admin = 1;
    expect(w.pass(1)).toEqual([]);
  });

  test.each<[string, Partial<InterfaceLimits>]>([
    ["never", { down: "never" }],
    ["only critical ones", { down: "critical" }],
    ["an idle one", { isIdle: () => true }],
  ])("not with %s", (_what, limits) => {
    const w = watch(limits);
    w.device.setLink("Gi1/0/1", 2);
    expect(w.pass(1)).toEqual([]);
  });

  test("makes the monitor down where the interface is critical", () => {
    const w = watch({ down: "critical", isCritical: (name) => name === "Gi1/0/1" });
    w.device.setLink("Gi1/0/1", 2);
    w.device.pass(60);
    expect(w.poll()).toMatchObject([{ verdict: "link-down", isDown: true }]);
  });
});

test("link-flapping from three changes in ten minutes on, until there was none in ten", () => {
  const w = watch();
  const flap = () => (w.port.lastChange = w.device.upHundredths + 3_000);
  flap();
  expect(w.pass(1)).toEqual([]); // two changes
  flap();
  expect(w.pass(1)).toEqual(["link-flapping"]);
  expect(w.pass(9)).toEqual(["link-flapping"]);
  expect(w.pass(1)).toEqual([]);
});

test("utilisation-high above 90 % on average of 15 minutes, until below 87 %", () => {
  const w = watch();
  expect(w.pass(9, {}, megabits(950))).toEqual([]);
  expect(w.pass(1, {}, megabits(950))).toEqual(["utilisation-high"]);
  expect(w.pass(20, {}, megabits(880))).toEqual(["utilisation-high"]);
  expect(w.pass(15, {}, megabits(860))).toEqual([]);
  expect(w.pass(20, {}, megabits(890))).toEqual([]);
});

test("one full minute is no high load", () => {
  const w = watch();
  w.pass(14, {}, megabits(10));
  expect(w.pass(1, {}, megabits(1_000))).toEqual([]);
});

test("errors-high from 20 errors and 10 in a million packets of 5 minutes on, until below half", () => {
  const w = watch({ duplex: false });
  expect(w.pass(4, { inErrors: 4 }, BUSY)).toEqual([]);
  expect(w.pass(1, { inErrors: 4 }, BUSY)).toEqual(["errors-high"]);
  expect(w.pass(5, { inErrors: 3 }, BUSY)).toEqual(["errors-high"]);
  expect(w.pass(5, { inErrors: 1 }, BUSY)).toEqual([]);
  // Many errors of very many packets: 25 in 6 million.
  const full = { in: 50_000_000, out: 50_000_000, packetBytes: 1_000 };
  expect(watch({ duplex: false }).pass(5, { inErrors: 5 }, full)).toEqual([]);
});

test("discards-high from 1,000 in a million packets of 15 minutes on", () => {
  const w = watch();
  expect(w.pass(10, { outDiscards: 200 }, BUSY)).toEqual([]);
  expect(w.pass(10, { outDiscards: 400 }, BUSY)).toEqual(["discards-high"]);
  expect(w.pass(15, { outDiscards: 20 }, BUSY)).toEqual([]);
});

describe("duplex-mismatch", () => {
  test("half duplex at 100 Mb/s and more, until 15 minutes after it ended", () => {
    const w = watch();
    w.port.duplex = 2;
    expect(w.pass(1)).toEqual(["duplex-mismatch"]);
    w.port.duplex = 3;
    expect(w.pass(14)).toEqual(["duplex-mismatch"]);
    expect(w.pass(1)).toEqual([]);
  });

  test("late collisions in two of three polls", () => {
    const w = watch();
    expect(w.pass(1, { lateCollisions: 5 })).toEqual([]);
    expect(w.pass(2)).toEqual([]);
    w.pass(1, { lateCollisions: 1 });
    w.pass(1);
    expect(w.pass(1, { lateCollisions: 1 })).toEqual(["duplex-mismatch"]);
    expect(w.pass(14)).toEqual(["duplex-mismatch"]);
    expect(w.pass(1)).toEqual([]);
  });

  test("wrong checksums at full duplex while there is little load", () => {
    const w = watch();
    expect(w.pass(2, { fcsErrors: 2 })).toEqual(["duplex-mismatch"]);
    w.device.pass(60);
    w.port.fcsErrors += 1;
    expect(w.poll()[0]!.message).toContain("the other side may be at half duplex");
    expect(watch().pass(3, { fcsErrors: 2 }, megabits(700))).toEqual([]);
    expect(watch({ duplex: false }).pass(3, { fcsErrors: 2 })).toEqual([]);
  });
});

test("speed-fell below the best speed seen, until it is back", () => {
  const w = watch();
  w.port.speedMbps = 100;
  w.device.pass(60);
  expect(w.poll()).toMatchObject([
    { verdict: "speed-fell", message: expect.stringContaining("100 Mb/s instead of 1000: look at the cable") },
  ]);
  w.port.speedMbps = 1_000;
  expect(w.pass(1)).toEqual([]);
  expect(w.pass(1)).toEqual([]);
});

test("a restart and a renumbering are no trouble", () => {
  const w = watch();
  w.pass(3, {}, BUSY);
  w.port.index = 55;
  expect(w.pass(2, {}, BUSY)).toEqual([]);
});

const OUTCOME: Outcome = {
  state: "open",
  reason: null,
  message: "10 interfaces, 10 up",
  health: "up",
  timings: {},
  traffic: { bytesSent: 0, bytesReceived: 0 },
  evidence: { up: 10 },
  attempts: 1,
};

test("the outcome is that of the worst; its evidence names up to eight", () => {
  const fault = (place: number): Fault => ({
    name: `e${place}`,
    verdict: "errors-high",
    message: `e${place}: 20 errors`,
    isDown: false,
  });
  expect(withFaults(OUTCOME, [])).toBe(OUTCOME);
  const many = withFaults(
    OUTCOME,
    Array.from({ length: 10 }, (_, place) => fault(place)),
  );
  expect(many).toMatchObject({
    health: "degraded",
    reason: "errors-high",
    message: "e0: 20 errors; 9 other findings, see the evidence",
    evidence: { up: 10, findings: 10 },
  });
  expect((many.evidence.faults as string[]).length).toBe(8);
  const critical: Fault = { ...fault(1), verdict: "link-down", isDown: true };
  expect(withFaults(OUTCOME, [critical])).toMatchObject({ health: "down", reason: "link-down" });
  const down = { ...OUTCOME, health: "down" } as const;
  expect(withFaults(down, [critical])).toBe(down);
});
