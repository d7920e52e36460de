/** What following a switch of 48 ports costs in a month: sizes and processor time are measured, prices are AWS's. */
import { randomBytes } from "node:crypto";
import type { DialogProbe } from "../../../shared/contract/protocol.ts";
import { rosterHash } from "../../../shared/history/block.ts";
import { encodePoll, rosterOf } from "../../../shared/history/poll.ts";
import { encodeRates } from "../../../shared/history/rates.ts";
import { intervalsBetween } from "../../../shared/measures/counters.ts";
import { addToSlots, noSums, stretchOf } from "../../../shared/measures/slots.ts";
import { interfaces } from "../../../shared/protocols/interfaces.ts";
import { judgeInterfaces } from "../../../shared/rules/interface-verdicts.ts";
import { Switch } from "../../support/switch.ts";
import { ASSUMED, PRICES } from "./prices.ts";

const PORTS = 48;
const ROUNDS = 288;
const PROBE_MB = 128;
/** Keys, attribute names and expiry of an item. */
const ITEM_BYTES = 100;
const ROWS = [
  { intervalSeconds: 60, targetDollars: 0.1 },
  { intervalSeconds: 300, targetDollars: 0.03 },
];

/** Follows a switch with random traffic for a day in steps of 5 minutes. */
async function measure() {
  const device = new Switch(PORTS);
  const probe = interfaces.prepare({ community: "harbor" }) as DialogProbe;
  let [nowMs, agentMs] = [1_795_824_000_000, 0];
  const target = { host: "switch", address: "10.0.0.1", port: 161, now: () => nowMs, random: randomBytes };
  const slots = Array.from({ length: ROUNDS }, noSums);
  const startMs = nowMs;
  const sizes: number[] = [];
  let last: Parameters<typeof intervalsBetween>[0] | undefined;
  const startedAt = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    const { poll } = await probe.converse(
      {
        request: async (ask, read) => {
          const question = ask();
          const before = performance.now();
          const answer = device.answer(question)!;
          agentMs += performance.now() - before;
          return (read(answer, question) as { value: never }).value;
        },
      },
      target,
    );
    const intervals = last ? intervalsBetween(last, poll!, 300) : new Map();
    const { memory } = judgeInterfaces(poll!, new Map(), new Map());
    sizes.push(encodePoll({ ...poll!, memory }, rosterHash(rosterOf(poll!))).length);
    const one = intervals.get("Gi1/0/1");
    if (one) addToSlots(slots, stretchOf(one), startMs / 1000);
    last = poll!;
    nowMs += 300_000;
    device.pass(300);
    for (const port of device.ports) {
      port.inOctets += BigInt(Math.floor(Math.random() * 3e9));
      port.outOctets += BigInt(Math.floor(Math.random() * 3e9));
      port.inPackets += BigInt(Math.floor(Math.random() * 3e6));
      port.outPackets += BigInt(Math.floor(Math.random() * 3e6));
    }
  }
  return {
    pollBytes: Math.max(...sizes) + ITEM_BYTES,
    dayBytes: encodeRates(slots).length + ITEM_BYTES,
    cpuMs: (performance.now() - startedAt - agentMs) / ROUNDS,
  };
}

/** @returns whether all targets are met */
export async function printInterfaces(): Promise<boolean> {
  const { pollBytes, dayBytes, cpuMs } = await measure();
  console.log(
    `\nA switch of ${PORTS} ports: a poll is ${pollBytes} bytes and ${cpuMs.toFixed(1)} ms of a whole core, a day of a port ${dayBytes} bytes`,
  );
  let isMet = true;
  for (const { intervalSeconds, targetDollars } of ROWS) {
    const { daysPerMonth, memoryOfCoreMb } = ASSUMED;
    const polls = (daysPerMonth * 86_400) / intervalSeconds;
    const days = daysPerMonth * PORTS;
    const parts = {
      Lambda:
        ((polls * (cpuMs + ASSUMED.requestCpuMs) * memoryOfCoreMb) / PROBE_MB / 1000) *
        (PROBE_MB / 1024) *
        PRICES.lambdaGbSecond,
      polls: polls * Math.ceil(pollBytes / 1024) * PRICES.writeUnit,
      days: days * Math.ceil(dayBytes / 1024) * PRICES.writeUnit,
      // Compact reads each poll once, eventually consistent, and its own progress every hour.
      reads: ((polls * pollBytes) / 8192 + daysPerMonth * 24) * PRICES.readUnit,
      storage: ((polls * pollBytes * 14) / daysPerMonth + 400 * PORTS * dayBytes) * (PRICES.storageGbMonth / 1e9),
    };
    const total = Object.values(parts).reduce((sum, dollars) => sum + dollars, 0);
    const shown = Object.entries(parts).map(([part, dollars]) => `${part} $${dollars.toFixed(4)}`);
    isMet &&= total <= targetDollars;
    console.log(
      `  every ${String(intervalSeconds).padEnd(3)} s: ${shown.join(", ")}: $${total.toFixed(3)} a month, target $${targetDollars.toFixed(2)}: ${total <= targetDollars ? "met" : "NOT met"}`,
    );
  }
  return isMet;
}
