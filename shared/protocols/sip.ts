/**
 * SIP: open when the server answers OPTIONS with our branch, Call-ID and CSeq (RFC 3261, sections 8.1, 11 and 18; RFC 3581
 * for answers to the port we ask from). Needs no account: 401, 403, 404, 405 and 483 come from working servers too.
 * Responses of the classes 5 and 6 mean that the server is unwell, except those that only refuse OPTIONS itself.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol, type Target } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { parseSettings } from "../wire/settings.ts";
import { tcpProbe, udpOrTcp, udpProbe } from "../wire/udp.ts";

/** Longest head and body accepted: what fits into one datagram. */
const MAX_BYTES = 65_535;
/** Not implemented, version not supported, message too large: refusals of the request, not failures of the server. */
const HEALTHY_ERRORS: readonly number[] = [501, 505, 513];

const uri = z
  .string()
  .max(255)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line end would inject a header
  .regex(/^sips?:[^\s<>"\x00-\x1f\x7f-\x9f]+$/, "must be a SIP URI without spaces, like sip:ping@example.com");

export const fields = {
  uri: uri.optional().describe("Request-URI. Default: the monitor's host."),
  from: uri.default("sip:harborlight@harborlight.invalid").describe("Who asks."),
  status: z.array(z.int().min(100).max(699)).min(1).optional().describe("Expected response codes. Default: any."),
  serverErrors: z
    .enum(["up", "degraded", "down"])
    .default("degraded")
    .describe("What responses of the classes 5 and 6 mean, where `status` does not say it."),
};
const settings = udpOrTcp(fields, { spacingMs: 250 });
type Wanted = z.infer<z.ZodObject<typeof fields>>;
type Via = "UDP" | "TCP" | "TLS";

const bracketed = (host: string): string => (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host);

const request = (wanted: Wanted, via: Via, target: Target, n: number, random: (bytes: number) => Buffer): Buffer => {
  const [branch, tag, call] = [random(8), random(6), random(12)].map((bytes) => bytes.toString("hex"));
  const host = `${bracketed(target.host)}:${target.port}`;
  const requestUri = wanted.uri ?? (via === "TLS" ? `sips:${host}` : `sip:${host}`);
  return Buffer.from(
    [
      `OPTIONS ${requestUri} SIP/2.0`,
      `Via: SIP/2.0/${via} harborlight.invalid;branch=z9hG4bK${branch};rport`,
      "Max-Forwards: 70",
      `From: <${wanted.from}>;tag=${tag}`,
      `To: <${requestUri}>`,
      `Call-ID: ${call}@harborlight.invalid`,
      `CSeq: ${n + 1} OPTIONS`,
      "Accept: application/sdp",
      "User-Agent: Harborlight",
      "Content-Length: 0",
      "",
      "",
    ].join("\r\n"),
  );
};

/** Short forms of header names (RFC 3261, section 7.3.3). */
const SHORT: Readonly<Record<string, string>> = {
  v: "via",
  i: "call-id",
  f: "from",
  t: "to",
  l: "content-length",
  k: "supported",
};

interface Head {
  readonly status: number;
  readonly reason: string;
  /** The first value of each header, by its long name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

/** @throws ProbeFailure `wrong-protocol` when it does not begin like a SIP response */
const readHead = (text: string): Head => {
  const unfolded = text.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/);
  const start = /^SIP\/2\.0 ([1-6]\d\d) ?(.*)$/.exec(unfolded[0] ?? "");
  if (!start)
    throw new ProbeFailure("wrong-protocol", "expected a SIP response, got something else", {
      evidence: { firstLine: printable(unfolded[0] ?? "") },
    });
  const headers = new Map<string, string>();
  for (const line of unfolded.slice(1)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    const long = SHORT[name] ?? name;
    if (long && !headers.has(long)) headers.set(long, line.slice(colon + 1).trim());
  }
  return { status: Number(start[1]), reason: printable(start[2] ?? ""), headers };
};

const branchOf = (via: string | undefined): string | undefined => /;\s*branch\s*=\s*([^;,\s]+)/i.exec(via ?? "")?.[1];

/** Whether the response answers the request: it repeats the branch, Call-ID and CSeq. */
const isOurs = ({ headers }: Head, question: Head["headers"]): boolean =>
  branchOf(headers.get("via")) === branchOf(question.get("via")) &&
  headers.get("call-id") === question.get("call-id") &&
  headers.get("cseq")?.replace(/\s+/g, " ") === question.get("cseq");

const headersOf = (question: Buffer): Head["headers"] =>
  readHead(`SIP/2.0 200 \r\n${question.toString("latin1").split("\r\n").slice(1).join("\r\n")}`).headers;

const judge = ({ status, reason, headers }: Head, wanted: Wanted): Finding => {
  const software = headers.get("server") ?? headers.get("user-agent");
  const said = `SIP ${status} ${reason}`.trim();
  const evidence: Record<string, unknown> = { status, reason };
  if (software) evidence.server = printable(software);
  for (const name of ["allow", "supported", "accept", "retry-after", "warning"])
    if (headers.has(name)) evidence[name] = printable(headers.get(name)!);
  if (wanted.status && !wanted.status.includes(status))
    throw new ProbeFailure("unexpected-answer", `expected SIP ${wanted.status.join(" or ")}, got ${status} ${reason}`, {
      evidence,
    });
  const isUnwell = status >= 500 && !HEALTHY_ERRORS.includes(status) && !wanted.status;
  if (isUnwell && wanted.serverErrors === "down")
    throw new ProbeFailure("service-unavailable", `the SIP server answers ${said}`, { evidence });
  return {
    evidence,
    message: software ? `${said} from ${printable(software)}` : said,
    ...(software && { facts: { software: printable(software) } }),
    ...(isUnwell &&
      wanted.serverErrors === "degraded" && {
        degraded: { reason: "service-unavailable", message: `the SIP server answers ${said}` },
      }),
  };
};

export const talk = async (connection: Connection, wanted: Wanted, via: Via, target: Target): Promise<Finding> => {
  const question = request(wanted, via, target, 0, target.random);
  connection.write(question);
  for (;;) {
    // Checks the first line before reading on: a server of another protocol may never send the rest.
    const first = await connection.readLine();
    if (first === "") continue; // line ends between messages keep connections alive (RFC 5626, section 4.4.1)
    readHead(first);
    let text = first;
    for (let line = await connection.readLine(); line !== ""; line = await connection.readLine()) {
      text += `\r\n${line}`;
      if (text.length > MAX_BYTES)
        throw new ProbeFailure("answer-too-long", `the SIP head has more than ${MAX_BYTES} bytes`);
    }
    const head = readHead(text);
    const length = Number(head.headers.get("content-length") ?? 0);
    if (!(length >= 0 && length <= MAX_BYTES))
      throw new ProbeFailure(
        "answer-too-long",
        `the SIP answer announces a body of ${printable(String(length))} bytes`,
      );
    await connection.read(length);
    if (!isOurs(head, headersOf(question)))
      throw new ProbeFailure("unexpected-answer", "the SIP answer belongs to another request", {
        evidence: { status: head.status },
      });
    if (head.status >= 200) return judge(head, wanted);
  }
};

const understand = (answer: Buffer, question: Buffer, wanted: Wanted): Finding | undefined => {
  const text = answer.toString("latin1");
  // Keep-alives, and requests from the server.
  if (/^[\r\n\0]*$/.test(text) || /^[A-Z]{1,20} \S{1,255} SIP\/2\.0\r?\n/.test(text)) return undefined;
  const end = /\r?\n\r?\n/.exec(text);
  const head = readHead(end ? text.slice(0, end.index) : text);
  if (!end) throw new ProbeFailure("incomplete-answer", "the SIP answer ends before its empty line");
  // A final response follows a provisional one (RFC 3261, section 17.1.2.2).
  return head.status >= 200 && isOurs(head, headersOf(question)) ? judge(head, wanted) : undefined;
};

export const common = {
  summary: "Open when the server answers our OPTIONS with any response; settings say which ones are healthy.",
  reference: "RFC 3261, sections 7, 8.1, 11 and 18; RFC 3581",
} as const;

export const sip: Protocol = {
  ...common,
  title: "SIP",
  transports: ["udp", "tcp"],
  defaultPort: 5060,
  settings,
  example: { settings: { transport: "udp" } },
  prepare(input) {
    const wanted = parseSettings(settings, input);
    if (wanted.transport === "tcp") {
      const via = wanted.tls ? "TLS" : "TCP";
      return tcpProbe(wanted, (connection, target) => talk(connection, wanted, via, target));
    }
    return udpProbe(wanted, {
      ask: (n, random, target) => request(wanted, "UDP", target, n, random),
      read: (answer, question) => understand(answer, question, wanted),
    });
  },
};
