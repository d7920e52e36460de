/** Route `/v1/audit`: who changed what through the API, newest first. */
import { z } from "zod";
import { DAY_SECONDS } from "../../../../shared/durations.ts";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import { AUDIT_KEPT_DAYS } from "../../../../shared/store/keys.ts";
import { rangeFields, readRange } from "../../history/range.ts";
import { author, moment, pageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { page } from "../../http/schemas.ts";
import { changesView } from "../../monitors/changes.ts";

const auditEntry = z
  .object({
    id: z.string().describe("Id of the entry."),
    at: moment.describe("When the call began."),
    requestId: z.string().describe("Id of the call; changes of one call share it."),
    by: author.nullable().describe("Token that made the call; null: a command with AWS credentials."),
    operation: z.string().describe("`operationId` of the call, such as `patchMonitor`."),
    resource: z.string().nullable().describe("Id of the monitor, subscription or token; null if none is known."),
    name: z.string().nullable().describe("Its name; null if it has none."),
    outcome: z
      .enum(["done", "begun"])
      .describe(
        "`begun` is stored before anything is changed. If it stays, the call ended before it could say what it changed.",
      ),
    changes: changesView,
  })
  .meta({ id: "AuditEntry" });

export const audit: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/audit",
    operationId: "listAuditEntries",
    summary: "Who changed what",
    description: `Newest first, one entry for each monitor, subscription or token that a call changed; calls that changed nothing are left out. Kept ${AUDIT_KEPT_DAYS} days. A page may be short or empty and still have a \`nextCursor\`.`,
    scope: "admin",
    query: z.strictObject({
      monitor: z.string().min(1).max(200).optional().describe("Id of a monitor, subscription or token."),
      token: z.string().min(1).max(100).optional().describe("Id of the token that made the change."),
      operation: z.string().min(1).max(100).optional().describe("`operationId` of the call."),
      ...rangeFields(`${AUDIT_KEPT_DAYS} days`),
      ...page,
    }),
    responses: { 200: { description: "A page of changes, newest first.", schema: pageOf(auditEntry) } },
    handle: async ({ query: { monitor: resource, token, operation, from, to, limit, cursor } }, deps) => {
      const now = deps.now();
      const range = readRange({ from, to }, now, AUDIT_KEPT_DAYS * DAY_SECONDS);
      const filter = { resource, token, operation };
      const question = JSON.stringify(["audit", filter, from, to]);
      const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
      // A range that ends now includes this second.
      const span = { from: iso(range.from), to: iso(to === undefined ? range.to + 60 : range.to) };
      const after = cursor === undefined ? undefined : decodeCursor(cursor, question);
      const { items, next } = await deps.audit.list({ ...filter, ...span }, limit, now, after);
      return { body: { items, nextCursor: next && encodeCursor(next, question) } };
    },
  }),
];
