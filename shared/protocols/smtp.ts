/**
 * SMTP: open when the server greets with 220 and accepts EHLO (RFC 5321), or HELO if it does not know EHLO; STARTTLS:
 * RFC 3207. No mail is sent. `createSmtp` also creates submission and smtps, which differ only in port and TLS.
 */
import type { z } from "zod";
import type { Connection, TlsOptions } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { type Reply, readReply, replyText } from "../wire/replies.ts";
import { oneLine, onlyStarttls, parseSettings, type StartTlsMode } from "../wire/settings.ts";
import { softwareIn } from "../wire/software.ts";
import { isAmong, upgradeToTls } from "../wire/starttls.ts";

/** Default name in EHLO: a reserved one that can belong to nobody (RFC 2606). Some servers demand another. */
export const ehloName = oneLine(253)
  .default("harborlight.invalid")
  .describe("Name that the probe gives itself in EHLO.");

const settings = onlyStarttls("smtps").safeExtend({ ehloName });

interface Wanted {
  readonly ehloName: string;
  readonly starttls: StartTlsMode;
  readonly tls?: TlsOptions | undefined;
}

const ask = (connection: Connection, command: string): Promise<Reply> => {
  connection.write(`${command}\r\n`);
  return readReply(connection, "SMTP");
};

/** Replies of a server that accepts no connection now, or ever: RFC 5321, section 4.2.2; 521: RFC 7504. */
const UNWELL: readonly number[] = [421, 451, 521, 554];
/** Replies of a server that does not know the command; every other refusal concerns the name in it. */
const UNKNOWN_COMMAND: readonly number[] = [500, 502, 503, 530];

/** Sends EHLO, and HELO to servers older than 1995. @returns the capabilities */
const greet = async (connection: Connection, name: string): Promise<readonly string[]> => {
  const ehlo = await ask(connection, `EHLO ${name}`);
  if (ehlo.code === 250) return ehlo.lines.slice(1).map((line) => printable(line, 60));
  const helo = ehlo.code >= 500 && ehlo.code < 505 ? await ask(connection, `HELO ${name}`) : ehlo;
  if (helo.code === 250) return [];
  if (UNWELL.includes(helo.code))
    throw new ProbeFailure("service-unavailable", `the server refuses EHLO: ${replyText(helo)}`);
  if (helo.code < 400 || UNKNOWN_COMMAND.includes(helo.code))
    throw new ProbeFailure("wrong-protocol", `greets with 220 and does not know EHLO or HELO: ${replyText(helo)}`);
  throw new ProbeFailure(
    "unexpected-answer",
    `the server speaks SMTP and refuses the name ${name}: ${replyText(helo)}; set ehloName to one that it takes`,
  );
};

const talk = async (connection: Connection, wanted: Wanted): Promise<Finding> => {
  const greeting = await readReply(connection, "SMTP");
  if (greeting.code >= 400)
    throw new ProbeFailure("service-unavailable", `the server says it is not ready: ${replyText(greeting)}`);
  if (greeting.code !== 220)
    throw new ProbeFailure("wrong-protocol", `expected an SMTP greeting with 220, got: ${replyText(greeting)}`);
  const banner = printable(greeting.lines.join(" "));
  let capabilities = await greet(connection, wanted.ehloName);
  const isInsideTls = await upgradeToTls(connection, wanted, isAmong("STARTTLS", capabilities), async () => {
    const reply = await ask(connection, "STARTTLS");
    return reply.code === 220 ? undefined : replyText(reply);
  });
  if (isInsideTls) capabilities = await greet(connection, wanted.ehloName);
  connection.write("QUIT\r\n");
  const software = softwareIn(greeting.lines.join(" "));
  return {
    evidence: {
      banner,
      ...(software && { software }),
      capabilities: capabilities.slice(0, 16),
      ...(isInsideTls && { starttls: true }),
    },
    message: `220 ${banner}`,
    ...(software && { facts: { software } }),
  };
};

/** Creates a protocol that speaks SMTP. @param tls TLS from the first byte on, by default with these settings */
export const createSmtp = (
  row: Pick<Protocol, "title" | "summary" | "reference" | "defaultPort" | "example">,
  schema: z.ZodType<{ ehloName: string; starttls?: StartTlsMode; tls?: TlsOptions | undefined }> = settings,
): Protocol => ({
  ...row,
  transports: ["tcp"],
  settings: schema,
  prepare: (given) => {
    const wanted = parseSettings(schema, given);
    const { starttls } = wanted;
    return starttls === undefined
      ? {
          transport: "tcp",
          tls: wanted.tls ?? {},
          talk: (connection) => talk(connection, { ehloName: wanted.ehloName, starttls: "off" }),
        }
      : { transport: "tcp", talk: (connection) => talk(connection, { ...wanted, starttls }) };
  },
});

export const smtp = createSmtp({
  title: "SMTP",
  summary: "Open when the server greets with 220 and accepts EHLO; STARTTLS where asked for.",
  reference: "RFC 5321, RFC 3207",
  defaultPort: 25,
  example: { settings: { starttls: "if-offered" } },
});
