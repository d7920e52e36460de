/**
 * Raw TCP: open when the connection is accepted (RFC 9293) and, where steps are given, every expected answer comes, in
 * order. Sends nothing that the user did not write.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import {
  type AnswerMatcher,
  bytesSetting,
  describeBytes,
  expectSetting,
  prepareMatcher,
  toBytes,
  unexpected,
} from "../wire/expectation.ts";
import { preparingOnce, tlsSettings } from "../wire/settings.ts";

const step = z
  // What is sent may be a password.
  .strictObject({
    send: bytesSetting.meta({ writeOnly: true }).optional().describe("What to send."),
    expect: expectSetting.optional(),
  })
  .refine(({ send, expect }) => send !== undefined || expect !== undefined, "must send or expect something")
  .meta({ title: "TcpStep", description: "Something to send, an answer to expect, or both." });

const settings = z.strictObject({
  steps: z
    .array(step)
    .min(1)
    .max(16)
    .optional()
    .describe("In order; each sends first, then waits for what it expects."),
  tls: tlsSettings.optional(),
});

export const tcp: Protocol = {
  title: "TCP",
  summary: "Open when the connection is accepted and every expected answer comes, in order.",
  reference: "RFC 9293",
  transports: ["tcp"],
  defaultPort: null,
  settings,
  example: { port: 6379, settings: { steps: [{ send: "PING\r\n", expect: { contains: "PONG" } }] } },
  prepare: preparingOnce(settings, ({ steps, tls }) => {
    const prepared = steps?.map(({ send, expect }) => ({
      send: send === undefined ? undefined : toBytes(send),
      createMatcher: expect && prepareMatcher(expect),
    }));
    return {
      transport: "tcp",
      ...(tls ? { tls } : {}),
      ...(prepared
        ? {
            async talk(connection): Promise<Finding> {
              let pending: Buffer = Buffer.alloc(0);
              let matched: Buffer = pending;
              for (const { send, createMatcher } of prepared) {
                if (send) connection.write(send);
                if (!createMatcher) continue;
                const received = await receive(connection, createMatcher(), pending);
                ({ matched, rest: pending } = received);
              }
              return matched.length > 0 ? { evidence: { received: describeBytes(matched) } } : {};
            },
          }
        : {}),
    };
  }),
};

/** Reads until the answer matches. The bytes after the match belong to the next step. */
async function receive(connection: Connection, matcher: AnswerMatcher, pending: Buffer) {
  const { maxBytes } = matcher;
  let buffer = Buffer.alloc(Math.max(1024, 2 * pending.length));
  let length = pending.copy(buffer);
  for (;;) {
    const received = buffer.subarray(0, length);
    const used = length > 0 ? matcher.match(received) : undefined;
    if (used !== undefined && used <= maxBytes)
      return { matched: received.subarray(0, used), rest: received.subarray(used) };
    if (length >= maxBytes) throw unexpected(`${matcher.wanted()} within ${maxBytes} bytes`, received);
    const chunk = await connection.readSome().catch((error: unknown) => {
      // The bytes that came tell more than the timeout.
      throw error instanceof ProbeFailure && length > 0 ? unexpected(matcher.wanted(), received) : error;
    });
    if (chunk === null) {
      if (length > 0) throw unexpected(`${matcher.wanted()} before the end`, received);
      throw new ProbeFailure(
        "connection-closed",
        `closed the connection without sending anything, expected ${matcher.wanted()}`,
      );
    }
    if (length + chunk.length > buffer.length) {
      const grown = Buffer.alloc(2 * (length + chunk.length));
      received.copy(grown);
      buffer = grown;
    }
    length += chunk.copy(buffer, length);
  }
}
