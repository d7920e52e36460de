/**
 * Finishes every answer: gives what can be polled an ETag and answers 304, compresses, and refuses what is too large for
 * Lambda.
 */
import type { MiddlewareObj } from "@middy/core";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { compress, encodingOf } from "../../../shared/encoding.ts";
import { contentHash, isKnownTag } from "../../../shared/etag.ts";
import { Problem } from "./problem.ts";

type Event = APIGatewayProxyEventV2;
type Result = APIGatewayProxyStructuredResultV2;
type Headers = Record<string, string | undefined>;

/** Below it a packet holds the answer anyway. */
const MIN_COMPRESSED_BYTES = 1024;
/** Lambda's limit for a response: the whole result as JSON, a compressed body in base64 inside it. */
export const MAX_RESULT_BYTES = 6 * 1024 * 1024;
/** A JSON string takes at most six bytes for each byte of text, so smaller ones need no measuring. */
const SURELY_FITS_BYTES = MAX_RESULT_BYTES / 8;

const vary = (headers: Headers) => [headers.vary, "accept-encoding"].filter(Boolean).join(", ");

/**
 * Adds the ETag of the representation. A handler's own `etag` is the tag of the settings; it stays in front, so that
 * `If-Match` can take the whole (see `matchesTag`).
 */
const withTag = (headers: Headers, body: string, suffix: string): Headers & { etag: string } => {
  const settings = headers.etag ? `${headers.etag.slice(1, -1)}.` : "";
  return { ...headers, etag: `"${settings}${contentHash(body)}${suffix}"` };
};

/** The tag of the settings in a tag that came with an answer, or the tag itself. */
const settingsTagOf = (tag: string) => tag.replace(/^"([^".]*)\.[^"]*"$/, '"$1"');

/**
 * Evaluates `If-Match`: `*` or a list of strong tags (RFC 9110, section 13.1.1). A tag that came with an answer matches
 * while the settings are those of that answer, whatever else of it has changed.
 * @param settingsTag tag of the present settings, quoted
 */
export const matchesTag = (ifMatch: string, settingsTag: string) =>
  ifMatch.trim() === "*" || ifMatch.split(",").some((tag) => settingsTagOf(tag.trim()) === settingsTag);

/** @throws Problem `answer-too-large` */
const checkSize = (result: Result, isCompressed: boolean): Result => {
  if (Buffer.byteLength(result.body ?? "") <= SURELY_FITS_BYTES) return result;
  const bytes = Buffer.byteLength(JSON.stringify(result));
  if (bytes <= MAX_RESULT_BYTES) return result;
  const advice = isCompressed ? "" : "send the header Accept-Encoding: gzip, or ";
  throw new Problem(
    "answer-too-large",
    `the answer has ${bytes} bytes, and ${MAX_RESULT_BYTES} can be sent: ${advice}ask for less, by what this call takes of limit, fields, tag, part, from and to`,
  );
};

const isTagged = ({ statusCode, headers }: Result, method: string) =>
  method === "GET" && statusCode === 200 && headers?.["cache-control"] !== "no-store";

export const finishAnswer = async (event: Event, result: Result): Promise<Result> => {
  const { body, isBase64Encoded, ...rest } = result;
  if (!body || isBase64Encoded) return result;
  const bytes = Buffer.from(body);
  const isCompressible = bytes.length >= MIN_COMPRESSED_BYTES;
  const encoding = isCompressible ? encodingOf(event.headers["accept-encoding"]) : undefined;
  let headers = result.headers as Headers;
  if (isCompressible) headers = { ...headers, vary: vary(headers) };
  if (isTagged(result, event.requestContext.http.method)) {
    const tagged = withTag(headers, body, encoding ? `-${encoding}` : "");
    headers = tagged;
    if (isKnownTag(event.headers["if-none-match"], tagged.etag)) {
      const { "content-type": _type, ...kept } = tagged;
      return { ...rest, statusCode: 304, headers: kept as Record<string, string> };
    }
  }
  if (!encoding) return checkSize({ ...result, headers: headers as Record<string, string> }, false);
  return checkSize(
    {
      ...result,
      headers: { ...headers, "content-encoding": encoding } as Record<string, string>,
      body: (await compress(bytes, encoding)).toString("base64"),
      isBase64Encoded: true,
    },
    true,
  );
};

/** As middleware. The problem of an answer that is too large passes through here again, and is small. */
export const answers = (): MiddlewareObj<Event, Result> => {
  const finish: MiddlewareObj<Event, Result>["after"] = async (request) => {
    if (request.response) request.response = await finishAnswer(request.event, request.response);
  };
  return { after: finish, onError: finish };
};
