/**
 * Follows a switch of 48 ports that snmpsim plays (`pip install snmpsim pysmi`), minute by minute, and compares rates with those by hand
 * and verdicts with what was done to its ports: `npm run real-switch -- <folder of snmpsim-command-responder>`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { followingInterfaces } from "../functions/probe/interfaces.ts";
import { createEngine } from "../shared/engine/run.ts";
import { rosterHash } from "../shared/history/block.ts";
import { decodePoll, encodePoll, rosterOf } from "../shared/history/poll.ts";
import { intervalsBetween } from "../shared/measures/counters.ts";
import { protocols } from "../shared/protocols/index.ts";
import type { CounterStore } from "../shared/store/counters.ts";
import { check, checkSettings } from "./support/check.ts";
import { Switch } from "./support/switch.ts";

const PORT = 16_161;
const programs = process.argv[2];
if (!programs) throw new Error("name the folder of snmpsim-command-responder");
const folder = mkdtempSync(join(tmpdir(), "switch-"));

let responder: ChildProcess | undefined;
/** Has snmpsim play the switch as it is now. */
const play = async (device: Switch): Promise<void> => {
  responder?.kill();
  if (responder) await new Promise((resolve) => responder!.once("exit", resolve));
  writeFileSync(join(folder, "harbor.snmprec"), device.recording());
  const account = process.getuid?.() === 0 ? ["--process-user=root", "--process-group=root"] : [];
  responder = spawn(
    join(programs, "snmpsim-command-responder"),
    [`--data-dir=${folder}`, `--cache-dir=${folder}`, `--agent-udpv4-endpoint=127.0.0.1:${PORT}`, ...account],
    { stdio: "ignore" },
  );
  const settings = { community: "harbor", oid: "1.3.6.1.2.1.1.3.0", packets: { count: 1 } };
  for (let n = 0; n < 150; n++) {
    if ((await check({ protocol: "snmp", port: PORT, settings }, 500)).state === "open") return;
    await sleep(100);
  }
  throw new Error("snmpsim does not answer");
};

const device = new Switch(48);
const START_MS = 1_795_824_000_000;
let minute = 0;
const engine = createEngine({
  location: { kind: "local", families: ["ipv4"] },
  protocols,
  now: () => START_MS + minute * 60_000,
});
/** What is stored, as it would be in the table. */
const stored: { readonly data: Uint8Array; readonly roster: string[] }[] = [];
const newest = (count: number) =>
  stored
    .slice(-count)
    .reverse()
    .map(({ data, roster }) => decodePoll(data, roster, "a poll"));
const counters: CounterStore = {
  async putPoll(_device, poll) {
    const roster = rosterOf(poll);
    stored.push({ data: encodePoll(poll, rosterHash(roster)), roster });
  },
  async *polls() {
    yield* newest(20).reverse();
  },
  newest: async (_device, count) => newest(count),
};
/** Each minute by another process, which knows only what is stored. */
const poll = async () => {
  const { runBatch } = followingInterfaces({ location: "here", engine, counters });
  const settings = { community: "harbor" };
  const check = checkSettings({ protocol: "interfaces", port: PORT, settings }, 10_000);
  const { outcomes, crashes } = await runBatch([{ id: "m1", check }], { deadlineAtMs: Number.POSITIVE_INFINITY });
  if (crashes[0]) throw crashes[0].error;
  return outcomes.get("m1")!;
};
let wrong = 0;

/** Plays a minute. @param expected verdicts, as `<port> <verdict>`. @param voids ports whose counters prove nothing */
const step = async (
  what: string,
  change: () => void,
  expected: readonly string[],
  voids: readonly string[] | "all" = [],
) => {
  if (stored.length > 0) device.pass(60, { in: 1_250_000, out: 625_000, packetBytes: 1_000 });
  change();
  await play(device);
  const outcome = await poll();
  minute += 1;
  const faults = (outcome.evidence.faults ?? []) as string[];
  const [last, before] = newest(2);
  const intervals = [...(before && last ? intervalsBetween(before, last, 60) : [])];
  const void_ = intervals.filter(([, { counts }]) => !counts).map(([name]) => name);
  const off = intervals.filter(
    ([name, { counts }]) =>
      counts && device.port(name).oper === 1 && (counts.inBytes !== 75_000_000 || counts.outBytes !== 37_500_000),
  );
  const isRight =
    JSON.stringify(faults.toSorted()) === JSON.stringify([...expected].toSorted()) &&
    off.length === 0 &&
    (voids === "all" ? void_.length === 48 : JSON.stringify(void_) === JSON.stringify(voids));
  if (!isRight) wrong += 1;
  const told = `${intervals.length - void_.length - off.length} rates as by hand, ${void_.length} void`;
  console.log(`${isRight ? "right" : "WRONG"}  ${what}: ${told}; ${faults.join(", ") || "no verdict"}`);
  if (!isRight) console.log(outcome.message, { expected, off: off.slice(0, 3), void_ });
};

try {
  const port = (n: number) => device.port(`Gi1/0/${n}`);
  await step("first poll", () => {}, []);
  await step("a minute of 10 and 5 Mb/s on each port", () => {}, []);
  await step("64 bits before their end", () => Object.assign(port(2), { inOctets: 2n ** 64n - 10n }), [], ["Gi1/0/2"]);
  await step("64 bits wrap", () => {}, []);
  await step(
    "32 bits at 100 Mb/s",
    () => Object.assign(port(3), { isNarrow: true, speedMbps: 100, inOctets: 2n ** 32n - 9n }),
    ["Gi1/0/3 speed-fell"],
    ["Gi1/0/3"],
  );
  await step("32 bits wrap", () => {}, ["Gi1/0/3 speed-fell"]);
  const slow = ["Gi1/0/3 speed-fell"];
  await step(
    "counters reset, and the agent tells (discontinuity)",
    () => Object.assign(port(4), { inOctets: 0n, outOctets: 0n, discontinuity: device.upHundredths }),
    slow,
    ["Gi1/0/4"],
  );
  await step("counters reset, and the agent does not tell", () => Object.assign(port(12), { inOctets: 0n }), slow, [
    "Gi1/0/12",
  ]);
  await step("the switch restarts", () => device.restart(), slow, "all");
  await step("a minute after it", () => {}, slow);
  await step(
    "all indexes are others",
    () => {
      for (const one of device.ports) one.index += 100;
      device.tableChange = 7;
    },
    slow,
    "all",
  );
  await step("a minute after it", () => {}, slow);
  await step("half duplex at port 5", () => Object.assign(port(5), { duplex: 2 }), [
    ...slow,
    "Gi1/0/5 duplex-mismatch",
  ]);
  const half = [...slow, "Gi1/0/5 duplex-mismatch"];
  await step("late collisions at port 6", () => Object.assign(port(6), { lateCollisions: 5 }), half);
  await step("and again", () => Object.assign(port(6), { lateCollisions: 9 }), [...half, "Gi1/0/6 duplex-mismatch"]);
  const late = [...half, "Gi1/0/6 duplex-mismatch"];
  await step("wrong checksums at port 7", () => Object.assign(port(7), { fcsErrors: 3, inErrors: 3 }), late);
  await step("and again", () => Object.assign(port(7), { fcsErrors: 9, inErrors: 9 }), [
    ...late,
    "Gi1/0/7 duplex-mismatch",
  ]);
  const duplex = [...late, "Gi1/0/7 duplex-mismatch"];
  await step("1000 to 100 Mb/s at port 8", () => Object.assign(port(8), { speedMbps: 100 }), [
    ...duplex,
    "Gi1/0/8 speed-fell",
  ]);
  await step(
    "port 9 loses its link and has it again",
    () => Object.assign(port(9), { lastChange: device.upHundredths }),
    [...duplex, "Gi1/0/8 speed-fell"],
  );
  await step("and again", () => Object.assign(port(9), { lastChange: device.upHundredths }), [
    ...duplex,
    "Gi1/0/8 speed-fell",
    "Gi1/0/9 link-flapping",
  ]);
  await step("port 10 loses its link", () => device.setLink("Gi1/0/10", 2), [
    ...duplex,
    "Gi1/0/8 speed-fell",
    "Gi1/0/9 link-flapping",
    "Gi1/0/10 link-down",
  ]);
} finally {
  responder?.kill();
  rmSync(folder, { recursive: true });
}
console.log(wrong === 0 ? "all right" : `${wrong} steps are wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
