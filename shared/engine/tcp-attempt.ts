/**
 * One TCP attempt: connects and, where the protocol has a `talk`, starts TLS and talks to the server until the deadline.
 * The plain connect is the engine's hot path: callbacks, one closure each, no promise and no AbortSignal.
 */
import { connect, type Socket } from "node:net";
import type { Measured } from "../contract/measured.ts";
import { ProbeFailure, type Target, type TcpProbe } from "../contract/protocol.ts";
import type { Reason } from "../reasons.ts";
import { escapeText } from "../wire/escape-text.ts";
import { type Attempt, type Done, endpointOf, NO_TRAFFIC } from "./attempt.ts";
import { ProbeConnection } from "./connection.ts";
import { explain, type Failure, lacksSecureRenegotiation, type Stage } from "./failure.ts";
import { isLegacyServer, rememberLegacyServer } from "./tls.ts";

/** How long a graceful close may take after the answer. */
const LINGER_MS = 300;

export function attemptTcp(probe: TcpProbe, attempt: Attempt, done: Done) {
  const { target, family, timeoutMs, wheel } = attempt;
  let stage: Stage = "local";
  let startedAt = performance.now();
  // `autoSelectFamily` would give up an address after 250 ms and call a slow target dead.
  const socket = connect({ host: target.address, port: target.port, family, autoSelectFamily: false });
  const timer = wheel.after(timeoutMs, () =>
    end({
      state: "filtered",
      reason: "timeout",
      message: `${endpointOf(target)} did not answer within ${timeoutMs} ms`,
    }),
  );
  let ended = false;
  const end = (failure?: Failure) => {
    const connectMs = performance.now() - startedAt;
    if (ended) return;
    ended = true;
    timer.cancel();
    attempt.release(() => socket.destroy());
    done(failure ? failed(failure, attempt) : accepted(connectMs, attempt));
  };
  const onConnect = () => {
    if (ended) return;
    if (isItself(socket, target))
      return end({
        state: "closed",
        reason: "connection-refused",
        message: `${endpointOf(target)} refused the connection: the check's socket had connected to itself`,
      });
    if (!probe.talk && !probe.tls) return end();
    timer.cancel();
    socket.off("error", onError);
    converse(probe, attempt, socket, startedAt, done).catch(attempt.crashed);
  };
  const onError = (error: Error) => {
    if (ended) return;
    try {
      const failure = explain(error, stage, endpointOf(target));
      // A reset directly after the handshake may be reported before or after it, by chance. The handshake succeeded: open.
      end(failure.reason === "connection-reset" && !probe.talk && !probe.tls ? undefined : failure);
    } catch (ours) {
      ended = true;
      timer.cancel();
      attempt.release(() => socket.destroy());
      attempt.crashed(ours);
    }
  };
  // Emitted directly before the system call, so the latency is measured from here.
  socket.on("connectionAttempt", () => {
    startedAt = performance.now();
  });
  // Not emitted when this machine itself refuses: the failure came from the network.
  socket.on("connectionAttemptFailed", () => {
    stage = "connect";
  });
  socket.on("connect", onConnect);
  socket.on("error", onError);
}

/** The kernel assigns no ephemeral (local) port below this. */
const FIRST_EPHEMERAL_PORT = 1024;

/**
 * Detects a TCP self-connection: if the kernel assigns the checked port of this machine as the socket's own port, a
 * simultaneous open (RFC 9293, section 3.5) connects the socket to itself. Without this check 8 of 300,000 checks of a
 * closed loopback port were reported open.
 */
export const isItself = (socket: Socket, { port, address }: Pick<Target, "port" | "address">) =>
  port >= FIRST_EPHEMERAL_PORT && socket.localPort === port && socket.localAddress === address;

function accepted(connectMs: number, { target }: Attempt): Measured {
  return {
    state: "open",
    reason: null,
    message: `${endpointOf(target)} accepted the connection in ${connectMs.toFixed(1)} ms`,
    address: target.address,
    timings: { connectMs, latencyMs: connectMs },
    traffic: NO_TRAFFIC,
    evidence: {},
  };
}

function failed({ state, reason, message, evidence = {} }: Failure, { target }: Attempt): Measured {
  return { state, reason, message, address: target.address, timings: {}, traffic: NO_TRAFFIC, evidence };
}

/** The server ended the connection: the first line it sent tells which server it is, and often why it ended. */
const BROKEN_OFF: ReadonlySet<Reason> = new Set(["connection-closed", "connection-reset", "incomplete-answer"]);

/** Tells in the order of events what the server said first, and how it then ended the connection. */
function brokenOff(message: string, said: string, { hasGreeted }: ProbeConnection, target: Target): string {
  const [, ending] = /^\S+ ((?:closed|reset|aborted) .*)$/s.exec(message) ?? [];
  const first = `${hasGreeted ? "named itself" : "answered"} ${escapeText(said, 120)}`;
  return ending ? `${endpointOf(target)} ${first}, then ${ending}` : `${message}; it had ${first}`;
}

/** TLS where the probe asks for it, then the protocol's `talk`, until the deadline. */
async function converse(probe: TcpProbe, attempt: Attempt, socket: Socket, startedAt: number, done: Done) {
  const { target, timeoutMs, wheel } = attempt;
  const connectMs = performance.now() - startedAt;
  const connection = new ProbeConnection(socket, target, probe.tls);
  // Ends the race below even if the protocol waits for something else than its connection.
  const deadline = Promise.withResolvers<never>();
  let isOverdue = false;
  const timer = wheel.after(timeoutMs - connectMs, () => {
    isOverdue = true;
    const failure = overdue(connection, attempt);
    connection.fail(failure);
    // Rejected one turn later: the protocol's pending read fails first, and it may name what is missing.
    setImmediate(() => deadline.reject(failure));
  });
  let measured: Measured;
  try {
    const finding = await Promise.race([speak(probe, connection, attempt), deadline.promise]);
    const { session } = connection;
    const facts = { ...session?.facts, ...finding.facts };
    measured = {
      ...accepted(connectMs, attempt),
      message: finding.message ?? `${endpointOf(target)} answered as expected`,
      timings: { connectMs, ...connection.timings, latencyMs: performance.now() - startedAt },
      evidence: { ...finding.evidence, ...(session ? { tls: session.evidence } : {}) },
      facts,
      ...((finding.degraded ?? session?.warning) ? { degraded: finding.degraded ?? session?.warning } : {}),
    };
  } catch (error) {
    if (lacksSecureRenegotiation(error) && !isLegacyServer(target)) {
      timer.cancel();
      rememberLegacyServer(target);
      connection.destroy();
      const leftMs = Math.max(1, timeoutMs - (performance.now() - startedAt));
      return attemptTcp(probe, { ...attempt, timeoutMs: leftMs }, done);
    }
    const failure = explainOrClose(error, connection, attempt);
    const said = BROKEN_OFF.has(failure.reason) ? connection.greeting : undefined;
    const message = error instanceof ProbeFailure ? `${endpointOf(target)}: ${failure.message}` : failure.message;
    const broken = said === undefined ? message : brokenOff(message, said, connection, target);
    measured = {
      ...failed(failure, attempt),
      message: broken,
      timings: { connectMs, ...connection.timings },
      evidence: {
        ...(said ? { banner: said } : {}),
        ...failure.evidence,
        ...(connection.tls ? { tls: connection.tls } : {}),
      },
      isOverdue,
    };
  } finally {
    timer.cancel();
  }
  const { bytesSent, bytesReceived } = connection;
  const lingerMs = measured.state === "open" ? Math.min(LINGER_MS, timeoutMs - (performance.now() - startedAt)) : 0;
  connection.close(lingerMs, wheel, attempt.release);
  done({ ...measured, traffic: { bytesSent, bytesReceived } });
}

function explainOrClose(error: unknown, connection: ProbeConnection, { target, release, wheel }: Attempt): Failure {
  try {
    return explain(error, connection.stage, endpointOf(target));
  } catch (ours) {
    connection.close(0, wheel, release);
    throw ours;
  }
}

async function speak(probe: TcpProbe, connection: ProbeConnection, { target }: Attempt) {
  if (probe.tls) await connection.startTls(probe.tls);
  return (await probe.talk?.(connection, target)) ?? {};
}

function overdue(connection: ProbeConnection, { timeoutMs }: Attempt): ProbeFailure {
  if (connection.stage === "tls")
    return new ProbeFailure("timeout", `the TLS handshake was not done within ${timeoutMs} ms`, { state: "tls-error" });
  const { bytesReceived } = connection;
  return bytesReceived === 0
    ? new ProbeFailure("no-answer", `accepted the connection and sent nothing within ${timeoutMs} ms`)
    : new ProbeFailure(
        "incomplete-answer",
        `sent ${bytesReceived} bytes, but no complete answer within ${timeoutMs} ms`,
      );
}
