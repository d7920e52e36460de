/** Notices on status pages as callers send and see them. */
import { z } from "zod";
import { InvalidInput } from "../../../shared/errors.ts";
import { fields, instant, oneOf, paragraphs, text } from "../../../shared/schema.ts";
import { NOTICE_KINDS, type PageNotice } from "../../../shared/store/status-pages.ts";
import { moment } from "../http/representations.ts";

const settings = {
  kind: oneOf(NOTICE_KINDS)
    .meta({ id: "NoticeKind", description: "What a notice is about." })
    .default("information")
    .describe("A `problem` counts for the sentence on top of the page while it lasts.")
    .meta({ examples: ["maintenance"] }),
  title: text(200, "a title").meta({ description: "Headline.", example: "Payments by card will pause on Sunday" }),
  text: paragraphs(4_000)
    .nullable()
    .default(null)
    .describe("What there is to say.")
    .meta({ examples: [null] }),
  startsAt: instant()
    .optional()
    .meta({ description: "From when on it is so. Default now.", example: "2026-12-06T02:00:00.000Z" }),
  endsAt: instant()
    .nullable()
    .default(null)
    .describe("Until when. Null: until somebody ends it.")
    .meta({ examples: ["2026-12-06T04:00:00.000Z"] }),
};

export const noticeInput = fields(settings).meta({
  id: "StatusPageNoticeInput",
  description: "A notice to write on a status page.",
  example: { title: "Payments by card will pause on Sunday", kind: "maintenance" },
});
export const noticePatch = fields(
  Object.fromEntries(
    Object.entries(settings).map(([name, schema]) => [
      name,
      z
        .union([schema, z.null()])
        .optional()
        .describe(schema.description ?? ""),
    ]),
  ),
).meta({
  id: "StatusPageNoticePatch",
  description: "Merged into the notice (RFC 7396).",
  example: { text: "It took less time than we thought." },
});

export const noticeView = z
  .object({
    id: z.string().meta({ description: "Id.", example: "0a1b2c3d4e5f6a7b8c9d" }),
    ...settings,
    startsAt: moment.describe("From when on it is so."),
    createdAt: moment.describe("When it was written."),
    updatedAt: moment.describe("When it last changed."),
  })
  .meta({ id: "StatusPageNotice", description: "Something that no monitor tells." });

export const presentNotice = ({ revision: _revision, ...notice }: PageNotice) => notice;

export const noticeSettings = ({ kind, title, text, startsAt, endsAt }: PageNotice) => ({
  ...{ kind, title, text, startsAt, endsAt },
});

/** @throws InvalidInput */
export function readNotice({ startsAt, ...input }: z.output<typeof noticeInput>, now: Date) {
  const from = startsAt ?? now.toISOString();
  if (input.endsAt !== null && input.endsAt <= from)
    throw new InvalidInput([{ path: "endsAt", message: `must be after startsAt, ${from}` }]);
  return { ...input, startsAt: from };
}
