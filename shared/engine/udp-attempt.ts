/**
 * UDP: several datagrams on one connected socket, so that the kernel drops what strangers send and hands us the ICMP
 * errors. Answers are matched to questions by the protocol; late and foreign ones match none.
 * Where answers come from another port than the one asked, a second socket shares the local port, without a peer: the
 * kernel gives it what the connected one does not match, while ICMP errors still find the connected one.
 */
import { createSocket, type RemoteInfo } from "node:dgram";
import type { Finding, UdpProbe } from "../protocols/protocol.ts";
import { type Attempt, type Done, endpointOf, type Measured } from "./attempt.ts";
import { explain, type Failure, type Stage } from "./failure.ts";

/** After the last datagram, once something has answered: five times the slowest answer, at least this. What comes later is lost. */
const GRACE_MS = 500;
/** Datagrams of one question, cookies and discovery included. A peer that wants more is playing. */
const MAX_FOLLOW_UPS = 4;

interface Question {
  datagram: Buffer;
  sentAt: number;
  followUps: number;
  answerMs: number | undefined;
}

export function attemptUdp(probe: UdpProbe, attempt: Attempt, done: Done) {
  const { target, family, timeoutMs, wheel } = attempt;
  const { count, spacingMs } = probe.packets;
  const questions: Question[] = [];
  const traffic = { packetsSent: 0, packetsReceived: 0, bytesSent: 0, bytesReceived: 0 };
  let ignored = 0;
  let finding: Finding | undefined;
  let ended = false;
  let stage: Stage = "local";
  // The address is one already: without this Node asks its resolver threads about every datagram.
  const open = () =>
    createSocket({
      type: family === 6 ? "udp6" : "udp4",
      lookup: (hostname, _options, callback) => callback(null, hostname, family),
      reuseAddr: probe.answersFromAnyPort === true,
    });
  const socket = open();
  const listener = probe.answersFromAnyPort ? open() : undefined;
  let grace: { cancel(): void } | undefined;
  let spacing: { cancel(): void } | undefined;
  const deadline = wheel.after(timeoutMs, () => end());

  const end = (failure?: Failure, crash?: { readonly error: unknown }) => {
    if (ended) return;
    ended = true;
    deadline.cancel();
    grace?.cancel();
    spacing?.cancel();
    socket.close();
    listener?.close();
    if (crash) attempt.crashed(crash.error);
    else done(conclude(probe, attempt, { questions, traffic, ignored, finding, failure }));
    attempt.released();
  };
  const guarded = (action: () => void) => {
    try {
      action();
    } catch (error) {
      try {
        end(explain(error, stage, endpointOf(target)));
      } catch (ours) {
        end(undefined, { error: ours });
      }
    }
  };
  const transmit = (question: Question, datagram: Buffer) => {
    question.datagram = datagram;
    traffic.packetsSent += 1;
    traffic.bytesSent += datagram.length;
    socket.send(datagram, onSent);
  };
  const onSent = (error: Error | null) => {
    if (error) onError(error);
  };
  const sendNext = () =>
    guarded(() => {
      const question = { datagram: Buffer.alloc(0), sentAt: performance.now(), followUps: 0, answerMs: undefined };
      const datagram = probe.ask(questions.length, target.random, target);
      questions.push(question);
      transmit(question, datagram);
      if (questions.length < count) spacing = wheel.after(spacingMs, sendNext);
      else if (finding) settle();
    });
  /** All answered: over. Something answered and nothing left to send: the rest gets its grace. */
  const settle = () => {
    if (questions.length < count) return;
    if (questions.every(({ answerMs }) => answerMs !== undefined)) return end();
    const slowest = Math.max(...questions.map(({ answerMs }) => answerMs ?? 0));
    grace?.cancel();
    grace = wheel.after(Math.max(GRACE_MS, 5 * slowest), () => end());
  };
  const onMessage = (answer: Buffer) =>
    guarded(() => {
      const receivedAt = performance.now();
      traffic.packetsReceived += 1;
      traffic.bytesReceived += answer.length;
      for (const question of questions) {
        if (question.answerMs !== undefined) continue;
        const read = probe.read(answer, question.datagram, target);
        if (!read) continue;
        if ("followUp" in read) {
          if (++question.followUps <= MAX_FOLLOW_UPS) transmit(question, read.followUp);
          return;
        }
        question.answerMs = receivedAt - question.sentAt;
        finding ??= read;
        return settle();
      }
      ignored += 1;
    });
  const onError = (error: Error) => {
    if (ended) return;
    // Something answered before: an ICMP error behind it (a restart, a firewall's whim) costs that datagram, not the verdict.
    if (finding) return settle();
    guarded(() => {
      throw error;
    });
  };
  const begin = (error?: unknown) => {
    if (ended) return;
    if (error) return onError(error as Error);
    stage = "datagram";
    sendNext();
  };
  socket.on("error", onError);
  socket.on("message", onMessage);
  if (!listener) return void socket.connect(target.port, target.address, begin);
  listener.on("error", onError);
  listener.on("message", (answer: Buffer, from: RemoteInfo) => {
    if (from.address.replace(/%.*$/, "") === target.address) onMessage(answer);
  });
  listener.bind(0, () => {
    if (ended) return;
    socket.bind(listener.address().port, () => {
      if (!ended) socket.connect(target.port, target.address, begin);
    });
  });
}

interface Seen {
  readonly questions: readonly Question[];
  readonly traffic: Measured["traffic"];
  readonly ignored: number;
  readonly finding: Finding | undefined;
  readonly failure: Failure | undefined;
}

function conclude(probe: UdpProbe, { target, timeoutMs }: Attempt, seen: Seen): Measured {
  const { questions, traffic, ignored, finding, failure } = seen;
  const rtts = questions.flatMap(({ answerMs }) => (answerMs === undefined ? [] : [answerMs]));
  const counted = { address: target.address, traffic, ...(ignored > 0 ? { ignored } : {}) };
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
  if (!finding)
    return {
      ...counted,
      state: "open|filtered",
      reason: "no-answer",
      message: `${endpointOf(target)} answered none of ${questions.length} datagrams within ${timeoutMs} ms${
        probe.silenceMeans ? ` (${probe.silenceMeans})` : ""
      }`,
      timings: {},
      lossPercent: 100,
      evidence: foreign,
      silence: probe.silence,
    };
  const lossPercent = Math.round((1000 * (questions.length - rtts.length)) / questions.length) / 10;
  const latencyMs = rtts.toSorted((a, b) => a - b)[Math.floor((rtts.length - 1) / 2)] ?? 0;
  return {
    ...counted,
    state: "open",
    reason: null,
    message: finding.message ?? `${endpointOf(target)} answered ${rtts.length} of ${questions.length} datagrams`,
    timings: { latencyMs },
    lossPercent,
    lossLimits: probe.lossPercent,
    evidence: { ...finding.evidence, ...foreign, ...(rtts.length > 1 ? { jitterMs: jitter(rtts) } : {}) },
    ...(finding.fingerprint ? { fingerprint: finding.fingerprint } : {}),
    ...(finding.degraded ? { degraded: finding.degraded } : {}),
  };
}

/** Mean difference of neighbouring round trips, in milliseconds with two decimals. */
function jitter(rtts: readonly number[]): number {
  const steps = rtts.slice(1).map((rtt, i) => Math.abs(rtt - (rtts[i] ?? rtt)));
  return Math.round((100 * steps.reduce((sum, step) => sum + step, 0)) / steps.length) / 100;
}
