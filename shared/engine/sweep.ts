/**
 * Connects to many ports in a row, for sweeps: plain TCP connections, at a steady rate, with one time-out for all. It has a pacing
 * of its own, because that of checks starts four attempts per 100 ms at one address. Callbacks, no promise and no timer for each:
 * an attempt costs some 30 us of CPU.
 */
import { connect, isIPv6, type Socket } from "node:net";
import { explain, type Stage } from "./failure.ts";
import { isItself } from "./tcp-attempt.ts";

/** Starts and time-outs are done in steps of this. */
const STEP_MS = 20;
/** The kernel sends a SYN again after one second, so each port gets two. */
const TIMEOUT_MS = 1_300;
const MAX_SOCKETS = 900;

export interface SweepTarget {
  readonly address: string;
  readonly port: number;
}

/** `unmeasured`: this machine lacked something, or there was no time. */
export type SweptState = "open" | "closed" | "filtered" | "unmeasured";

export interface SweepOptions {
  /** Attempts a second, at all addresses together. */
  readonly perSecond: number;
  /** Epoch milliseconds after which nothing is started; what then is under way has ended a time-out later. */
  readonly startUntilMs: number;
  readonly found: (target: SweepTarget, state: SweptState) => void;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

export type Sweep = (targets: Iterable<SweepTarget>, options: SweepOptions) => Promise<void>;

interface Attempt {
  readonly startedAt: number;
  readonly socket: Socket;
  isOver: boolean;
  readonly end: (state: SweptState) => void;
}

/** @throws internal errors */
export const sweep: Sweep = (targets, { perSecond, startUntilMs, found, now = Date.now }) =>
  new Promise((resolve, reject) => {
    const waiting = targets[Symbol.iterator]();
    /** In the order of their starts, which is that of their time-outs. */
    const running: Attempt[] = [];
    let oldest = 0;
    let open = 0;
    let budget = 0;
    let stepAt = performance.now();
    let isDone = false;

    const start = (target: SweepTarget) => {
      let stage: Stage = "local";
      const { address, port } = target;
      open++;
      const socket = connect({ host: address, port, family: isIPv6(address) ? 6 : 4, autoSelectFamily: false });
      const attempt: Attempt = {
        startedAt: performance.now(),
        socket,
        isOver: false,
        end(state) {
          if (attempt.isOver) return;
          attempt.isOver = true;
          open--;
          socket.destroy();
          found(target, state);
        },
      };
      socket.on("connectionAttemptFailed", () => {
        stage = "connect";
      });
      socket.on("connect", () => attempt.end(isItself(socket, target) ? "closed" : "open"));
      socket.on("error", (error: Error) => {
        if (attempt.isOver) return;
        try {
          attempt.end(stateOf(explain(error, stage, address).state));
        } catch (ours) {
          attempt.end("unmeasured");
          fail(ours);
        }
      });
      running.push(attempt);
    };

    const expire = (at: number) => {
      while (oldest < running.length) {
        const attempt = running[oldest]!;
        if (!attempt.isOver && at - attempt.startedAt < TIMEOUT_MS) break;
        attempt.end("filtered");
        oldest++;
      }
      if (oldest <= MAX_SOCKETS) return;
      running.splice(0, oldest);
      oldest = 0;
    };

    const step = () => {
      const at = performance.now();
      expire(at);
      // After a stall of this process the budget is that of two steps: what was missed is not made up for at once.
      budget = Math.min(budget + ((at - stepAt) * perSecond) / 1000, Math.max(1, (2 * STEP_MS * perSecond) / 1000));
      stepAt = at;
      const isTime = now() < startUntilMs;
      for (; budget >= 1 && open < MAX_SOCKETS; budget--) {
        const next = waiting.next();
        if (next.done) {
          isDone = true;
          break;
        }
        if (isTime) start(next.value);
        else found(next.value, "unmeasured");
      }
      if (!isTime) for (const target of rest(waiting)) found(target, "unmeasured");
      if ((isDone || !isTime) && open === 0) finish();
    };

    const timer = setInterval(step, STEP_MS);
    const finish = () => {
      clearInterval(timer);
      resolve();
    };
    const fail = (error: unknown) => {
      clearInterval(timer);
      for (const attempt of running.slice(oldest)) attempt.end("unmeasured");
      reject(error);
    };
    step();
  });

const rest = (iterator: Iterator<SweepTarget>): Iterable<SweepTarget> => ({ [Symbol.iterator]: () => iterator });

/** A reset directly after the handshake counts as open: something accepted the connection. */
const stateOf = (state: string): SweptState =>
  state === "closed" || state === "filtered" || state === "unmeasured" ? state : "open";
