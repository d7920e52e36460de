/**
 * What a check costs, against the best the machine can do (an epoll loop in C) and against prometheus-blackbox-exporter, in
 * one run: rounds are interleaved and ratios taken within a round, because the machine may be busy.
 *
 *   npm run bench -- engine [rounds, default 9]
 */
import { availableParallelism } from "node:os";
import { startBlackbox } from "./engine/blackbox.ts";
import type { CheckerJob, CheckerReport } from "./engine/checker.ts";
import {
  CHECKER_CORE,
  compileReference,
  type ReferenceReport,
  runReference,
  startChecker,
  startReferenceTargets,
  startTargets,
  throttle,
} from "./engine/processes.ts";

const ROUNDS = Number(process.argv[3] ?? 9);
const IN_FLIGHT = [64, 256, 900];
const CHECKS = { tcp: 2500, udp: 2500, tls: 300, spoken: 1000 };
/** Lambda gives a core to 1,769 MB. */
const shareOf = (memoryMb: number) => memoryMb / 1_769;

const binary = compileReference();
const targets = await startTargets();
const reference = binary ? await startReferenceTargets(binary, 500) : undefined;
const ports = { ...targets.ports, ...(reference ? { tcp: reference.tcp, udp: reference.udp } : {}) };
const checker = await startChecker();
const blackbox = await startBlackbox(CHECKER_CORE);

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const figure = (value: number, digits = 1) => (Number.isFinite(value) ? value.toFixed(digits) : "-").padStart(9);
const verdicts: string[] = [];
const target = (name: string, isMet: boolean | undefined, what: string) => {
  verdicts.push(`${isMet === undefined ? "unknown" : isMet ? "met    " : "NOT MET"}  ${name}: ${what}`);
};

console.log(
  `Node ${process.version}, ${availableParallelism()} cores, checker ${CHECKER_CORE.length ? "pinned to core 0, targets to core 1" : "not pinned"}, ${ROUNDS} rounds`,
);
if (!binary) console.log("no reference: gcc is not installed");
if (!blackbox) console.log("no rival: prometheus-blackbox-exporter is not installed");

interface Round {
  readonly engine: CheckerReport;
  readonly c?: ReferenceReport;
}

// V8 has compiled the hot path after some thousand checks; a warm Lambda has, too.
for (const kind of ["tcp", "udp", "tls", "spoken"] as const)
  for (const inFlight of IN_FLIGHT) await checker.run({ kind, ports: ports[kind], inFlight, checks: CHECKS[kind] });

console.log("\nkind    in flight  checks/s   CPU us/check   C: CPU us   ratio   [lowest..highest]   open");
for (const kind of ["tcp", "udp", "tls", "spoken"] as const) {
  const ratios: number[] = [];
  const measured = new Map<number, Round[]>(IN_FLIGHT.map((inFlight) => [inFlight, []]));
  const checks = CHECKS[kind];
  const hasReference = binary && (kind === "tcp" || kind === "udp");
  for (let round = 0; round < ROUNDS; round++)
    for (const [inFlight, rounds] of measured) {
      const c = hasReference ? runReference(binary, kind, ports[kind], inFlight, checks, false) : undefined;
      const engine = await checker.run({ kind, ports: ports[kind], inFlight, checks });
      rounds.push(c ? { engine, c } : { engine });
    }
  for (const [inFlight, rounds] of measured) {
    const own = rounds.flatMap(({ engine, c }) => (c ? [engine.cpuUs / c.cpuUs] : []));
    ratios.push(...own);
    const rate = median(rounds.map(({ engine }) => (1000 * checks) / engine.wallMs));
    const cpuUs = median(rounds.map(({ engine }) => engine.cpuUs));
    const open = Math.min(...rounds.map(({ engine }) => engine.open));
    console.log(
      `${kind.padEnd(8)}${String(inFlight).padStart(9)}${figure(rate, 0)}${figure(cpuUs).padStart(15)}${figure(median(rounds.map(({ c }) => c?.cpuUs ?? Number.NaN))).padStart(12)}${figure(median(own), 2)}   ${own.length ? `[${Math.min(...own).toFixed(2)}..${Math.max(...own).toFixed(2)}]` : ""}   ${open}/${checks}`,
    );
  }
  const limit = { tcp: 2.5, udp: 4 }[kind as string];
  if (limit === undefined) continue;
  const ratio = binary ? median(ratios) : Number.NaN;
  target(
    `${kind} at most ${limit}x the CPU of C`,
    binary ? ratio <= limit : undefined,
    binary ? `${ratio.toFixed(2)}x, median of ${ratios.length} rounds` : "no reference",
  );
}

if (blackbox) {
  const ratios: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { cpuUs, open } = await blackbox.run(ports.tcp, 1000, 64);
    const engine = await checker.run({ kind: "tcp", ports: ports.tcp, inFlight: 64, checks: 1000 });
    if (open < 1000) console.log(`blackbox called ${1000 - open} of 1000 open ports down`);
    theirs.push(cpuUs);
    ratios.push(cpuUs / engine.cpuUs);
  }
  console.log(
    `\nblackbox_exporter, 64 in flight: ${median(theirs).toFixed(0)} us/check, ${median(ratios).toFixed(1)}x ours [${Math.min(...ratios).toFixed(1)}..${Math.max(...ratios).toFixed(1)}]`,
  );
  target("at least 4x less CPU than blackbox_exporter", median(ratios) >= 4, `${median(ratios).toFixed(1)}x`);
  blackbox.stop();
} else target("at least 4x less CPU than blackbox_exporter", undefined, "not installed");

console.log("\n500 checks due at once, reported latency in ms    p50      p99");
// A start finds a target on this machine awake where it comes within some 5 us of the close before it, as in a tight loop
// in C; else it wakes it, some 7 us more in C and Node alike. So C is measured in the engine's rhythm, too.
const due: CheckerReport[] = [];
const references: Readonly<Record<"queueing" | "tight" | "inRhythm", ReferenceReport[]>> = {
  queueing: [],
  tight: [],
  inRhythm: [],
};
for (let round = 0; round < ROUNDS; round++) {
  const engine = await checker.run({ kind: "tcp", ports: ports.tcp, inFlight: 900, checks: 500 });
  due.push(engine);
  if (!binary) continue;
  const reference = (eager: boolean, rhythmUs = 0) => runReference(binary, "tcp", ports.tcp, 500, 500, eager, rhythmUs);
  references.queueing.push(reference(false));
  references.tight.push(reference(true));
  references.inRhythm.push(reference(true, Math.round((1000 * engine.wallMs) / 500)));
}
const line = (name: string, reports: readonly (ReferenceReport | CheckerReport)[]) =>
  console.log(
    `${name.padEnd(46)}${figure(median(reports.map(({ p50Ms }) => p50Ms)), 3)}${figure(median(reports.map(({ p99Ms }) => p99Ms)), 3)}`,
  );
line("engine", due);
if (binary) {
  line("C, starts all, then waits", references.queueing);
  line("C, looks for answers after each start", references.tight);
  line("C, the same in the engine's rhythm", references.inRhythm);
  const against = (reports: readonly ReferenceReport[]) =>
    median(due.map(({ p50Ms }, i) => p50Ms / (reports[i]?.p50Ms ?? Number.NaN)));
  // No verdict over the first: it reports how long its own queue is, which nothing that paces could miss.
  for (const [name, reports] of [
    ["in the engine's rhythm", references.inRhythm],
    ["in a tight loop", references.tight],
  ] as const) {
    const ratio = against(reports);
    target(`p50 within 2x of C ${name}`, ratio <= 2, `${ratio.toFixed(2)}x`);
  }
}

const limited = await startChecker({ descriptors: 1024 });
const waiting = await limited.run({ kind: "waiting", ports: ports.waiting, inFlight: 900, checks: 900 });
console.log(
  `\n900 connections open together under a limit of 1,024 descriptors: ${waiting.open} open, ${waiting.mostDescriptors} descriptors at most, ${JSON.stringify(waiting.others)}`,
);
target("900 in one batch without EMFILE", waiting.open === 900, `${waiting.open} of 900 measured`);

const names = await limited.run({
  kind: "names",
  ports: ports.tcp,
  inFlight: 900,
  checks: 1000,
  timeoutMs: 5000,
  nameServer: ports.nameServer,
});
console.log(
  `1,000 names behind a resolver that takes one second: ${names.open} open in ${names.wallMs.toFixed(0)} ms, connect p50 ${names.p50Ms.toFixed(3)} ms, ${JSON.stringify(names.others)}`,
);
target(
  "1,000 slow names measured within the deadline of 5 s",
  names.open === 1000 && names.wallMs < 5000,
  `${names.open} in ${names.wallMs.toFixed(0)} ms`,
);
limited.stop();

/** A warm process with a small Lambda's share of a core. */
async function runSmall(memoryMb: number, job: CheckerJob, rounds: number): Promise<void> {
  const small = await startChecker({ descriptors: 1024 });
  await small.run(job);
  const undo = throttle(small.pid, shareOf(memoryMb));
  if (typeof undo === "string") console.log(`\nsmall Lambda: no CPU share can be set here (${undo})`);
  else {
    const reports: CheckerReport[] = [];
    for (let round = 0; round < rounds; round++) reports.push(await small.run(job));
    const of = (pick: (report: CheckerReport) => number) => median(reports.map(pick));
    console.log(
      `${memoryMb} MB ${`${job.checks} ${job.kind}${job.ports === ports.farTls ? ", 25 ms away" : ""}`.padEnd(24)}${figure(
        of((r) => r.wallMs),
        0,
      )}${figure((of((r) => r.cpuUs) * job.checks) / 1000, 0)}${figure(
        of((r) => r.p50Ms),
        3,
      )}${figure(
        of((r) => r.p99Ms),
        3,
      )}   ${of((r) => r.stalled)} stalled, ${of((r) => r.open)} open`,
    );
    setTimeout(undo, 500);
  }
  small.stop();
}
console.log("\nsmall Lambda, all due at once     wall ms   CPU ms   p50 ms   p99 ms");
for (const memoryMb of [128, 256]) {
  const job = { inFlight: 900, checks: 250 } as const;
  await runSmall(memoryMb, { ...job, kind: "tcp", ports: ports.tcp }, ROUNDS);
  for (const tls of [ports.tls, ports.farTls])
    for (const checks of [10, 250]) await runSmall(memoryMb, { ...job, kind: "tls", ports: tls, checks }, 3);
}

console.log(`\n${verdicts.join("\n")}`);
checker.stop();
targets.stop();
reference?.stop();
