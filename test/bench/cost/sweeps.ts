/** What sweeps of ports cost in a month, from their plan: how many slices, how long each lasts, and what each reads and writes. */
import { NAMED_PORTS } from "../../../shared/port-list.ts";
import { planSweep } from "../../../shared/rules/sweep-plan.ts";
import { ASSUMED, PRICES } from "./prices.ts";

/** Gigabytes out of AWS to the Internet, beyond the first hundred. */
const TRANSFER_GB = 0.09;
/** A SYN with its headers, twice where nothing answers: the dearest case. */
const BYTES_PER_ATTEMPT = 2 * 60;
const MEMORY_GB = 128 / 1024;
/** Looking again at what differs, and at services, seldom: 2 s of most ends. The last look finds everything done. */
const END_SECONDS = 2;

/** Units of each slice: the monitor, itself, what the first one found; one result. Of a sweep: parts, sweeps before, roster, block and record. */
const UNITS = { sliceReads: 3, sliceWrites: 1, sweepReads: 12, sweepWrites: 3 };

interface Row {
  readonly what: string;
  readonly hosts: number;
  readonly ports: number;
  readonly intervalSeconds: number;
  readonly targetDollars: number;
}
const ROWS: readonly Row[] = [
  { what: "one host, all ports daily", hosts: 1, ports: 65_535, intervalSeconds: 86_400, targetDollars: 0.1 },
  {
    what: "twenty hosts, top-1000 hourly",
    hosts: 20,
    ports: NAMED_PORTS["top-1000"]!.length,
    intervalSeconds: 3_600,
    targetDollars: 2,
  },
];

/** @returns whether all targets are met */
export function printSweeps(): boolean {
  let isMet = true;
  console.log(`\nSweeps from outside a VPC at 100 a second, every port silent; each host a monitor of its own`);
  for (const { what, hosts, ports, intervalSeconds, targetDollars } of ROWS) {
    const plan = planSweep({ addresses: 1, ports, perSecond: null }, "public");
    const monthSeconds = ASSUMED.daysPerMonth * 86_400;
    const sweeps = (hosts * monthSeconds) / intervalSeconds;
    const jobs = sweeps * (plan.slices + 2);
    const seconds = sweeps * (plan.attempts / plan.perSecond + plan.slices * 1.5 + END_SECONDS);
    // Dispatch reads a sweep's monitor each minute of the half interval in which one may be under way.
    const dispatchReads = ((hosts * monthSeconds) / 60) * 0.5 * 0.5;
    const parts = {
      Lambda: seconds * MEMORY_GB * PRICES.lambdaGbSecond + jobs * PRICES.lambdaRequest,
      SQS: jobs * (2 + 1 / ASSUMED.messagesPerSend) * PRICES.sqsRequest,
      DynamoDB:
        (sweeps * (plan.slices * UNITS.sliceReads + UNITS.sweepReads) + dispatchReads) * PRICES.readUnit +
        sweeps * (plan.slices * UNITS.sliceWrites + UNITS.sweepWrites) * PRICES.writeUnit,
      transfer: ((sweeps * plan.attempts * BYTES_PER_ATTEMPT) / 1e9) * TRANSFER_GB,
    };
    const total = Object.values(parts).reduce((sum, dollars) => sum + dollars, 0);
    const shown = Object.entries(parts).map(([part, dollars]) => `${part} $${dollars.toFixed(3)}`);
    isMet &&= total <= targetDollars;
    console.log(
      `  ${what.padEnd(32)} ${shown.join(", ")}: $${total.toFixed(2)} a month, target $${targetDollars.toFixed(2)}: ${total <= targetDollars ? "met" : "NOT met"}`,
    );
  }
  return isMet;
}
