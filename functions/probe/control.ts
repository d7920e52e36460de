/**
 * Checks whether this location's own network works, by connecting to its control targets (several and independent).
 * Done before any view turns down, so that a failure of our network is not reported as an outage of a target.
 */
import type { Engine } from "../../shared/engine/run.ts";
import type { CheckSettings } from "../../shared/model.ts";
import { singleCheck } from "./single-check.ts";

const TIMEOUT_MS = 1_500;
/** How long an answer is shared. */
const SHARED_MS = 1_000;
/**
 * Least pause between the starts of two checks; callers in between share the next one. The engine starts 40 attempts a
 * second at one address: more would wait for their turn and time out, and look like a failure of our network.
 */
const APART_MS = 50;

const controlCheck = (target: string): CheckSettings => {
  const colon = target.lastIndexOf(":");
  const host = target.slice(0, colon).replace(/^\[|\]$/g, "");
  return singleCheck({ protocol: "tcp", host, port: Number(target.slice(colon + 1)), timeoutMs: TIMEOUT_MS });
};

export type NetworkState = "online" | "offline";
/** @param notBefore the targets must have been checked at this moment or later, in epoch milliseconds */
export type Control = (notBefore?: number) => Promise<NetworkState>;

/**
 * @param targets as `host:port`; without any, the location counts as online
 * @param now epoch milliseconds
 */
export const createControl = (
  engine: Engine,
  targets: readonly string[],
  now: () => number,
  sleep: (ms: number) => Promise<unknown>,
): Control => {
  /** Online with the first answer; offline if no target answers. */
  const ask = async (): Promise<NetworkState> => {
    const asked = targets.map(async (target) => {
      const outcome = await engine.runOne(controlCheck(target));
      // A refused connection (RST) also proves that the network works.
      if (outcome?.state !== "open" && outcome?.state !== "closed") throw new Error(`${target} did not answer`);
    });
    return Promise.any(asked).then(
      () => "online",
      () => "offline",
    );
  };

  let last: { readonly at: number; readonly answer: Promise<NetworkState> } | undefined;
  let next: Promise<NetworkState> | undefined;
  const begin = () => {
    next = undefined;
    last = { at: now(), answer: ask() };
    return last.answer;
  };
  return (notBefore = 0) => {
    if (targets.length === 0) return Promise.resolve("online");
    const age = last ? now() - last.at : Number.POSITIVE_INFINITY;
    if (last && last.at >= notBefore && age >= 0 && age < SHARED_MS) return last.answer;
    if (age < 0 || age >= APART_MS) return next ?? begin();
    next ??= sleep(APART_MS - age).then(begin);
    return next;
  };
};
