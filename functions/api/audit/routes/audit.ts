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
    id: z.string().meta({ description: "Id of the entry.", example: "2026-11-22T10:00:00.000Z#f2000d5e-5ed5#0" }),
    at: moment.describe("When the call began."),
    requestId: z
      .string()
      .meta({ description: "Id of the call; changes of one call share it.", example: "f2000d5e-5ed5-4d6c" }),
    by: author.nullable().describe("Token that made the call; null: a command with AWS credentials."),
    operation: z.string().meta({ description: "`operationId` of the call.", example: "updateMonitor" }),
    resource: z.string().nullable().meta({
      description: "Id of what was changed: a monitor, channel, policy, token …; null if none is known.",
      example: "7ca139c8bbaa9b19b116",
    }),
    name: z.string().nullable().meta({ description: "Its name; null if it has none.", example: "Orders" }),
    outcome: z.enum(["done", "begun"]).meta({
      id: "AuditOutcome",
      description:
        "`begun` is stored before anything is changed. If it stays, the call ended before it could say what it changed.",
      example: "done",
    }),
    changes: changesView,
  })
  .meta({
    id: "AuditEntry",
    description: "What a call changed of one monitor, channel, policy, token or other thing.",
  });

export const audit: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/audit",
    operationId: "listAuditEntries",
    summary: "Who changed what",
    description: `Newest first, one entry for each monitor, channel, policy, token or other thing that a call changed; calls that changed nothing are left out. Kept ${AUDIT_KEPT_DAYS} days. A page may be short or empty and still have a \`nextCursor\`.`,
    scope: "admin",
    query: z.strictObject({
      monitor: z.string().min(1).max(200).optional().meta({
        description: "Id of what was changed: a monitor, channel, policy, token or other thing.",
        example: "7ca139c8bbaa9b19b116",
      }),
      token: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .meta({ description: "Id of the token that made the change.", example: "a1b2c3d4e5f6a7b8c9d0" }),
      operation: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .meta({ description: "`operationId` of the call.", example: "updateMonitor" }),
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
