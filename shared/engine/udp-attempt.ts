/**
 * One UDP attempt: sends several datagrams on one connected socket, so that the kernel drops datagrams of other senders and
 * reports ICMP errors. The protocol matches answers to questions; late and foreign answers match none.
 * Where answers come from another port than the one asked (TFTP), a second, unconnected socket shares the local port: the
 * kernel delivers to it what does not match the connected one, which still receives the ICMP errors.
 */
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from "node:dgram";
import type { Measured } from "../contract/measured.ts";
import type { Finding, Target, UdpProbe } from "../contract/protocol.ts";
import type { Traffic } from "../model.ts";
import { type Attempt, type Done, endpointOf } from "./attempt.ts";
import { explain, type Failure, type Stage } from "./failure.ts";
import type { Timeout } from "./timer-wheel.ts";

/** Wait for missing answers once one has come: five times the slowest answer so far, at least this. Later ones count as lost. */
const GRACE_MS = 500;
/** Follow-up datagrams per question (cookies, discovery), so that a hostile peer cannot make us send endlessly. */
export const MAX_FOLLOW_UPS = 4;

interface Question {
  datagram: Buffer;
  sentAt: number;
  followUps: number;
  answerMs: number | undefined;
}

/** Returns the literal address unchanged: without it Node runs `dns.lookup` on a thread for every datagram. */
export const literalLookup: NonNullable<SocketOptions["lookup"]> = (address, _options, callback) =>
  callback(null, address, 0);

/** Whether the kernel assigned the checked port of this machine to the socket itself, which would receive its own questions. */
export function isItself(socket: Socket, { port, address }: Target): boolean {
  const own = socket.address();
  return own.port === port && own.address === address;
}

export const nothingThere = (target: Target): Failure => ({
  state: "closed",
  reason: "port-unreachable",
  message: `${endpointOf(target)} has nothing on this port: the check's own socket would answer`,
});

export const attemptUdp = (probe: UdpProbe, attempt: Attempt, done: Done): void =>
  new UdpAttempt(probe, attempt, done).begin();

class UdpAttempt {
  readonly questions: Question[] = [];
  readonly traffic = { packetsSent: 0, packetsReceived: 0, bytesSent: 0, bytesReceived: 0 };
  /** Datagrams that answered no question. */
  ignored = 0;
  finding: Finding | undefined;
  readonly #probe: UdpProbe;
  readonly #attempt: Attempt;
  readonly #done: Done;
  readonly #socket: Socket;
  readonly #listener: Socket | undefined;
  readonly #deadline: Timeout;
  #spacing: Timeout | undefined;
  #grace: Timeout | undefined;
  #stage: Stage = "local";
  #ended = false;

  constructor(probe: UdpProbe, attempt: Attempt, done: Done) {
    this.#probe = probe;
    this.#attempt = attempt;
    this.#done = done;
    this.#socket = this.#open();
    this.#listener = probe.answersFromAnyPort ? this.#open() : undefined;
    this.#deadline = attempt.wheel.after(attempt.timeoutMs, () => this.#end());
  }

  begin() {
    const { port, address } = this.#attempt.target;
    const socket = this.#socket;
    const listener = this.#listener;
    const connected = (error?: unknown) => {
      if (error) return this.#onError(error as Error);
      if (isItself(socket, this.#attempt.target)) return this.#end(nothingThere(this.#attempt.target));
      this.#stage = "datagram";
      this.#sendNext();
    };
    const onError = (error: Error) => this.#onError(error);
    const onMessage = (answer: Buffer) => this.#onMessage(answer);
    socket.on("error", onError);
    socket.on("message", onMessage);
    if (!listener) return void socket.connect(port, address, connected);
    listener.on("error", onError);
    listener.on("message", (answer: Buffer, from: RemoteInfo) => {
      if (from.address.replace(/%.*$/, "") === address.replace(/%.*$/, "")) onMessage(answer);
    });
    listener.bind(0, () => {
      if (this.#ended) return;
      socket.bind(listener.address().port, () => {
        if (!this.#ended) socket.connect(port, address, connected);
      });
    });
  }

  #open(): Socket {
    const type = this.#attempt.family === 6 ? "udp6" : "udp4";
    return createSocket({ type, lookup: literalLookup, reuseAddr: this.#probe.answersFromAnyPort === true });
  }

  #sendNext() {
    if (this.#ended) return;
    const { questions } = this;
    const { count, spacingMs } = this.#probe.packets;
    const { target, wheel } = this.#attempt;
    try {
      const question: Question = { datagram: EMPTY, sentAt: performance.now(), followUps: 0, answerMs: undefined };
      const datagram = this.#probe.ask(questions.length, target.random, target);
      questions.push(question);
      this.#transmit(question, datagram);
      if (questions.length < count) this.#spacing = wheel.after(spacingMs, () => this.#sendNext());
      else if (this.finding) this.#settle();
    } catch (error) {
      this.#fail(error);
    }
  }

  #transmit(question: Question, datagram: Buffer) {
    question.datagram = datagram;
    this.traffic.packetsSent += 1;
    this.traffic.bytesSent += datagram.length;
    this.#socket.send(datagram, (error) => {
      if (error) this.#onError(error);
    });
  }

  #onMessage(answer: Buffer) {
    const receivedAt = performance.now();
    if (this.#ended) return;
    this.traffic.packetsReceived += 1;
    this.traffic.bytesReceived += answer.length;
    try {
      for (const question of this.questions) {
        if (question.answerMs !== undefined) continue;
        const read = this.#probe.read(answer, question.datagram, this.#attempt.target);
        if (!read) continue;
        if ("followUp" in read) {
          if (++question.followUps <= MAX_FOLLOW_UPS) this.#transmit(question, read.followUp);
          return;
        }
        question.answerMs = receivedAt - question.sentAt;
        this.finding ??= read;
        return this.#settle();
      }
      this.ignored += 1;
    } catch (error) {
      this.#fail(error);
    }
  }

  #onError(error: Error) {
    if (this.#ended) return;
    // After an answer an ICMP error (a restart, a firewall) costs only its datagram: the check stays open.
    if (this.finding) this.#settle();
    else this.#fail(error);
  }

  /** Ends when all questions are answered; when all are sent and some answered, waits a grace period for the rest. */
  #settle() {
    const { questions } = this;
    if (questions.length < this.#probe.packets.count) return;
    if (questions.every(isAnswered)) return this.#end();
    const slowest = Math.max(...questions.map(({ answerMs }) => answerMs ?? 0));
    this.#grace?.cancel();
    this.#grace = this.#attempt.wheel.after(Math.max(GRACE_MS, 5 * slowest), () => this.#end());
  }

  #fail(error: unknown) {
    try {
      this.#end(explain(error, this.#stage, endpointOf(this.#attempt.target)));
    } catch (ours) {
      this.#end(undefined, { error: ours });
    }
  }

  #end(failure?: Failure, crash?: { readonly error: unknown }) {
    if (this.#ended) return;
    this.#ended = true;
    this.#deadline.cancel();
    this.#grace?.cancel();
    this.#spacing?.cancel();
    this.#attempt.release(() => {
      this.#socket.close();
      this.#listener?.close();
    });
    if (crash) this.#attempt.crashed(crash.error);
    else this.#done(conclude(this.#probe, this.#attempt, this, failure));
  }
}

const EMPTY = Buffer.alloc(0);

const isAnswered = ({ answerMs }: Question) => answerMs !== undefined;

interface Seen {
  readonly questions: readonly Question[];
  readonly traffic: Traffic;
  readonly ignored: number;
  readonly finding: Finding | undefined;
}

function conclude(probe: UdpProbe, { target, timeoutMs }: Attempt, seen: Seen, failure: Failure | undefined): Measured {
  const { questions, traffic, ignored, finding } = seen;
  const counted = { address: target.address, traffic };
  if (failure) {
    const message = failure instanceof Error ? `${endpointOf(target)}: ${failure.message}` : failure.message;
    return {
      ...counted,
      state: failure.state,
      reason: failure.reason,
      message,
      timings: {},
      evidence: failure.evidence ?? {},
    };
  }
  const foreign = ignored > 0 ? { ignoredDatagrams: ignored } : {};
  if (!finding) {
    const others = ignored > 0 ? `; ${ignored} unrelated datagrams came` : "";
    const meaning = probe.silenceMeans ? ` (${probe.silenceMeans})` : "";
    return {
      ...counted,
      state: "open|filtered",
      reason: "no-answer",
      message: `${endpointOf(target)} answered none of ${questions.length} datagrams within ${timeoutMs} ms${others}${meaning}`,
      timings: {},
      lossPercent: 100,
      evidence: foreign,
      silence: probe.silence,
    };
  }
  const rtts: number[] = [];
  for (const { answerMs } of questions) if (answerMs !== undefined) rtts.push(answerMs);
  return {
    ...counted,
    state: "open",
    reason: null,
    message: finding.message ?? `${endpointOf(target)} answered ${rtts.length} of ${questions.length} datagrams`,
    timings: { latencyMs: median(rtts) },
    lossPercent: Math.round((1000 * (questions.length - rtts.length)) / questions.length) / 10,
    lossLimits: probe.lossPercent,
    evidence: { ...finding.evidence, ...foreign, ...(rtts.length > 1 ? { jitterMs: jitter(rtts) } : {}) },
    facts: finding.facts,
    degraded: finding.degraded,
  };
}

/** For an even count, the lower of the two middle values. */
export const median = (rtts: readonly number[]) =>
  rtts.toSorted((a, b) => a - b)[Math.floor((rtts.length - 1) / 2)] ?? 0;

/** Mean difference of consecutive round-trip times, in milliseconds with two decimals. */
function jitter(rtts: readonly number[]): number {
  const steps = rtts.slice(1).map((rtt, i) => Math.abs(rtt - (rtts[i] ?? rtt)));
  return Math.round((100 * steps.reduce((sum, step) => sum + step, 0)) / steps.length) / 100;
}
