/**
 * The answers every UDP protocol is held against: right, wrong, silent, refused, half, foreign, lost, huge, endless, and
 * mutated ones by the thousand. A protocol's test says what a right server answers and what a wrong one says.
 */
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { ProbeFailure, type Protocol, type Target, type UdpProbe } from "../../shared/contract/protocol.ts";
import { check } from "./check.ts";
import { refusedUdpPort, serveUdp } from "./servers.ts";

type Reply = (data: string | Uint8Array) => void;

export interface UdpCases {
  readonly protocol: Protocol;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What a right server does with a datagram; it replies before it returns. */
  readonly good: (question: Buffer, reply: Reply) => void;
  /** What the outcome of the right answer must hold, beyond `open` and `up`. */
  readonly expected?: Readonly<Record<string, unknown>>;
  /** Datagrams of something else; each must end in `wrong-protocol` unless a reason stands beside it. */
  readonly wrong: readonly (string | Uint8Array | { readonly says: string | Uint8Array; readonly reason: string })[];
  /** Makes the right answer one to somebody else's question. Absent where the protocol has no ids. */
  readonly foreign?: (answer: Buffer) => Buffer;
  /** What silence means by default. */
  readonly silent?: Readonly<Record<string, unknown>>;
  /** From how many bytes on a cut answer is whole enough to be one. Default: all of them. */
  readonly enoughBytes?: number;
}

/** Long enough for a busy machine to send, short enough to wait for. */
const SILENCE_MS = 250;
/** Of mutated answers per protocol; `FUZZ_RUNS=100000` for the long run. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 400);

export function udpProtocolSuite(name: string, cases: UdpCases): void {
  const { protocol, good, wrong, foreign, expected = {}, settings = {} } = cases;
  const quick = { packets: { count: 3, spacingMs: 10 } };
  const run = ({ host, port }: { host: string; port: number }, timeoutMs: number, more: object = {}) =>
    check({ protocol, host, port, settings: { ...settings, ...more } }, timeoutMs);
  const answering = (change: (answer: Buffer, n: number) => readonly (string | Uint8Array)[]) => {
    let n = 0;
    return serveUdp((question, reply) =>
      good(question, (answer) => {
        for (const piece of change(Buffer.from(answer as string), n++)) reply(piece);
      }),
    );
  };

  describe.concurrent(name, (test) => {
    test("open on the right answer", async () => {
      await using server = await serveUdp(good);
      const outcome = await run(server, 5000);
      expect(outcome).toMatchObject({ state: "open", health: "up", reason: null, lossPercent: 0, ...expected });
      expect(JSON.stringify(outcome.evidence).length).toBeLessThanOrEqual(1024);
    });

    for (const [index, answer] of wrong.entries()) {
      const { says, reason } =
        typeof answer === "object" && "says" in answer ? answer : { says: answer, reason: "wrong-protocol" };
      test(`${reason} on wrong answer ${index + 1}`, async () => {
        await using server = await serveUdp((_question, reply) => reply(says));
        expect(await run(server, 2000)).toMatchObject({ state: "mismatch", health: "down", reason });
      });
    }

    test("open|filtered on silence", async () => {
      await using server = await serveUdp(() => {});
      const outcome = await run(server, SILENCE_MS);
      expect(outcome).toMatchObject({ state: "open|filtered", lossPercent: 100 });
      expect(outcome).toMatchObject(cases.silent ?? { health: "down", reason: "no-answer" });
    });

    test("closed when ICMP says so", async () => {
      expect(await run(await refusedUdpPort(), 2000)).toMatchObject({ state: "closed", reason: "port-unreachable" });
    });

    test("not open on half an answer", async () => {
      await using server = await answering((answer) => [answer.subarray(0, halfOf(answer, cases))]);
      const outcome = await run(server, SILENCE_MS);
      expect(outcome.health).not.toBe("up");
      expect(["mismatch", "open|filtered"]).toContain(outcome.state);
    });

    test("no cut of the right answer is taken for it", async () => {
      const { probe, question, answers } = exchange(cases);
      const answer = answers.at(-1) ?? Buffer.alloc(0);
      for (let bytes = 0; bytes < Math.min(answer.length, cases.enoughBytes ?? answer.length); bytes += 1)
        expect(readSafely(probe, answer.subarray(0, bytes), question), `${bytes} bytes`).toBe(false);
    });

    if (foreign) {
      test("foreign answers alone are silence", async () => {
        await using server = await answering((answer) => [foreign(answer)]);
        const outcome = await run(server, SILENCE_MS);
        expect(outcome).toMatchObject({ state: "open|filtered", lossPercent: 100 });
        expect(outcome.evidence).toHaveProperty("ignoredDatagrams");
      });

      test("foreign answers before the right one change nothing", async () => {
        await using server = await answering((answer) => [foreign(answer), answer]);
        expect(await run(server, 5000)).toMatchObject({ state: "open", reason: null, lossPercent: 0, ...expected });
      });

      test("what gets lost is counted", async () => {
        await using server = await answering((answer, n) => (n === 2 ? [answer] : []));
        const outcome = await run(server, 2000, quick);
        expect(outcome).toMatchObject({ state: "open", health: "degraded", reason: "packet-loss", lossPercent: 66.7 });
      });

      test("answers in the opposite order find their questions", async () => {
        const held: (() => void)[] = [];
        await using server = await serveUdp((question, reply) => {
          good(question, (answer) => held.push(() => reply(answer)));
          if (held.length === 3) for (const release of held.reverse()) release();
        });
        expect(await run(server, 2000, quick)).toMatchObject({ state: "open", lossPercent: 0 });
      });
    }

    test("our own question come back is no answer", async () => {
      await using server = await serveUdp((question, reply) => reply(question));
      const { state } = await run(server, SILENCE_MS);
      expect(["mismatch", "open|filtered", "unmeasured"]).toContain(state); // the last one where this process stood still
    });

    for (const [index, flood] of [randomBytes(60_000), Buffer.alloc(60_000), Buffer.alloc(9, 0xff)].entries())
      test(`not open on endless answer ${index + 1}`, async () => {
        await using server = await serveUdp((_question, reply) => {
          for (let n = 0; n < 200; n += 1) reply(flood);
        });
        const { state } = await run(server, SILENCE_MS);
        expect(["mismatch", "open|filtered", "unmeasured"]).toContain(state); // as above
      });

    test("mutated answers are read or refused, never a crash", () => {
      const { probe, question, answers } = exchange(cases);
      fc.assert(
        fc.property(fc.constantFrom(...answers), mutations, (answer, changes) => {
          readSafely(probe, mutate(answer, changes), question);
        }),
        { numRuns: RUNS },
      );
    });
  });
}

/** Half of it, or less where half would be whole. */
const halfOf = ({ length }: Buffer, { enoughBytes = length }: UdpCases) =>
  Math.min(Math.floor(length / 2), enoughBytes - 1);

const target: Target = { host: "127.0.0.1", address: "127.0.0.1", port: 1, now: Date.now, random: randomBytes };

/** One question, and what the right server says to it, follow-ups included. */
function exchange({ protocol, settings, good }: UdpCases) {
  const probe = protocol.prepare(settings ?? {}) as UdpProbe;
  let question = probe.ask(0, randomBytes, target);
  const answers: Buffer[] = [];
  for (let done = false; !done; ) {
    done = true;
    good(question, (data) => answers.push(Buffer.from(data as string)));
    for (const answer of answers.slice(-1)) {
      const read = probe.read(answer, question, target);
      if (read && "followUp" in read) {
        question = read.followUp;
        done = false;
      }
    }
  }
  return { probe, question, answers };
}

/** Whether it is taken for an answer. @throws whatever is not a finding about the peer */
function readSafely(probe: UdpProbe, answer: Buffer, question: Buffer): boolean {
  try {
    const read = probe.read(answer, question, target);
    return read !== undefined && !("followUp" in read);
  } catch (error) {
    if (error instanceof ProbeFailure) return false;
    throw error;
  }
}

interface Change {
  readonly kind: "flip" | "set" | "cut" | "insert" | "repeat";
  readonly at: number;
  readonly bytes: Uint8Array;
}

const mutations = fc.array(
  fc.record({
    kind: fc.constantFrom("flip", "set", "cut", "insert", "repeat") as fc.Arbitrary<Change["kind"]>,
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }),
  }),
  { minLength: 1, maxLength: 5 },
);

function mutate(answer: Buffer, changes: readonly Change[]): Buffer {
  let result = Buffer.from(answer);
  for (const { kind, at, bytes } of changes) {
    const index = Math.floor(at * result.length);
    const rest = result.subarray(index);
    if (kind === "cut") result = Buffer.from(result.subarray(0, index));
    else if (kind === "insert") result = Buffer.concat([result.subarray(0, index), bytes, rest]);
    else if (kind === "repeat") result = Buffer.concat([result, rest]);
    else
      for (let n = 0; n < bytes.length && index + n < result.length; n += 1)
        result[index + n] = kind === "set" ? bytes[n]! : result[index + n]! ^ (1 << (bytes[n]! & 7));
  }
  return result;
}
