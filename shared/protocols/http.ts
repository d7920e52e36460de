/**
 * HTTP/1.1 (RFC 9110, RFC 9112): open when the answer's status, header fields and body are what was expected.
 *
 * Redirects are followed only to the same scheme, host and port, at the address that is being checked: only this address
 * has passed the address guard, and a target must not send the probe elsewhere. Any other redirect is reported and judged
 * by its own status (use another monitor for its destination).
 */
import { z } from "zod";
import type { Connection, TlsOptions } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol, type Target } from "../contract/protocol.ts";
import type { Facts } from "../model.ts";
import { printable } from "../wire/cursor.ts";
import { codedBytes, decodeBody } from "../wire/http-coding.ts";
import { isPersistent, type ResponseHead, readBody, readFinalHead } from "../wire/http-message.ts";
import { expectMatch, type Match, matchSettings } from "../wire/match.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";

/** Redirects followed at most. Browsers give up at 20; five on one host is a loop. */
const MAX_REDIRECTS = 5;
/** Header fields that the probe sets itself; a second one would change the meaning of the request. */
const OWN_HEADERS = /^(host|connection|content-length|transfer-encoding|upgrade|te|trailer|expect)$/i;

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/, "must be a header field's name");

/** "204" or "200-299". */
const statusRange = z
  .union([z.int().min(100).max(599), z.string().regex(/^[1-5]\d\d(-[1-5]\d\d)?$/, 'must look like "200" or "200-299"')])
  .refine(
    (range) => typeof range === "number" || !range.includes("-") || range.slice(0, 3) <= range.slice(4),
    "must not end below its start",
  );

const shape = {
  method: z.enum(["GET", "HEAD"]).default("GET").describe("Method of the request."),
  path: z
    .string()
    .max(2048)
    .regex(/^\/[\x21-\x7e]*$/, "must start with / and be percent-encoded")
    .default("/")
    .describe("Path and query."),
  hostHeader: z
    .string()
    .max(255)
    .regex(/^(\[[0-9a-fA-F:.]+\]|[\w.~%!$&'()*+,;=-]+)(:\d{1,5})?$/, "must be a host, perhaps with :port")
    .optional()
    .describe("The header Host. Default: the monitor's host and port."),
  headers: z
    .record(
      headerName,
      z
        .string()
        .max(1024)
        .regex(/^[\t\x20-\x7e]*$/, "must be one line of ASCII")
        // Often a token or a cookie.
        .meta({ writeOnly: true }),
    )
    .refine((headers) => Object.keys(headers).length <= 20, "at most 20")
    .refine((headers) => !Object.keys(headers).some((name) => OWN_HEADERS.test(name)), {
      message: "Host (use hostHeader) and the fields of the connection are set by the probe",
    })
    .default({})
    .describe("Further headers of the request, by name."),
  status: z
    .array(statusRange)
    .min(1)
    .max(20)
    .default(["200-399"])
    .describe("Expected status codes, or ranges of them. Default: `200-399`."),
  responseHeaders: z
    .record(headerName, matchSettings)
    .refine((headers) => Object.keys(headers).length <= 10, "at most 10")
    .default({})
    .describe("What headers of the answer must be like, by name."),
  body: matchSettings.optional(),
  maxBodyBytes: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(65_536)
    .describe("Bytes of the decoded body that `body` is matched against; the rest is not read."),
  watchHeaders: z
    .array(headerName)
    .max(8, "must be at most 8 names")
    .default([])
    .describe("Headers of the answer that are watched for changes, beside those that protect browsers. Default none."),
  watchTitle: z
    .boolean()
    .default(false)
    .describe("Whether the page's title is watched for changes; the body is read for it. Default false."),
  redirects: z
    .enum(["follow", "manual"])
    .default("follow")
    .describe("Whether redirects are followed, or are the answer."),
};

/** Bytes of a body that a pattern is matched against at most: some 40 ms of CPU time. */
const MAX_PATTERN_BODY_BYTES = 65_536;

const patternNeedsShortBody = {
  check: ({ maxBodyBytes, body }: { maxBodyBytes: number; body?: Match | undefined }) =>
    body?.pattern === undefined || maxBodyBytes <= MAX_PATTERN_BODY_BYTES,
  params: { path: ["maxBodyBytes"], message: `must be at most ${MAX_PATTERN_BODY_BYTES} with body.pattern` },
};

const bodyNeedsGet = {
  check: ({ method, body }: { method: string; body?: unknown }) => method !== "HEAD" || body === undefined,
  params: { path: ["body"], message: "an answer to HEAD has no body" },
};

const titleNeedsGet = {
  check: ({ method, watchTitle }: { method: string; watchTitle: boolean }) => method !== "HEAD" || !watchTitle,
  params: { path: ["watchTitle"], message: "an answer to HEAD has no title" },
};

const settings = z
  .strictObject({ ...shape, tls: tlsSettings.optional() })
  .refine(bodyNeedsGet.check, bodyNeedsGet.params)
  .refine(titleNeedsGet.check, titleNeedsGet.params)
  .refine(patternNeedsShortBody.check, patternNeedsShortBody.params);

const withoutTls = z
  .strictObject(shape)
  .refine(bodyNeedsGet.check, bodyNeedsGet.params)
  .refine(titleNeedsGet.check, titleNeedsGet.params)
  .refine(patternNeedsShortBody.check, patternNeedsShortBody.params);

type Wanted = z.output<typeof settings>;

interface Scheme {
  readonly name: "http" | "https";
  readonly defaultPort: number;
}

const isExpected = (status: number, ranges: Wanted["status"]): boolean =>
  ranges.some((range) => {
    const [from, to = from] = String(range).split("-");
    return status >= Number(from) && status <= Number(to);
  });

const authority = (target: Target, scheme: Scheme): string => {
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  return target.port === scheme.defaultPort ? host : `${host}:${target.port}`;
};

const request = (wanted: Wanted, path: string, host: string): string => {
  const fields = new Map<string, string>([
    ["host", `Host: ${host}`],
    ["user-agent", "User-Agent: Harborlight"],
    ["accept", "Accept: */*"],
    // Rules match the plain body; a body that comes compressed regardless is decoded.
    ["accept-encoding", "Accept-Encoding: identity"],
  ]);
  for (const [name, value] of Object.entries(wanted.headers)) fields.set(name.toLowerCase(), `${name}: ${value}`);
  return `${wanted.method} ${path} HTTP/1.1\r\n${[...fields.values()].join("\r\n")}\r\n\r\n`;
};

/** The path of a redirect to the same origin; undefined for other origins. */
const pathHere = (location: string, base: string, path: string): string | undefined => {
  const url = URL.parse(location, new URL(path, base).href);
  return url && url.origin === new URL(base).origin && !url.username ? url.pathname + url.search : undefined;
};

/** Status codes that redirect; others, such as 304, do not, even with a Location (RFC 9110, section 15.4). */
const REDIRECTS: readonly number[] = [300, 301, 302, 303, 307, 308];

/** Whether the error may mean that the server closed a persistent connection, which it may do at any time (RFC 9112, section 9.3.1). */
const isEnd = (error: unknown): boolean =>
  !(error instanceof ProbeFailure) || error.reason === "connection-closed" || error.reason === "incomplete-answer";

/** Sends a request; retries once on a new connection if a reused one ends without an answer, because GET and HEAD are idempotent. */
const answerTo = async (connection: Connection, question: string, isReused: boolean): Promise<ResponseHead> => {
  connection.write(question);
  if (!isReused) return readFinalHead(connection);
  try {
    return await readFinalHead(connection);
  } catch (error) {
    if (!isEnd(error)) throw error;
    await connection.reopen();
    return answerTo(connection, question, false);
  }
};

/** Follows redirects until a response is final. */
const exchange = async (connection: Connection, target: Target, wanted: Wanted, scheme: Scheme) => {
  const host = wanted.hostHeader ?? authority(target, scheme);
  const base = URL.parse(`${scheme.name}://${host}`)?.href ?? `${scheme.name}://${authority(target, scheme)}`;
  let path = wanted.path;
  let isReused = false;
  for (let redirects = 0; ; redirects += 1) {
    const head = await answerTo(connection, request(wanted, path, host), isReused);
    const location = REDIRECTS.includes(head.status) ? head.headers.get("location") : undefined;
    const next = location === undefined ? undefined : pathHere(location, base, path);
    if (next === undefined || wanted.redirects === "manual") return { head, path, redirects };
    if (redirects === MAX_REDIRECTS)
      throw new ProbeFailure(
        "unexpected-answer",
        `more than ${MAX_REDIRECTS} redirects, the last to ${printable(next)}`,
      );
    isReused =
      isPersistent(head, wanted.method) &&
      (await readBody(connection, head, wanted.method, wanted.maxBodyBytes)).isWhole;
    if (!isReused) await connection.reopen();
    path = next;
  }
};

/** Decodes the body by the character set that the server names, if Node knows it, else as UTF-8. */
const textOf = (bytes: Buffer, { headers }: ResponseHead): string => {
  const charset = /;\s*charset\s*=\s*"?([\w.:-]{1,40})/i.exec(headers.get("content-type") ?? "")?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return bytes.toString("utf8");
  }
};

const describe = ({ status, phrase, headers }: ResponseHead, path: string, redirects: number) => {
  const field = (name: string) => (headers.has(name) ? printable(headers.get(name) ?? "", 120) : undefined);
  return {
    status,
    phrase,
    server: field("server"),
    contentType: field("content-type"),
    location: field("location"),
    ...(redirects > 0 && { redirects, path: printable(path, 120) }),
  };
};

/** Headers of an answer that tell browsers how to protect people; what they say seldom changes on purpose. */
const PROTECTING = ["strict-transport-security", "x-frame-options", "x-content-type-options"];

const MAX_TITLE = 120;

/** The title of an HTML page, in one line. */
const titleOf = (html: string): string | undefined => {
  const [, title] = /<title[^>]{0,200}>([^<]{1,2000})<\/title/i.exec(html.slice(0, MAX_PATTERN_BODY_BYTES)) ?? [];
  return title && printable(title.replace(/\s+/g, " ").trim(), MAX_TITLE);
};

const factsOf = ({ status, headers }: ResponseHead, watchHeaders: readonly string[]): Facts => {
  const facts: Record<string, string> = { "http.status": `${Math.floor(status / 100)}xx` };
  const server = headers.get("server");
  if (server) facts["http.server"] = printable(server, 120);
  const to = headers.get("location");
  if (to !== undefined && URL.canParse(to)) facts["http.redirect"] = printable(new URL(to).host, 120);
  for (const name of new Set([...PROTECTING, ...watchHeaders.map((one) => one.toLowerCase())])) {
    const value = headers.get(name);
    if (value !== undefined) facts[`http.header.${name}`] = printable(value, 120);
  }
  // Directives without their values, which often contain a random number for each answer.
  const policy = headers.get("content-security-policy");
  if (policy !== undefined)
    facts["http.header.content-security-policy"] = printable(
      policy
        .split(";")
        .map((directive) => directive.trim().split(/\s/)[0]!)
        .filter(Boolean)
        .toSorted()
        .join(" "),
      200,
    );
  return facts;
};

const talk = async (connection: Connection, target: Target, wanted: Wanted, scheme: Scheme): Promise<Finding> => {
  const { head, path, redirects } = await exchange(connection, target, wanted, scheme);
  const evidence = describe(head, path, redirects);
  const line = `HTTP/${head.version} ${head.status} ${head.phrase}`.trim();
  if (!isExpected(head.status, wanted.status))
    throw new ProbeFailure(
      head.status >= 500 || head.status === 429 ? "service-unavailable" : "unexpected-answer",
      `expected status ${wanted.status.join(", ")}, got ${line}`,
      { evidence },
    );
  let title: string | undefined;
  try {
    for (const [name, rule] of Object.entries(wanted.responseHeaders))
      expectMatch(rule, head.headers.get(name.toLowerCase()) ?? "", `header ${name}`);
    if (wanted.body || wanted.watchTitle) {
      const { method, maxBodyBytes } = wanted;
      const coded = await readBody(connection, head, method, codedBytes(head, maxBodyBytes));
      const body = await decodeBody(coded, head, maxBodyBytes);
      const text = textOf(body.bytes, head);
      if (wanted.body) expectMatch(wanted.body, text, "body");
      if (wanted.watchTitle) title = titleOf(text);
    }
  } catch (error) {
    if (error instanceof ProbeFailure)
      throw new ProbeFailure(error.reason, error.message, { state: error.state, evidence, cause: error });
    throw error;
  }
  return {
    evidence,
    message: evidence.location ? `${line}, to ${evidence.location}` : line,
    facts: { ...factsOf(head, wanted.watchHeaders), ...(title && { "http.title": title }) },
  };
};

/** http or https. @param isSecure TLS from the first byte on, by default with these settings */
export const createHttp = (
  row: Pick<Protocol, "title" | "summary" | "reference" | "example">,
  scheme: Scheme,
): Protocol => ({
  ...row,
  transports: ["tcp"],
  defaultPort: scheme.defaultPort,
  settings: scheme.name === "https" ? settings : withoutTls,
  prepare: (given) => {
    const wanted: Wanted = parseSettings(scheme.name === "https" ? settings : withoutTls, given);
    // Without ALPN some servers would choose HTTP/2.
    const tls: TlsOptions = { alpn: ["http/1.1"], ...wanted.tls };
    return {
      transport: "tcp",
      ...(scheme.name === "https" && { tls }),
      talk: (connection, target) => talk(connection, target, wanted, scheme),
    };
  },
});

export const http = createHttp(
  {
    title: "HTTP",
    summary: "Open when the answer's status, header fields and body are what was expected; redirects stay on the host.",
    reference: "RFC 9110, RFC 9112",
    example: { settings: { path: "/", status: ["200-299"], body: { contains: "Welcome" } } },
  },
  { name: "http", defaultPort: 80 },
);
