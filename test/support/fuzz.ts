/**
 * Mutated answers over all parsers. TCP protocols talk through the real connection over real sockets on loopback; UDP
 * protocols read the mutated datagram directly. What may come out: an outcome, before the deadline, with bounded reads.
 */
import type { Socket } from "node:net";
import fc from "fast-check";
import {
  type Dialog,
  type DialogProbe,
  ProbeFailure,
  type Target,
  type UdpProbe,
} from "../../shared/contract/protocol.ts";
import { createEngine } from "../../shared/engine/run.ts";
import type { Outcome } from "../../shared/model.ts";
import { protocols } from "../../shared/protocols/index.ts";
import { checkSettings } from "./check.ts";
import { RANDOM, SEEDS } from "./fuzz-seeds.ts";
import { serve } from "./servers.ts";

export interface FuzzResult {
  readonly answers: number;
  readonly open: number;
  readonly slowestMs: number;
  /** Growth of the heap, after collecting where the process allows it. */
  readonly heapGrowthBytes: number;
}

/** Of each check; an answer that is not whole is waited for this long. */
const TIMEOUT_MS = 150;
/** Past its deadline a check may take this long on a machine under load. Beyond, it hangs. */
const GRACE_MS = 2000;
/** Checks side by side. */
const BATCH = 250;

const mutation = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("set" as const), at: fc.nat(), value: fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff) }),
  fc.record({ kind: fc.constant("insert" as const), at: fc.nat(), bytes: fc.uint8Array({ maxLength: 24 }) }),
  fc.record({ kind: fc.constant("remove" as const), at: fc.nat(), count: fc.integer({ min: 1, max: 24 }) }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("repeat" as const), times: fc.integer({ min: 2, max: 40 }) }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never;

const mutate = (bytes: Buffer, change: Mutation): Buffer => {
  const at = "at" in change && bytes.length > 0 ? change.at % bytes.length : 0;
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (change.kind) {
    case "flip":
    case "set": {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[at] = change.kind === "set" ? change.value : copy[at]! ^ (1 << change.bit);
      return copy;
    }
    case "insert":
      return Buffer.concat([before, change.bytes, after]);
    case "remove":
      return Buffer.concat([before, after.subarray(change.count)]);
    case "cut":
      return Buffer.from(before);
    case "repeat":
      return Buffer.concat(Array.from({ length: change.times }, () => bytes)).subarray(0, 65_536);
  }
};

const names = Object.keys(protocols).filter((name) => !["tcp", "udp", "syslog", "ports"].includes(name));

/** One answer: whose parser, which right answer it began as (or none), what happened to it, and whether the server hangs up. */
const answer = fc.record({
  protocol: fc.constantFrom(...names),
  seed: fc.nat(),
  noise: fc.uint8Array({ maxLength: 200 }),
  changes: fc.array(mutation, { maxLength: 6 }),
  // Mostly hanging up: waiting for what does not come tests the clock, not the parsers.
  hangsUp: fc.integer({ min: 0, max: 19 }).map((number) => number > 0),
});
type Answer = typeof answer extends fc.Arbitrary<infer A> ? A : never;

const seedsOf = (protocol: string): readonly Buffer[] =>
  SEEDS[protocol] ?? SEEDS[protocol.replace(/s$/, "")] ?? Object.values(SEEDS).flat();

const bytesOf = ({ protocol, seed, noise, changes }: Answer): Buffer => {
  const seeds = [...seedsOf(protocol), Buffer.from(noise)];
  return changes.reduce(mutate, seeds[seed % seeds.length]!);
};

const random = (bytes: number) => Buffer.from(RANDOM.subarray(0, bytes));

/** What the parser of datagrams makes of an answer, and of one that echoes the question's first bytes, as ids are echoed. */
const readDatagram = (probe: UdpProbe, bytes: Buffer, target: Target): void => {
  const question = probe.ask(0, random, target);
  for (const datagram of [
    bytes,
    Buffer.concat([question.subarray(0, 8), bytes]),
    Buffer.concat([bytes.subarray(0, 4), question]),
  ])
    try {
      const found = probe.read(datagram, question, target);
      if (found && "followUp" in found) probe.read(bytes, found.followUp, target);
    } catch (error) {
      if (!(error instanceof ProbeFailure)) throw error;
    }
};

/** The same for a conversation: each request gets the answer, behind the id that it has. */
const readConversation = async (probe: DialogProbe, bytes: Buffer, target: Target): Promise<void> => {
  const dialog: Dialog = {
    request: async (ask, read) => {
      const question = ask();
      for (const datagram of [bytes, Buffer.concat([question.subarray(0, 8), bytes])]) {
        const found = read(datagram, question);
        if (found && "value" in found) return found.value as never;
      }
      return new Promise(() => {});
    },
  };
  try {
    await Promise.race([probe.converse(dialog, target), new Promise(setImmediate)]);
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error;
  }
};

/**
 * Holds every parser against so many answers.
 * @throws Error with seed and answer when a parser crashes, hangs or reads without end
 */
export async function fuzz(count: number, seed: number): Promise<FuzzResult> {
  const engine = createEngine({ location: { kind: "local", families: ["ipv4"] }, protocols, random });
  const pending = new Map<number, Answer>();
  await using server = await serve((socket: Socket) => {
    // The path of a connection to its answer: the n-th accepted gets the n-th that waits. Whose it is does not matter
    // for a crash, so the parsers see each other's answers too.
    const next = pending.entries().next().value;
    if (!next) return void socket.destroy();
    pending.delete(next[0]);
    const bytes = bytesOf(next[1]);
    socket.resume();
    if (next[1].hangsUp) socket.end(bytes);
    else socket.write(bytes);
  });
  const target: Target = { host: "localhost", address: "127.0.0.1", port: server.port, now: () => 1.7e12, random };
  const totals = { answers: 0, open: 0, slowestMs: 0 };
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;

  const run = async (one: Answer, index: number): Promise<void> => {
    const row = protocols[one.protocol]!;
    const settings = plainSettings(one.protocol);
    const probe = row.prepare(settings);
    if ("converse" in probe) return readConversation(probe, bytesOf(one), target);
    if (probe.transport === "udp") return readDatagram(probe, bytesOf(one), target);
    pending.set(index, one);
    const startedAt = performance.now();
    // TLS is OpenSSL's to parse; what is inside is ours.
    const outcome: Outcome | undefined = await engine.runOne(
      checkSettings({ protocol: one.protocol, port: server.port, settings, timeoutMs: TIMEOUT_MS }),
    );
    const tookMs = performance.now() - startedAt;
    totals.slowestMs = Math.max(totals.slowestMs, tookMs);
    if (outcome?.state === "open") totals.open += 1;
    const say = (what: string) => new Error(`${one.protocol} ${what}: ${JSON.stringify(outcome)}`);
    if (outcome === undefined || outcome.state === "unmeasured") throw say("is unmeasured");
    if (tookMs > TIMEOUT_MS + GRACE_MS) throw say(`took ${Math.round(tookMs)} ms`);
    if (JSON.stringify(outcome.evidence).length > 1024) throw say("has more than 1 KB of evidence");
  };

  for (let at = 0; at < count; at += BATCH) {
    // Each batch from a seed of its own, so that one can be made again alone.
    const batch = fc.sample(answer, { numRuns: Math.min(BATCH, count - at), seed: seed + at });
    const done = await Promise.allSettled(batch.map((one, index) => run(one, index)));
    for (const [index, result] of done.entries())
      if (result.status === "rejected")
        throw new Error(`seed ${seed + at}, answer ${index}: ${JSON.stringify(batch[index])}`, {
          cause: result.reason,
        });
    pending.clear();
    totals.answers += batch.length;
  }
  globalThis.gc?.();
  return { ...totals, heapGrowthBytes: process.memoryUsage().heapUsed - heapBefore };
}

/** The example's settings without TLS, so that the answer reaches our parser and not OpenSSL's. */
function plainSettings(protocol: string): Readonly<Record<string, unknown>> {
  const { tls: _, starttls: __, ...rest } = protocols[protocol]!.example.settings;
  return rest;
}
