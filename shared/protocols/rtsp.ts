/**
 * RTSP: open when the server answers OPTIONS (RFC 2326, section 10.1; RFC 7826, section 13.1), with 200 or with a demand for
 * a login. No stream is described or set up.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol, type Target } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { type ResponseHead, readHead } from "../wire/http-message.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";

const settings = z.strictObject({
  path: z
    .string()
    .max(1024)
    .regex(/^(\*|\/[\x21-\x7e]*)$/, "must be * or start with /, percent-encoded")
    .default("*")
    .describe("What to ask about: `*` for the server, or the path of a stream."),
  tls: tlsSettings.optional(),
});

const CSEQ = "1";
/** Provisional (1xx) responses before the final one, such as 100 Continue (RFC 2326, section 7.1.1). */
const MAX_PROVISIONAL = 5;

const uri = (target: Target, path: string, isSecure: boolean): string => {
  if (path === "*") return "*";
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  return `${isSecure ? "rtsps" : "rtsp"}://${host}:${target.port}${path}`;
};

/** Reads the head of the final response, after provisional ones (1xx). */
const readFinal = async (connection: Connection): Promise<ResponseHead> => {
  for (let count = 0; count <= MAX_PROVISIONAL; count += 1) {
    const head = await readHead(connection, "RTSP");
    if (head.status >= 200) return head;
  }
  throw new ProbeFailure("unexpected-answer", `more than ${MAX_PROVISIONAL} provisional answers`);
};

const talk = async (
  connection: Connection,
  target: Target,
  { path, tls }: z.output<typeof settings>,
): Promise<Finding> => {
  const where = uri(target, path, tls !== undefined);
  connection.write(`OPTIONS ${where} RTSP/1.0\r\nCSeq: ${CSEQ}\r\nUser-Agent: Harborlight\r\n\r\n`);
  const { version, status, phrase, headers } = await readFinal(connection);
  const server = headers.get("server");
  const evidence = {
    status,
    phrase,
    ...(server && { server: printable(server) }),
    methods: headers
      .get("public")
      ?.split(/\s*,\s*/)
      .slice(0, 16)
      .map((method) => printable(method, 24)),
  };
  const line = `RTSP/${version} ${status} ${phrase}`.trim();
  // RFC 2326, section 12.17. Servers that could not parse the request (live555's 400) and some cameras omit CSeq.
  const cseq = headers.get("cseq") ?? CSEQ;
  if (cseq !== CSEQ)
    throw new ProbeFailure("unexpected-answer", `expected CSeq ${CSEQ}, got ${printable(cseq, 24)} with ${line}`, {
      evidence,
    });
  if (status >= 500 && status !== 501 && status !== 505 && status !== 551)
    throw new ProbeFailure("service-unavailable", `the server answers ${line}`, { evidence });
  if (path !== "*" && (status === 404 || status === 410 || status === 454))
    throw new ProbeFailure("unexpected-answer", `expected a stream at ${path}, got ${line}`, { evidence });
  return { evidence, message: line, ...(server && { facts: { software: printable(server) } }) };
};

export const rtsp: Protocol = {
  title: "RTSP",
  summary: "Open when the server answers OPTIONS.",
  reference: "RFC 2326, RFC 7826",
  transports: ["tcp"],
  defaultPort: 554,
  settings,
  example: { settings: {} },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return {
      transport: "tcp",
      ...(wanted.tls && { tls: wanted.tls }),
      talk: (connection, target) => talk(connection, target, wanted),
    };
  },
};
