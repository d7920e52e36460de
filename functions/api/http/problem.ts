/**
 * Errors as problem documents (RFC 9457). The codes are part of the API: stable, each with one HTTP status in `STATUS`.
 */
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";

export const STATUS = {
  "malformed-json": 400,
  "malformed-yaml": 400,
  unauthenticated: 401,
  "missing-scope": 403,
  "cross-site-request": 403,
  "sweep-not-allowed": 403,
  "not-found": 404,
  "method-not-allowed": 405,
  "already-exists": 409,
  "being-deleted": 409,
  "changed-meanwhile": 409,
  "last-admin-token": 409,
  "not-active": 409,
  "in-use": 409,
  "not-confirmed": 409,
  "reaches-others": 409,
  paused: 409,
  "too-many-deletes": 409,
  "stale-etag": 412,
  "body-too-large": 413,
  "unsupported-media-type": 415,
  "invalid-input": 422,
  "idempotency-key-reused": 422,
  "answer-too-large": 422,
  "too-many-requests": 429,
  internal: 500,
  "timed-out": 503,
} as const satisfies Record<string, number>;
export type ProblemCode = keyof typeof STATUS;

export const TITLES: Record<ProblemCode, string> = {
  "malformed-json": "The body is not JSON",
  "malformed-yaml": "The body is not YAML",
  unauthenticated: "A valid token is needed",
  "missing-scope": "The token lacks a scope",
  "cross-site-request": "The request came from another site",
  "sweep-not-allowed": "The target may not be swept",
  "not-found": "Not found",
  "method-not-allowed": "This path has no such method",
  "already-exists": "It exists already",
  "being-deleted": "It is still being deleted",
  "changed-meanwhile": "It was changed at the same time",
  "last-admin-token": "The last admin token cannot be revoked",
  "not-active": "It does not last now",
  "in-use": "Something else uses it",
  "not-confirmed": "The subscription is not confirmed",
  "reaches-others": "The message reaches others too",
  paused: "The monitor is paused",
  "too-many-deletes": "The list would delete too many monitors",
  "stale-etag": "It changed since it was read",
  "body-too-large": "The body is too large",
  "unsupported-media-type": "The body has the wrong content type",
  "invalid-input": "Some input is wrong",
  "answer-too-large": "The answer would be too large",
  "idempotency-key-reused": "The idempotency key belongs to another request",
  "too-many-requests": "Too many requests",
  internal: "Something went wrong on our side",
  "timed-out": "The request took too long",
};

/** An error for the caller, with a stable code. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;
  constructor(code: ProblemCode, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.code = code;
    this.headers = headers;
  }
}

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  readonly requestId: string;
}

const document = (code: ProblemCode, detail: string, requestId: string, errors?: readonly FieldError[]) =>
  ({
    type: `urn:harborlight:problem:${code}`,
    title: TITLES[code],
    status: STATUS[code],
    code,
    detail,
    ...(errors && { errors }),
    requestId,
  }) satisfies ProblemDocument;

/** Whether this is middy's timeout, shortly before the function's own. The AWS SDK's errors can have the same name. */
const isCutShort = (error: unknown) =>
  error instanceof Error &&
  error.name === "TimeoutError" &&
  (error.cause as { package?: string } | undefined)?.package === "@middy/core";

/**
 * Makes the problem document of an error. An unexpected error shows only the request's id, by which it is found in the
 * log.
 */
export const explain = (
  error: unknown,
  requestId: string,
): { document: ProblemDocument; headers: Record<string, string> } => {
  if (error instanceof Problem)
    return { document: document(error.code, error.message, requestId), headers: { ...error.headers } };
  if (error instanceof InvalidInput)
    return { document: document("invalid-input", error.message, requestId, error.errors), headers: {} };
  if (isCutShort(error))
    return {
      document: document("timed-out", "the answer took longer than a function may run; try again", requestId),
      headers: {},
    };
  return {
    document: document("internal", `look for request ${requestId} in the log of the api function`, requestId),
    headers: {},
  };
};
