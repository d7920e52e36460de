/**
 * The API function with everything real but what lies outside it: a local DynamoDB with the synthesised schema, and one
 * small HTTP server that stands for SQS, Lambda and SNS, notes what it is asked and answers as it is told.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { SNSClient } from "@aws-sdk/client-sns";
import { paginateScan } from "@aws-sdk/lib-dynamodb";
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import { createApi } from "../../../functions/api/api.ts";
import { issueToken } from "../../../functions/api/http/auth.ts";
import { createProbes } from "../../../functions/api/monitors/probes.ts";
import { createAuthentication } from "../../../functions/api/wiring.ts";
import type { Outside as Receivers } from "../../../shared/alerts/channels/channel.ts";
import { createHttpSend } from "../../../shared/alerts/http.ts";
import { createSubscriberCount } from "../../../shared/alerts/subscribers.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import type { Job } from "../../../shared/jobs.ts";
import type { Location, Monitor } from "../../../shared/model.ts";
import type { Decision } from "../../../shared/rules/decide.ts";
import { createPolicyStore, createWindowStore } from "../../../shared/store/alerting.ts";
import { createAuditStore } from "../../../shared/store/audit.ts";
import { createChangeStore } from "../../../shared/store/changes.ts";
import { createChannelStore } from "../../../shared/store/channels.ts";
import { createCounterStore } from "../../../shared/store/counters.ts";
import { createDecisionStore } from "../../../shared/store/decisions.ts";
import { createDeliveryStore } from "../../../shared/store/deliveries.ts";
import { createDependencyStore } from "../../../shared/store/dependencies.ts";
import { createDueStore } from "../../../shared/store/due.ts";
import { createFormerStore } from "../../../shared/store/former.ts";
import { createHistoryStore } from "../../../shared/store/history.ts";
import { createIncidentAlertStore } from "../../../shared/store/incident-alerts.ts";
import { createIncidentStore } from "../../../shared/store/incidents.ts";
import { createLinkSecret } from "../../../shared/store/link-secret.ts";
import { createLocationStore } from "../../../shared/store/locations.ts";
import { createMailboxStore } from "../../../shared/store/mailbox.ts";
import { createMonitorStore } from "../../../shared/store/monitors.ts";
import { createNoteStore } from "../../../shared/store/notes.ts";
import { createPageNews } from "../../../shared/store/page-news.ts";
import { createPlanningStore } from "../../../shared/store/planning.ts";
import { createRateStore } from "../../../shared/store/rates.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { createStatusPageStore } from "../../../shared/store/status-pages.ts";
import { createStatusReader } from "../../../shared/store/status-reader.ts";
import { createStretchStore } from "../../../shared/store/stretches.ts";
import { createSubscriptionStore } from "../../../shared/store/subscriptions.ts";
import { createSummaryStore } from "../../../shared/store/summaries.ts";
import { createSweepStore } from "../../../shared/store/sweeps.ts";
import type { Scope } from "../../../shared/tokens.ts";
import { checkAnswer } from "../../support/document.ts";
import { startTables } from "../../support/tables.ts";

export const place = (name: string, more: Partial<Location> = {}): Location => ({
  name,
  region: "us-east-1",
  kind: "local",
  families: ["ipv4", "ipv6"],
  port25: false,
  jobsQueueUrl: `http://queues/000000000000/jobs-${name}`,
  probeFunctionName: `probe-${name}`,
  ...more,
});

const LOCATIONS = [
  place("local"),
  place("eu-west-1", { kind: "public", families: ["ipv4"], region: "eu-west-1" }),
  place("inside", { kind: "vpc", families: ["ipv4"], region: "eu-west-1" }),
] as const;

/** What a test may decide about the world outside. */
export interface Outside {
  /** Answer of a probe, by function name. */
  probe: (functionName: string, payload: Record<string, unknown>) => unknown;
  /** Answer of SNS as XML, or an error code. */
  sns: (action: string, parameters: URLSearchParams) => string | { error: string; message: string };
  /** Whether SQS and the asynchronous Lambda calls fail. */
  isDown: boolean;
}

const text = async (request: IncomingMessage) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

interface Answer {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly cookies?: string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** The body as a client reads it. */
const decoded = ({ headers, body, isBase64Encoded }: Answer) => {
  if (!body || !isBase64Encoded) return body;
  const bytes = Buffer.from(body, "base64");
  return (headers["content-encoding"] === "br" ? brotliDecompressSync(bytes) : gunzipSync(bytes)).toString();
};

const topics = {
  alerts: "arn:aws:sns:us-east-1:000000000000:alerts",
  people: "arn:aws:sns:us-east-1:000000000000:people",
  system: "arn:aws:sns:us-east-1:000000000000:system",
};
/** Receivers of test alerts, as on one machine, where private addresses may be reached. */
export const RECEIVERS: Receivers = {
  publish: async () => ({ MessageId: "m-1" }),
  sendMail: async () => ({ MessageId: "m-2" }),
  topics,
  sender: "sender@example.com",
  reach: "local",
  http: createHttpSend({ reach: "local", version: "test", timeoutMs: 500 }),
};

export const startEdge = async ({ locations = LOCATIONS as readonly Location[], receivers = RECEIVERS } = {}) => {
  const tables = await startTables();
  const calls = {
    jobs: [] as { queue: string; job: Job }[],
    plans: [] as Record<string, unknown>[],
    checks: [] as { functionName: string; payload: Record<string, unknown> }[],
    sns: [] as Record<string, string>[],
  };
  const outside: Outside = { probe: () => ({ state: "open" }), sns: () => "", isDown: false };

  const server = createServer(async (request, response) => {
    const body = await text(request);
    const json = (status: number, value: unknown, headers = {}) =>
      response
        .writeHead(status, { "content-type": "application/x-amz-json-1.0", ...headers })
        .end(JSON.stringify(value));
    const target = String(request.headers["x-amz-target"] ?? "");
    const lambda = /^\/2015-03-31\/functions\/([^/]+)\/invocations/.exec(request.url ?? "")?.[1];
    const isPlan = lambda && request.headers["x-amz-invocation-type"] === "Event";
    if (outside.isDown && (target || isPlan))
      return json(400, { __type: "com.amazonaws.sqs#AccessDenied", message: "down" });
    if (target.startsWith("AmazonSQS")) {
      const { QueueUrl, Entries } = JSON.parse(body);
      for (const { MessageBody } of Entries)
        calls.jobs.push({ queue: QueueUrl.split("/").at(-1), job: JSON.parse(MessageBody) });
      return json(200, { Successful: [], Failed: [] });
    }
    if (isPlan) {
      calls.plans.push(JSON.parse(body));
      return response.writeHead(202).end();
    }
    if (lambda) {
      const payload = JSON.parse(body);
      calls.checks.push({ functionName: lambda, payload });
      try {
        return json(200, await outside.probe(lambda, payload));
      } catch (error) {
        return json(200, { errorMessage: (error as Error).message }, { "x-amz-function-error": "Unhandled" });
      }
    }
    const parameters = new URLSearchParams(body);
    calls.sns.push(Object.fromEntries(parameters));
    const action = parameters.get("Action") ?? "";
    const answer = outside.sns(action, parameters);
    const isError = typeof answer !== "string";
    response.writeHead(isError ? 400 : 200, { "content-type": "text/xml" });
    const namespace = 'xmlns="http://sns.amazonaws.com/doc/2010-03-31/"';
    return response.end(
      isError
        ? `<ErrorResponse ${namespace}><Error><Type>Sender</Type><Code>${answer.error}</Code><Message>${answer.message}</Message></Error></ErrorResponse>`
        : `<${action}Response ${namespace}><${action}Result>${answer}</${action}Result></${action}Response>`,
    );
  });
  server.keepAliveTimeout = 0; // as that of the tables
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const environment = {
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL_SQS: endpoint,
    AWS_ENDPOINT_URL_LAMBDA: endpoint,
    AWS_ENDPOINT_URL_SNS: endpoint,
    POWERTOOLS_LOG_LEVEL: process.env.POWERTOOLS_LOG_LEVEL ?? "SILENT",
  };
  Object.assign(process.env, environment);

  const { client } = tables;
  const clock = { now: () => new Date() };
  const audit = createAuditStore(client, tables.tables.monitors);
  const authentication = createAuthentication(client, tables.tables.monitors);
  const { tokens } = authentication;
  const monitors = createMonitorStore(client, tables.tables.monitors);
  const former = createFormerStore(client, tables.tables.monitors);
  const now = () => clock.now();
  const history = createHistoryStore(client, tables.tables.history);
  const kept = {
    history,
    retention: DEFAULT_RETENTION,
    now: () => now().getTime(),
    sleep: async () => {},
    unreadable: ({ message }: Error) => console.error(message),
  };
  const counters = createCounterStore(client, tables.tables.history, kept);
  const rates = createRateStore(client, tables.tables.history, kept);
  const stretches = createStretchStore(client, tables.tables.history);
  const summaries = createSummaryStore(client, tables.tables.history, { now: () => now().getTime() });
  const decisions = createDecisionStore(client, tables.tables.monitors);
  const windows = createWindowStore(client, tables.tables.monitors);
  const pages = createStatusPageStore(client, tables.tables.monitors);
  const handler = createApi({
    version: "test",
    locations,
    monitors,
    policies: createPolicyStore(client, tables.tables.monitors),
    windows,
    allWindows: windows.all,
    dependencies: createDependencyStore(client, tables.tables.monitors),
    due: createDueStore(client, tables.tables.monitors),
    former,
    shards: createShardStore(client, tables.tables.monitors),
    planning: createPlanningStore(client, tables.tables.monitors),
    incidents: createIncidentStore(client, tables.tables.monitors),
    changes: createChangeStore(client, tables.tables.monitors),
    incidentAlerts: createIncidentAlertStore(client, tables.tables.monitors),
    linkSecret: createLinkSecret(client, tables.tables.monitors),
    notes: createNoteStore(client, tables.tables.monitors),
    pages,
    pageNews: createPageNews(pages, createMailboxStore(client, tables.tables.monitors), now),
    audit,
    subscriptions: createSubscriptionStore(client, tables.tables.monitors),
    ...authentication,
    heartbeats: createLocationStore(client, tables.tables.monitors),
    history,
    stretches,
    statusReader: createStatusReader({ stretches, summaries }, now),
    retention: DEFAULT_RETENTION,
    newId: randomUUID,
    sweeps: createSweepStore(tables.client, tables.tables.history),
    rates,
    counters,
    sweepRights: { targets: ["93.184.216.0/28", "example.com"], installation: "test" },
    probes: createProbes(locations, "dispatch"),
    sns: new SNSClient({}),
    topics,
    notify: createMailboxStore(client, tables.tables.monitors).notify,
    subscribersOf: createSubscriberCount(new SNSClient({}), now),
    channels: createChannelStore(client, tables.tables.monitors),
    deliveries: createDeliveryStore(client, tables.tables.monitors),
    receivers,
    deadLetterArn: "arn:aws:sqs:us-east-1:000000000000:undelivered",
    openapi: async () => '{"openapi":"3.1.1"}',
    logger: new Logger(),
    metrics: new Metrics({ namespace: "Harborlight", serviceName: "api" }),
    now,
  });

  const tokenWith = async (...scopes: Scope[]) =>
    (await issueToken(tokens, { name: scopes.join(" "), scopes }, new Date())).text;
  const limitedToken = async (scope: Scope, ...monitorTags: string[]) =>
    (await issueToken(tokens, { name: monitorTags.join(" "), scopes: [scope], monitorTags }, new Date())).text;
  const admin = await tokenWith("admin");

  interface Options {
    readonly body?: unknown;
    readonly headers?: Record<string, string>;
    readonly token?: string | null;
    /** Instead of `body`: exactly this. */
    readonly raw?: string;
    readonly isBase64?: boolean;
    readonly remainingMs?: number;
    readonly cookies?: readonly string[];
    readonly sourceIp?: string;
  }
  const call = async (method: string, url: string, options: Options = {}) => {
    const { body, raw, token = admin, headers = {}, remainingMs = 29_000, sourceIp = "127.0.0.1" } = options;
    const [path = "", query = ""] = url.split("?");
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const event = {
      version: "2.0",
      routeKey: "ANY /v1/{proxy+}",
      rawPath: path,
      rawQueryString: query,
      headers: {
        ...(token !== null && { Authorization: `Bearer ${token}` }),
        ...(sent !== undefined && { "Content-Type": "application/json" }),
        ...headers,
      },
      pathParameters: { proxy: path.slice("/v1/".length) },
      requestContext: { requestId: "request-1", http: { method, path, sourceIp } },
      ...(options.cookies && { cookies: [...options.cookies] }),
      body: sent,
      isBase64Encoded: options.isBase64 ?? false,
    } as unknown as APIGatewayProxyEventV2;
    // The SDK's clients look at the first call: another edge may have been started since.
    Object.assign(process.env, environment);
    const answer = (await handler(event, { getRemainingTimeInMillis: () => remainingMs } as Context)) as Answer;
    const content = decoded(answer);
    const isJson = answer.headers["content-type"]?.includes("json");
    // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect
    const parsed: any = isJson && content ? JSON.parse(content) : content;
    const received = { ...answer.headers, ...(answer.cookies && { "set-cookie": answer.cookies.join() }) };
    checkAnswer({ method, path, status: answer.statusCode, headers: received, body: parsed });
    return {
      status: answer.statusCode,
      headers: answer.headers,
      cookies: answer.cookies ?? [],
      body: parsed,
      sent: answer,
    };
  };

  /** Everything in a table but the audit log, in which calls that change nothing leave an entry that expires at once. */
  const stored = async (table: "monitors" | "history" = "monitors", prefix = "") => {
    const pages = await Array.fromAsync(paginateScan({ client }, { TableName: tables.tables[table] }));
    const Items = pages.flatMap((page) => page.Items ?? []);
    const isMeant = (pk: string) => (prefix ? pk.startsWith(prefix) : !pk.startsWith("AUDIT#"));
    return Items.filter(({ pk }) => isMeant(String(pk)));
  };

  return {
    ...tables,
    handler,
    call,
    calls,
    outside,
    clock,
    admin,
    tokenWith,
    limitedToken,
    stored,
    /** Stores a decision, as state-change does. */
    decide: (monitor: Monitor, decided: Partial<Decision>) =>
      decisions.save(
        monitor,
        {
          status: monitor.status,
          since: monitor.since,
          lastStretch: monitor.lastStretch,
          incident: monitor.incident,
          lastIncidentEndedAt: monitor.lastIncidentEndedAt,
          pendingAlerts: {},
          nextEvaluationAt: null,
          undecidedSince: null,
          unsettledSince: null,
          flapState: null,
          minority: null,
          baseline: null,
          ...decided,
        },
        clock.now(),
      ),
    stores: {
      tokens,
      audit,
      sessions: authentication.sessions,
      monitors,
      former,
      history,
      counters,
      rates,
      stretches,
      summaries,
    },
    async [Symbol.asyncDispose]() {
      await tables.stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
export type Edge = Awaited<ReturnType<typeof startEdge>>;
