/** Which of the dashboard's files answers a request, and with which headers. */

import { isKnownTag } from "../../shared/etag.ts";
import type { WebFiles } from "../../shared/web-files.ts";

export interface WebRequest {
  readonly method: string;
  /** Without the query string. */
  readonly path: string;
  /** By lower-case name, as API Gateway gives them. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface WebAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

const SHELL = "/index.html";
/** Paths that browsers ask for by themselves, and the file that answers. */
const ALIASES: Readonly<Record<string, string>> = { "/favicon.ico": "/icon.svg" };
const ENCODINGS = ["br", "gzip"] as const;
const A_YEAR = "public, max-age=31536000, immutable";
/** A new version shows at the next load. */
const ALWAYS_ASK = "no-cache";
const A_DAY = "public, max-age=86400";

const plain = (statusCode: number, text: string, headers: Readonly<Record<string, string>> = {}): WebAnswer => ({
  statusCode,
  headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff", ...headers },
  body: `${text}\n`,
});

/** Encodings that a client takes, by `Accept-Encoding` (RFC 9110, section 12.5.3). `q=0` refuses one. */
const accepted = (header = ""): ReadonlySet<string> =>
  new Set(
    header
      .toLowerCase()
      .split(",")
      .map((part) => part.split(";").map((word) => word.trim()))
      .filter(([, ...parameters]) => !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)))
      .map(([name = ""]) => name),
  );

const cacheControl = (path: string) => (path === SHELL ? ALWAYS_ASK : path.startsWith("/assets/") ? A_YEAR : A_DAY);

/** Files have an extension with a letter. Every other path is a page, which the script draws; ids of incidents have a dot. */
const fileOf = (path: string) => (/\.[^/]*[a-z][^/]*$/i.test(path) ? (ALIASES[path] ?? path) : SHELL);

export const createFileServer = ({ files, policy }: WebFiles) => {
  const security = {
    "content-security-policy": policy,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  };

  return ({ method, path, headers }: WebRequest): WebAnswer => {
    if (method !== "GET" && method !== "HEAD")
      return plain(405, "Only GET and HEAD work here; the API is at /v1.", { allow: "GET, HEAD" });
    const name = fileOf(path);
    const file = Object.hasOwn(files, name) ? files[name] : undefined;
    if (!file) return plain(404, "There is nothing here.", { "cache-control": ALWAYS_ASK });
    const isHttps = headers["x-forwarded-proto"] === "https";
    const common = {
      ...security,
      ...(isHttps && { "strict-transport-security": "max-age=31536000" }),
      "cache-control": cacheControl(name),
      etag: file.etag,
      vary: "accept-encoding",
    };
    if (isKnownTag(headers["if-none-match"], file.etag)) return { statusCode: 304, headers: common };
    const takes = accepted(headers["accept-encoding"]);
    const encoding = ENCODINGS.find((one) => takes.has(one));
    return {
      statusCode: 200,
      headers: { ...common, "content-type": file.type, ...(encoding && { "content-encoding": encoding }) },
      body: file[encoding ?? "identity"],
      isBase64Encoded: true,
    };
  };
};
