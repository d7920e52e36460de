/**
 * Asks UDP ports in a row, for sweeps: each in the protocol whose default port it is, because UDP itself has no handshake. A port
 * is open if anything answers, closed if the machine says so (ICMP), and else filtered.
 */
import type { Engine } from "../../shared/engine/run.ts";
import type { Sweep, SweptState } from "../../shared/engine/sweep.ts";
import type { Outcome } from "../../shared/model.ts";
import { inParallel } from "../../shared/parallel.ts";
import { udpProtocolAt } from "../../shared/protocols/sweeps.ts";
import { UDP_WORK } from "../../shared/rules/sweep-plan.ts";
import { singleCheck } from "./single-check.ts";

/** Each question is repeated within it, where its protocol does that. */
const ANSWER_MS = 2_000;
/** The engine gives up names and pacing after this, on top of the answer's time. */
const SLACK_MS = 5_000;

const stateOf = (outcome: Outcome | undefined): SweptState => {
  switch (outcome?.state) {
    case "closed":
    case "filtered":
      return outcome.state;
    case "open|filtered":
      return "filtered";
    // Something answered, if only wrongly.
    case "open":
    case "mismatch":
    case "tls-error":
      return "open";
    default:
      return "unmeasured";
  }
};

/** @param perSecond that of TCP connections, of which a question takes the place of several */
export const createUdpSweep =
  (engine: Pick<Engine, "runOne">, now: () => number): Sweep =>
  async (targets, { perSecond, startUntilMs, found }) => {
    const atOnce = Math.max(1, Math.ceil((perSecond / UDP_WORK) * (ANSWER_MS / 1000)));
    await inParallel(targets, atOnce, async (target) => {
      const { address: host, port } = target;
      const protocol = udpProtocolAt(port);
      if (protocol === undefined || now() >= startUntilMs) return found(target, "unmeasured");
      const check = singleCheck({ protocol, host, port, timeoutMs: ANSWER_MS });
      found(target, stateOf(await engine.runOne(check, now() + ANSWER_MS + SLACK_MS)));
    });
  };
