/**
 * Converts HTTP requests to Lambda events and results to HTTP responses, in payload format 2.0 (API Gateway Developer Guide, "AWS Lambda proxy integrations for
 * HTTP APIs").
 */
import type { IncomingMessage } from "node:http";
import { ACCOUNT } from "../template/template.ts";

export interface Matched {
  readonly routeKey: string;
  readonly pathParameters: Readonly<Record<string, string>> | undefined;
  readonly stage: string;
  readonly apiId: string;
  readonly requestId: string;
}

/** Content types of bodies that API Gateway passes as text; it encodes all others in base64. */
const TEXT = /^(text\/|application\/(json|xml|javascript|x-www-form-urlencoded|.*\+(json|xml)))/;

export const toEvent = (request: IncomingMessage, body: Buffer, matched: Matched, now: Date) => {
  const url = new URL(request.url ?? "/", "http://local");
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (name !== "cookie") headers[name] = (values ?? []).join(",");
  }
  // API Gateway says here how the client spoke to it; a proxy that ends TLS in front of this machine says so itself.
  headers["x-forwarded-proto"] ??= "http";
  const cookies = (request.headersDistinct.cookie ?? []).flatMap((line) => line.split("; "));
  const query = new Map<string, string[]>();
  for (const [name, value] of url.searchParams) query.set(name, [...(query.get(name) ?? []), value]);
  const isBase64Encoded = body.length > 0 && !TEXT.test(headers["content-type"] ?? "text/plain");
  return {
    version: "2.0",
    routeKey: matched.routeKey,
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    ...(cookies.length > 0 ? { cookies } : {}),
    headers,
    ...(query.size > 0
      ? { queryStringParameters: Object.fromEntries([...query].map(([name, values]) => [name, values.join(",")])) }
      : {}),
    requestContext: {
      accountId: ACCOUNT,
      apiId: matched.apiId,
      domainName: headers.host ?? "localhost",
      domainPrefix: (headers.host ?? "localhost").split(".")[0],
      http: {
        method: request.method ?? "GET",
        path: url.pathname,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: (request.socket.remoteAddress ?? "127.0.0.1").replace(/^::ffff:/, ""),
        userAgent: headers["user-agent"] ?? "",
      },
      requestId: matched.requestId,
      routeKey: matched.routeKey,
      stage: matched.stage,
      time: commonLogTime(now),
      timeEpoch: now.getTime(),
    },
    ...(matched.pathParameters ? { pathParameters: matched.pathParameters } : {}),
    ...(body.length > 0 ? { body: body.toString(isBase64Encoded ? "base64" : "utf8") } : {}),
    isBase64Encoded,
  };
};

/** `12/Mar/2020:19:03:58 +0000` */
const commonLogTime = (now: Date): string => {
  const [, day, month, year, time] = /, (\d+) (\w+) (\d+) ([\d:]+)/.exec(now.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${time} +0000`;
};

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

interface ProxyAnswer {
  readonly statusCode?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/**
 * The HTTP response for a function's result: without a `statusCode` the whole result is the JSON body of a 200.
 * @returns undefined for a result that API Gateway refuses (the client then gets a 500)
 */
export const toHttpAnswer = (payload: string): HttpAnswer | undefined => {
  const answer = JSON.parse(payload) as ProxyAnswer | null;
  const json = { "content-type": "application/json" };
  if (answer === null || typeof answer !== "object" || Array.isArray(answer) || answer.statusCode === undefined) {
    const body = typeof answer === "string" ? answer : payload;
    return { status: 200, headers: json, body: Buffer.from(answer === null ? "" : body) };
  }
  const status = Number(answer.statusCode);
  if (!Number.isInteger(status) || status < 100 || status > 599) return undefined;
  if (answer.body !== undefined && answer.body !== null && typeof answer.body !== "string") return undefined;
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(answer.headers ?? {})) headers[name.toLowerCase()] = String(value);
  if (answer.cookies?.length) headers["set-cookie"] = [...answer.cookies];
  const body = Buffer.from(answer.body ?? "", answer.isBase64Encoded === true ? "base64" : "utf8");
  if (body.length > 0) headers["content-type"] ??= "text/plain; charset=utf-8";
  return { status, headers, body };
};
