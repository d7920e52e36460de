/** Somebody who uses the API: sends what an edit says, and sends it again until it hears how it went. */
import { createHash } from "node:crypto";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { type Clock, draw } from "./clock.ts";
import type { Journal } from "./journal.ts";
import type { SimulatedFunction } from "./lambda.ts";
import type { Edit, Scenario } from "./scenario.ts";

/** The token that everybody uses; its item is put into the table before the scenario begins. */
const TOKEN = "hl_simulated_0123456789abcdef0123456789abcdef";

export const tokenItem = (startMs: number) => {
  const [, id = "", secret = ""] = TOKEN.split("_");
  const createdAt = new Date(startMs).toISOString();
  const secretHash = createHash("sha256").update(secret).digest("hex");
  return {
    pk: "TOKEN",
    sk: id,
    id,
    secretHash,
    name: "simulation",
    scopes: ["admin"],
    createdAt,
    lastUsedAt: null,
    revokedAt: null,
  };
};

/** The README says how an id follows from a key; a client knows it from the answer, which may get lost. */
export const idOfKey = (key: string) =>
  createHash("sha256")
    .update(JSON.stringify(["key", key]))
    .digest("hex")
    .slice(0, 20);

const MOST_ATTEMPTS = 8;
const PAUSE_SECONDS = { least: 2, spread: 13 };

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Heard {
  /** HTTP status; 0: nothing. */
  readonly status: number;
  readonly body: {
    readonly code?: string;
    readonly timeToAlertSeconds?: number;
    readonly errors?: readonly { readonly path: string }[];
  };
  readonly etag: string | undefined;
}

interface Options {
  readonly scenario: Scenario;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly api: SimulatedFunction<APIGatewayProxyEventV2, unknown>;
}

export type ApiClient = (edit: Edit) => Promise<void>;

export function createApiClient({ scenario, clock, journal, api }: Options): ApiClient {
  const ask = async (call: Call): Promise<Heard> => {
    const ended = await api.invoke(eventOf(call));
    if (ended.how !== "answered") return { status: 0, body: {}, etag: undefined };
    const { statusCode = 0, body = "{}", headers = {} } = ended.value as APIGatewayProxyStructuredResultV2;
    return { status: statusCode, body: JSON.parse(body || "{}"), etag: headers.etag?.toString() };
  };

  return async (edit) => {
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const read = edit.ifMatch ? await ask({ method: "GET", path: `/v1/monitors/${idOfKey(edit.key)}` }) : undefined;
      const heard = await ask(callOf(edit, read?.etag));
      const { status, body } = heard;
      const { at } = journal;
      journal.answers.push({
        at,
        key: edit.key,
        id: idOfKey(edit.key),
        action: edit.action,
        status,
        code: body.code ?? null,
        timeToAlertSeconds: body.timeToAlertSeconds ?? null,
      });
      if (status >= 400 && status < 500 && !isWorthTrying(status, body.code)) {
        if ((status === 400 || status === 422) && !isParentMissing(edit, body))
          journal.bugs.push({ at, where: "api client", text: `${JSON.stringify(edit)}: ${JSON.stringify(body)}` });
        return;
      }
      if (status === 200 || status === 201 || status === 204) return;
      const name = `client ${edit.action} ${edit.key} ${edit.at} ${attempt}`;
      await clock.sleep(1000 * (PAUSE_SECONDS.least + draw(scenario.seed, name) * PAUSE_SECONDS.spread));
    }
  };
}

/** A monitor that is still being deleted, an ETag that is stale by now, others that change the same. */
const isWorthTrying = (status: number, code: string | undefined) =>
  status === 412 || code === "being-deleted" || code === "changed-meanwhile" || status === 429;

/** A monitor that others are to depend on may have been deleted, or not be there yet. */
const isParentMissing = ({ settings }: Edit, { errors = [] }: Heard["body"]) =>
  settings?.dependsOn !== undefined && errors.every(({ path }) => path.startsWith("dependsOn"));

const windowOf = (key: string, durationSeconds: number | undefined) => ({
  name: `${key} ${durationSeconds}`,
  monitorIds: [idOfKey(key)],
  schedule: { kind: "once", durationSeconds },
});

function callOf({ action, key, settings, at, seconds }: Edit, etag: string | undefined): Call {
  const path = `/v1/monitors/${idOfKey(key)}`;
  const headers: Record<string, string> = etag ? { "if-match": etag } : {};
  switch (action) {
    case "create":
      return { method: "POST", path: "/v1/monitors", body: settings, headers: { "idempotency-key": `${key}/${at}` } };
    case "apply":
      return { method: "PUT", path: "/v1/monitors", body: { monitors: [settings] } };
    case "patch":
      return { method: "PATCH", path, body: settings, headers };
    case "accept":
      return { method: "POST", path: `${path}/changes/accept`, body: {} };
    case "learn":
      return { method: "DELETE", path: `${path}/baseline` };
    case "maintain":
      return { method: "POST", path: "/v1/maintenance-windows", body: windowOf(key, seconds) };
    case "delete":
      return { method: "DELETE", path, headers };
    default:
      return { method: "POST", path: `${path}/${action}`, headers };
  }
}

function eventOf({ method, path, headers = {}, body }: Call): APIGatewayProxyEventV2 {
  const sent = {
    authorization: `Bearer ${TOKEN}`,
    ...(body !== undefined && { "content-type": "application/json" }),
    ...headers,
  };
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: "",
    headers: sent,
    requestContext: {
      accountId: "000000000000",
      apiId: "simulated",
      domainName: "simulated.example.com",
      domainPrefix: "simulated",
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "192.0.2.9", userAgent: "simulation" },
      requestId: `${method} ${path}`,
      routeKey: "$default",
      stage: "$default",
      time: "",
      timeEpoch: 0,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
}
