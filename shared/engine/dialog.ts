/**
 * One UDP attempt that is a conversation: the protocol asks, reads, and asks further (SNMP's tables). One connected socket, so that
 * the kernel drops datagrams of other senders and reports ICMP errors. All of it ends with the check's deadline.
 */
import { createSocket, type Socket } from "node:dgram";
import type { Dialog, DialogProbe, Finding } from "../contract/protocol.ts";
import { type Attempt, type Done, endpointOf } from "./attempt.ts";
import { explain, type Stage } from "./failure.ts";
import type { Timeout } from "./timer-wheel.ts";
import { isItself, literalLookup, MAX_FOLLOW_UPS, median, nothingThere } from "./udp-attempt.ts";

/** Pause before a request is repeated, and how often it is. */
const REPEAT_MS = 1_000;
const REPEATS = 2;
/** Requests under way, so that slow agents are not flooded. */
const AT_ONCE = 4;

interface Request {
  readonly ask: () => Buffer;
  /** @returns whether the datagram answers this request */
  readonly take: (answer: Buffer) => boolean;
  readonly fail: (error: unknown) => void;
  datagram: Buffer;
  sentAt: number;
  followUps: number;
  repeats: number;
  timer: Timeout | undefined;
}

export const attemptDialog = (probe: DialogProbe, attempt: Attempt, done: Done): void =>
  new DialogAttempt(probe, attempt, done).begin();

class DialogAttempt implements Dialog {
  readonly #traffic = { packetsSent: 0, packetsReceived: 0, bytesSent: 0, bytesReceived: 0 };
  readonly #probe: DialogProbe;
  readonly #attempt: Attempt;
  readonly #done: Done;
  readonly #socket: Socket;
  readonly #deadline: Timeout;
  readonly #waiting: Request[] = [];
  readonly #underWay = new Set<Request>();
  /** Round trips of requests that were not repeated. */
  readonly #roundTripsMs: number[] = [];
  #answered = 0;
  #stage: Stage = "local";
  #ended = false;

  constructor(probe: DialogProbe, attempt: Attempt, done: Done) {
    this.#probe = probe;
    this.#attempt = attempt;
    this.#done = done;
    this.#socket = createSocket({ type: attempt.family === 6 ? "udp6" : "udp4", lookup: literalLookup });
    this.#deadline = attempt.wheel.after(attempt.timeoutMs, () => this.#overdue());
  }

  begin() {
    const { target } = this.#attempt;
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("message", (answer) => this.#onMessage(answer));
    this.#socket.connect(target.port, target.address, (error?: unknown) => {
      if (error) return this.#fail(error);
      if (isItself(this.#socket, target)) return this.#end({ ...nothingThere(target), timings: {}, evidence: {} });
      this.#stage = "datagram";
      this.#probe.converse(this, target).then(
        (finding) => this.#succeed(finding),
        (failure: unknown) => this.#fail(failure),
      );
    });
  }

  request<T>(ask: () => Buffer, read: Parameters<Dialog["request"]>[1]): Promise<T> {
    return new Promise((resolve, fail) => {
      const request: Request = {
        ask,
        fail,
        datagram: EMPTY,
        sentAt: 0,
        followUps: 0,
        repeats: 0,
        timer: undefined,
        take: (answer) => {
          const found = read(answer, request.datagram);
          if (!found) return false;
          if ("followUp" in found) {
            if (++request.followUps <= MAX_FOLLOW_UPS) this.#transmit(request, found.followUp);
          } else {
            this.#settle(request);
            resolve(found.value as T);
          }
          return true;
        },
      };
      this.#waiting.push(request);
      this.#sendNext();
    });
  }

  #sendNext() {
    while (!this.#ended && this.#underWay.size < AT_ONCE) {
      const request = this.#waiting.shift();
      if (!request) return;
      this.#underWay.add(request);
      try {
        this.#transmit(request, request.ask());
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  #transmit(request: Request, datagram: Buffer) {
    request.datagram = datagram;
    request.sentAt = performance.now();
    this.#traffic.packetsSent += 1;
    this.#traffic.bytesSent += datagram.length;
    request.timer?.cancel();
    if (request.repeats < REPEATS)
      request.timer = this.#attempt.wheel.after(REPEAT_MS, () => {
        request.repeats += 1;
        this.#transmit(request, datagram);
      });
    this.#socket.send(datagram, (error) => {
      if (error) this.#fail(error);
    });
  }

  #settle(request: Request) {
    this.#underWay.delete(request);
    request.timer?.cancel();
    this.#answered += 1;
    if (request.repeats === 0) this.#roundTripsMs.push(performance.now() - request.sentAt);
    this.#sendNext();
  }

  #onMessage(answer: Buffer) {
    if (this.#ended) return;
    this.#traffic.packetsReceived += 1;
    this.#traffic.bytesReceived += answer.length;
    for (const request of this.#underWay) {
      try {
        if (request.take(answer)) return;
      } catch (error) {
        return this.#fail(error);
      }
    }
  }

  #overdue() {
    if (this.#ended) return;
    const { target, timeoutMs } = this.#attempt;
    const { silence, silenceMeans } = this.#probe;
    const { packetsSent } = this.#traffic;
    const endpoint = endpointOf(target);
    if (this.#answered > 0) {
      const message = `${endpoint} stopped answering: ${this.#answered} requests were answered, and the next one was not within ${timeoutMs} ms`;
      return this.#end({ state: "mismatch", reason: "incomplete-answer", message, timings: {}, evidence: {} });
    }
    const meaning = silenceMeans ? ` (${silenceMeans})` : "";
    const message = `${endpoint} answered none of ${packetsSent} datagrams within ${timeoutMs} ms${meaning}`;
    const nothing = { timings: {}, evidence: {}, lossPercent: 100, silence };
    this.#end({ state: "open|filtered", reason: "no-answer", message, ...nothing });
  }

  #succeed({ message, evidence = {}, facts, degraded, poll }: Finding) {
    const { packetsSent } = this.#traffic;
    this.#end({
      state: "open",
      reason: null,
      message: message ?? `${endpointOf(this.#attempt.target)} answered ${this.#answered} requests`,
      timings: this.#roundTripsMs.length > 0 ? { latencyMs: median(this.#roundTripsMs) } : {},
      lossPercent: Math.round((1000 * Math.max(0, packetsSent - this.#traffic.packetsReceived)) / packetsSent) / 10,
      evidence,
      facts,
      degraded,
      poll,
    });
  }

  #fail(error: unknown) {
    if (this.#ended) return;
    try {
      const { state, reason, message, evidence = {} } = explain(error, this.#stage, endpointOf(this.#attempt.target));
      const said = error instanceof Error && message === error.message ? `${endpointOf(this.#attempt.target)}: ` : "";
      this.#end({ state, reason, message: `${said}${message}`, timings: {}, evidence });
    } catch (ours) {
      this.#close();
      this.#attempt.crashed(ours);
    }
  }

  #end(measured: Omit<Parameters<Done>[0], "address" | "traffic">) {
    if (this.#ended) return;
    this.#close();
    this.#done({ ...measured, address: this.#attempt.target.address, traffic: this.#traffic });
  }

  #close() {
    this.#ended = true;
    this.#deadline.cancel();
    const open = [...this.#underWay, ...this.#waiting];
    for (const { timer } of open) timer?.cancel();
    this.#attempt.release(() => this.#socket.close());
    // Ends the protocol's conversation, whose result does not count any more.
    for (const { fail } of open) fail(new Error("the check is over"));
  }
}

const EMPTY = Buffer.alloc(0);
