/**
 * TCP: connect, and hang up; or, where the protocol has something to say, let it.
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

/** How long a goodbye may take to arrive once the answer is in. */
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
        message: `${endpointOf(target)} refused the connection: what connected was this check itself`,
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
      // Whether a reset right behind the handshake is seen before or after it is chance; the handshake is what was asked for.
      end(failure.reason === "connection-reset" && !probe.talk && !probe.tls ? undefined : failure);
    } catch (ours) {
      ended = true;
      timer.cancel();
      attempt.release(() => socket.destroy());
      attempt.crashed(ours);
    }
  };
  // Said right before the system call, so this is where the time begins.
  socket.on("connectionAttempt", () => {
    startedAt = performance.now();
  });
  // Not said of what this machine itself refuses: this came from the path.
  socket.on("connectionAttemptFailed", () => {
    stage = "connect";
  });
  socket.on("connect", onConnect);
  socket.on("error", onError);
}

/** Below it the kernel lends no port to those who connect. */
const FIRST_LENT_PORT = 1024;

/**
 * A connection to a closed port of this machine can meet itself: where the kernel lends that very port, both ends open at
 * once (RFC 9293, section 3.5). Of 300,000 checks of a closed loopback port 8 read open.
 */
const isItself = (socket: Socket, { port, address }: Target) =>
  port >= FIRST_LENT_PORT && socket.localPort === port && socket.localAddress === address;

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

/** The server was there and then was not: what it said first tells which one it is, and often why it left. */
const BROKEN_OFF: ReadonlySet<Reason> = new Set(["connection-closed", "connection-reset", "incomplete-answer"]);

/** The spoken part: TLS where asked for, then the protocol, until the deadline. */
async function converse(probe: TcpProbe, attempt: Attempt, socket: Socket, startedAt: number, done: Done) {
  const { target, timeoutMs, wheel } = attempt;
  const connectMs = performance.now() - startedAt;
  const connection = new ProbeConnection(socket, target, probe.tls);
  // Rejects, because a protocol that waits for something else than its connection must not outlive the deadline either.
  const deadline = Promise.withResolvers<never>();
  let isOverdue = false;
  const timer = wheel.after(timeoutMs - connectMs, () => {
    isOverdue = true;
    const failure = overdue(connection, attempt);
    connection.fail(failure);
    // The protocol hears it first: it may know better what is missing.
    setImmediate(() => deadline.reject(failure));
  });
  let measured: Measured;
  try {
    const finding = await Promise.race([speak(probe, connection, attempt), deadline.promise]);
    const { session } = connection;
    const fingerprint = [finding.fingerprint, session?.fingerprint].filter(Boolean).join(" ");
    measured = {
      ...accepted(connectMs, attempt),
      message: finding.message ?? `${endpointOf(target)} answered as expected`,
      timings: { connectMs, ...connection.timings, latencyMs: performance.now() - startedAt },
      evidence: { ...finding.evidence, ...(session ? { tls: session.evidence } : {}) },
      ...(fingerprint ? { fingerprint } : {}),
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
    measured = {
      ...failed(failure, attempt),
      message: said ? `${message}; it had greeted with: ${escapeText(said, 120)}` : message,
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
    ? new ProbeFailure("no-answer", `accepted the connection and said nothing within ${timeoutMs} ms`)
    : new ProbeFailure("incomplete-answer", `sent ${bytesReceived} bytes, and no whole answer within ${timeoutMs} ms`);
}
