/** Calls of the API, with what a browser's session needs. */
import { signal } from "@preact/signals";
import { secretHeader } from "./kept.ts";
import type { Page } from "./model.ts";

export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** Why a call failed, in the API's words. `status` 0: the API could not be reached. */
export class CallFailure extends Error {
  readonly status: number;
  /** The API's name of the problem, such as `stale-etag`. */
  readonly code: string | null;
  readonly errors: readonly FieldError[];
  readonly requestId: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(
    detail: string,
    {
      status,
      code = null,
      errors = [],
      requestId = null,
      retryAfterSeconds = null,
    }: Partial<CallFailure> & { status: number },
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.errors = errors;
    this.requestId = requestId;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Whether the API was reached by the last call; while it was not, when it last was. */
export const contact = signal<{ readonly isLost: boolean; readonly lastAt: number }>({
  isLost: false,
  lastAt: Date.now(),
});
/** Set when a call finds the session over. */
export const isSessionOver = signal(false);

interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether a timer makes the call, and not a person: it then does not extend the session. */
  readonly isPoll?: boolean;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 30_000;

/** The answer to a call that `early.ts` has made already. */
const takeEarly = (path: string): Promise<Response> | undefined => {
  const response = globalThis.early?.get(path);
  globalThis.early?.delete(path);
  return response;
};

const failureOf = async (response: Response): Promise<CallFailure> => {
  const { status, headers } = response;
  const problem = await response.json().catch(() => ({}));
  // In the words of the gateway, which a reader of ours need not know, where a call did not reach the API.
  const said = status === 429 ? "There are too many requests at once" : problem.message;
  return new CallFailure(problem.detail ?? said ?? `the server answered ${status}`, {
    status,
    code: problem.code ?? null,
    errors: problem.errors ?? [],
    requestId: problem.requestId ?? null,
    retryAfterSeconds: Number(headers.get("retry-after")) || null,
  });
};

/** @returns an answer that is no failure. @throws CallFailure */
const send = async (method: string, path: string, options: CallOptions): Promise<Response> => {
  const { body, headers = {}, isPoll = false } = options;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    const early = method === "GET" ? takeEarly(path) : undefined;
    response = await (early ??
      fetch(path, {
        method,
        headers: {
          ...secretHeader(),
          ...(isPoll && { "harborlight-poll": "1" }),
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
      }));
  } catch (error) {
    if (options.signal?.aborted) throw error;
    contact.value = { ...contact.value, isLost: true };
    throw new CallFailure("Harborlight cannot be reached", { status: 0 });
  }
  contact.value = { isLost: false, lastAt: Date.now() };
  if (response.ok) return response;
  if (response.status === 401 && path !== "/v1/sessions") isSessionOver.value = true;
  throw await failureOf(response);
};

/** @throws CallFailure */
export const call = async <Answer>(method: string, path: string, options: CallOptions = {}): Promise<Answer> => {
  const response = await send(method, path, options);
  return response.status === 204 ? (undefined as Answer) : ((await response.json()) as Answer);
};

export const get = <Answer>(path: string, options?: CallOptions) => call<Answer>("GET", path, options);

/** What is there, with its tag for `If-Match`. */
export interface Tagged<Found> {
  readonly found: Found;
  readonly etag: string;
}

/** @throws CallFailure */
export const getTagged = async <Found>(path: string): Promise<Tagged<Found>> => {
  const response = await send("GET", path, {});
  return { found: (await response.json()) as Found, etag: response.headers.get("etag") ?? "*" };
};

/** All items of a list, page by page. @throws CallFailure */
export const getAll = async <Item>(path: string, options?: CallOptions): Promise<readonly Item[]> => {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const at: string =
      cursor === null ? path : `${path}${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`;
    const page: Page<Item> = await get(at, options);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
};
