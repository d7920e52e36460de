/** Assembles the status pages. Everything outside (tables, clock) is passed in. */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { createWindowStore } from "../../shared/store/alerting.ts";
import { createHistoryStore } from "../../shared/store/history.ts";
import { createIncidentStore } from "../../shared/store/incidents.ts";
import { createMailboxStore } from "../../shared/store/mailbox.ts";
import { createMonitorRows } from "../../shared/store/monitor-rows.ts";
import { createNoteStore } from "../../shared/store/notes.ts";
import { createStatusPageStore } from "../../shared/store/status-pages.ts";
import { createStatusReader } from "../../shared/store/status-reader.ts";
import { createStretchStore } from "../../shared/store/stretches.ts";
import { createSummaryStore } from "../../shared/store/summaries.ts";
import { createPageReader } from "./read.ts";
import { createServer } from "./serve.ts";

export interface StatusPagesOutside {
  readonly client: DynamoDBDocumentClient;
  readonly tables: { readonly monitors: string; readonly history: string };
  /** Whether mail can be sent to subscribers. */
  readonly sendsMail: boolean;
  readonly log: (message: string, error: Error) => void;
  readonly now: () => Date;
}

export function createStatusPages({ client, tables, sendsMail, log, now }: StatusPagesOutside) {
  const pages = createStatusPageStore(client, tables.monitors);
  const unreadable = (error: Error) => log("corrupt history is left out", error);
  const options = { now: () => now().getTime(), unreadable };
  const reader = createPageReader({
    rows: createMonitorRows(client, tables.monitors),
    statusReader: createStatusReader(
      {
        stretches: createStretchStore(client, tables.history),
        summaries: createSummaryStore(client, tables.history, options),
      },
      now,
    ),
    history: createHistoryStore(client, tables.history, options),
    windows: createWindowStore(client, tables.monitors),
    incidents: createIncidentStore(client, tables.monitors),
    notes: createNoteStore(client, tables.monitors),
    pages,
    now,
  });
  const serve = createServer({
    reader,
    pages,
    mailbox: createMailboxStore(client, tables.monitors),
    sendsMail,
    log,
    now,
  });
  return ({
    rawPath,
    rawQueryString,
    headers,
    cookies = [],
    body = "",
    isBase64Encoded,
    requestContext: { http },
  }: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> =>
    serve({
      method: http.method,
      path: rawPath,
      query: new URLSearchParams(rawQueryString),
      headers,
      cookies,
      body: isBase64Encoded ? Buffer.from(body, "base64").toString() : body,
      sourceIp: http.sourceIp,
    });
}
