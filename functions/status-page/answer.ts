/** Makes answers: security headers, caching, ETags, compression. */
import { createHash } from "node:crypto";
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { compress, encodingOf } from "../../shared/encoding.ts";
import { contentHash, isKnownTag } from "../../shared/etag.ts";
import type { StatusPage } from "../../shared/store/status-pages.ts";
import { SCRIPT } from "./script.ts";
import { stylesOf } from "./styles.ts";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly cookies: readonly string[];
  readonly body: string;
  readonly sourceIp: string;
}

/** Content that was made, for any number of readers. */
export interface Made {
  readonly type: string;
  readonly content: string | Buffer;
  /** When it was true. */
  readonly atMs: number;
  /** Whether pages of other sites may show it. */
  readonly isForOthers?: boolean;
}

/** How old an answer may be in a reader's hands, without a copy that is being renewed. */
const FRESH_SECONDS = 30;
/** A copy may be shown while a new one is fetched, and while none can be had. */
const STALE = "stale-while-revalidate=300, stale-if-error=86400";
/** Below it a packet holds the answer anyway. */
const MIN_COMPRESSED_BYTES = 1024;

const hashOf = (content: string) => `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
const SCRIPT_HASH = hashOf(SCRIPT);

/** @param page undefined where there is none, or nobody may know of it */
const policyOf = (page: StatusPage | undefined, frames: string) =>
  [
    "default-src 'none'",
    `style-src ${hashOf(stylesOf(page?.accentColor ?? null))}`,
    `script-src ${SCRIPT_HASH}`,
    "img-src 'self' data:",
    "form-action 'self'",
    "base-uri 'none'",
    `frame-ancestors ${frames}`,
  ].join("; ");

const framesOf = (page: StatusPage | undefined) => {
  if (page?.embed) return "*";
  return page?.slug.startsWith("preview-") ? "'self'" : "'none'";
};

export const isHttps = ({ headers }: Asked) => headers["x-forwarded-proto"] === "https";

const securityOf = (asked: Asked, page: StatusPage | undefined, isForOthers = false) => ({
  "content-security-policy": policyOf(page, framesOf(page)),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": isForOthers ? "cross-origin" : "same-origin",
  ...(isForOthers && { "access-control-allow-origin": "*" }),
  ...(page?.visibility !== "public" && { "x-robots-tag": "noindex" }),
  ...(isHttps(asked) && { "strict-transport-security": "max-age=31536000" }),
});

/** Finished content by encoding: what is shown to a crowd is compressed once. */
const packed = new WeakMap<Made, Map<string, Promise<Buffer>>>();
const pack = (made: Made, encoding: "br" | "gzip") => {
  const known = packed.get(made) ?? new Map<string, Promise<Buffer>>();
  packed.set(made, known);
  const bytes = known.get(encoding) ?? compress(Buffer.from(made.content), encoding);
  known.set(encoding, bytes);
  return bytes;
};

const cachingOf = (page: StatusPage | undefined, { atMs }: Made, nowMs: number) => {
  if (!page || page.visibility === "private") return "private, no-store";
  const left = FRESH_SECONDS - Math.floor((nowMs - atMs) / 1000);
  return `public, max-age=${Math.max(0, Math.min(FRESH_SECONDS, left))}, ${STALE}`;
};

/** HEAD is GET without the body, but with its length (RFC 9110, section 9.3.2). */
const withoutBody = (answer: APIGatewayProxyStructuredResultV2): APIGatewayProxyStructuredResultV2 => {
  const { body = "", isBase64Encoded, ...head } = answer;
  const length = Buffer.byteLength(body, isBase64Encoded ? "base64" : "utf8");
  return { ...head, headers: { ...head.headers, "content-length": String(length) } };
};

interface Whose {
  readonly page?: StatusPage | undefined;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly now: Date;
}

export async function answerWith(
  asked: Asked,
  made: Made,
  { page, status = 200, headers = {}, now }: Whose,
): Promise<APIGatewayProxyStructuredResultV2> {
  const bytes = Buffer.from(made.content);
  const isText = typeof made.content === "string";
  const encoding =
    isText && bytes.length >= MIN_COMPRESSED_BYTES ? encodingOf(asked.headers["accept-encoding"]) : undefined;
  const etag = `"${contentHash(bytes)}${encoding ? `-${encoding}` : ""}"`;
  const common = {
    ...securityOf(asked, page, made.isForOthers && page?.visibility !== "private"),
    "cache-control": status === 200 ? cachingOf(page, made, now.getTime()) : "no-store",
    vary: "accept-encoding",
    ...(status === 200 && { etag }),
    ...headers,
  };
  if (status === 200 && isKnownTag(asked.headers["if-none-match"], etag)) return { statusCode: 304, headers: common };
  const answer = {
    statusCode: status,
    headers: { ...common, "content-type": made.type, ...(encoding && { "content-encoding": encoding }) },
    body: (encoding ? await pack(made, encoding) : bytes).toString("base64"),
    isBase64Encoded: true,
  };
  return asked.method === "HEAD" ? withoutBody(answer) : answer;
}

/** Sends the browser to another page of ours. */
export const redirectTo = (path: string, cookie: string): APIGatewayProxyStructuredResultV2 => ({
  statusCode: 303,
  headers: { location: path, "cache-control": "no-store", "referrer-policy": "no-referrer" },
  cookies: [cookie],
});
