/**
 * FTP: open when the server greets with 220 and answers as an FTP server does (RFC 959; FEAT: RFC 2389; AUTH TLS: RFC 4217).
 * No login. Active data connections (port 20) are not checked: they would need a listener that the server can reach.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { type Reply, readReply, replyText } from "../wire/replies.ts";
import { eitherTls, parseSettings, tlsAtOnce } from "../wire/settings.ts";
import { softwareIn } from "../wire/software.ts";
import { upgradeToTls } from "../wire/starttls.ts";

const settings = z.strictObject(eitherTls);

const ask = (connection: Connection, command: string): Promise<Reply> => {
  connection.write(`${command}\r\n`);
  return readReply(connection, "FTP");
};

const readGreeting = async (connection: Connection): Promise<Reply> => {
  let greeting = await readReply(connection, "FTP");
  // 120 means ready in some minutes; 220 follows then (RFC 959, section 5.4).
  if (greeting.code === 120) greeting = await readReply(connection, "FTP");
  if (greeting.code === 220) return greeting;
  if (greeting.code >= 400)
    throw new ProbeFailure("service-unavailable", `the server says it is not ready: ${replyText(greeting)}`);
  throw new ProbeFailure("wrong-protocol", `expected an FTP greeting with 220, got: ${replyText(greeting)}`);
};

/** Replies of FTP servers that do not accept FEAT or NOOP before login. */
const REFUSALS: readonly number[] = [332, 500, 502, 503, 530];

/** 4yz: a transient failure (RFC 959, section 4.2.1). */
const isTransient = ({ code }: Reply): boolean => code >= 400 && code < 500;

/** Tells FTP from SMTP, which also greets with 220 and knows NOOP, but answers it with 250. @throws ProbeFailure when the server closes */
const isFtp = async (connection: Connection, greeting: Reply, features: Reply): Promise<boolean> => {
  if (features.code === 211) return true;
  const noop = await ask(connection, "NOOP");
  if (isTransient(noop))
    throw new ProbeFailure("service-unavailable", `the server ends the session: ${replyText(noop)}`);
  return noop.code === 200 || (REFUSALS.includes(noop.code) && !/SMTP/i.test(greeting.lines.join(" ")));
};

const talk = async (connection: Connection, wanted: z.output<typeof settings>): Promise<Finding> => {
  const greeting = await readGreeting(connection);
  const banner = printable(greeting.lines.join(" "));
  const feat = await ask(connection, "FEAT");
  if (isTransient(feat))
    throw new ProbeFailure("service-unavailable", `the server ends the session: ${replyText(feat)}`);
  if (!(await isFtp(connection, greeting, feat)))
    throw new ProbeFailure("wrong-protocol", `greets with 220 but does not answer like FTP: ${replyText(feat)}`, {
      evidence: { banner },
    });
  const features =
    feat.code === 211
      ? feat.lines
          .slice(1, -1)
          .map((line) => printable(line, 40))
          .filter((line) => line !== "")
      : [];
  // Without FEAT only AUTH TLS itself shows whether the server has TLS.
  const offersTls = feat.code !== 211 || features.some((feature) => /^AUTH\b.*\b(TLS|SSL)/i.test(feature));
  const isInsideTls = await upgradeToTls(connection, wanted, offersTls, async () => {
    const reply = await ask(connection, "AUTH TLS");
    return reply.code === 234 ? undefined : replyText(reply);
  });
  connection.write("QUIT\r\n");
  const software = softwareIn(greeting.lines.join(" "));
  return {
    evidence: {
      banner,
      ...(software && { software }),
      features: features.slice(0, 16),
      ...(isInsideTls && { starttls: true }),
    },
    message: `220 ${banner}`,
    ...(software && { facts: { software } }),
  };
};

export const ftp: Protocol = {
  title: "FTP",
  summary:
    "Open when the server greets with 220 and answers FEAT or NOOP as FTP does; TLS by AUTH TLS or from the first byte.",
  reference: "RFC 959, RFC 2389, RFC 4217",
  transports: ["tcp"],
  defaultPort: 21,
  settings,
  example: { settings: { starttls: "if-offered" } },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", ...tlsAtOnce(wanted), talk: (connection) => talk(connection, wanted) };
  },
};
