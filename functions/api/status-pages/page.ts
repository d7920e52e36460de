/** Status pages as callers send and see them. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { expecting, show } from "../../../shared/issues.ts";
import { tagName, tagValue } from "../../../shared/monitor/fields.ts";
import { fields, flag, idOf, list, oneOf, paragraphs, text, timeZone } from "../../../shared/schema.ts";
import { LANGUAGES, type PageSettings, type StatusPage, VISIBILITIES } from "../../../shared/store/status-pages.ts";
import { moment } from "../http/representations.ts";
import { logo } from "./logo.ts";

const MAX_GROUPS = 50;
const MAX_ENTRIES = 100;
const MAX_LINKS = 10;
/** DynamoDB takes 400 KB; a page is read whenever it is shown. */
const MAX_PAGE_BYTES = 190_000;
/** An unlisted page is as secret as its address. */
const MIN_UNLISTED_SLUG = 16;

const entry = fields({
  monitorId: idOf("monitor").optional().meta({ description: "This monitor.", example: "7ca139c8bbaa9b19b116" }),
  name: text(100, "a name")
    .optional()
    .meta({ description: "What the public reads in place of the monitor's name. Needed with `monitorId`." }),
  tags: z
    .record(tagName, tagValue, { error: expecting('an object of names and texts, such as {"team": "orders"}') })
    .optional()
    .meta({
      description:
        "All monitors that have all of these tags, by name. It publishes their names as they are; nothing else of them.",
      example: { public: "yes" },
    }),
  text: text(300).optional().meta({ description: "A sentence below the name.", example: "Ordering and payment" }),
})
  .superRefine(({ monitorId, name, tags }, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if ((monitorId === undefined) === (tags === undefined)) wrong("monitorId", "is needed, or else tags");
    else if (tags && Object.keys(tags).length === 0) wrong("tags", "must name at least one tag");
    if (monitorId !== undefined && name === undefined) wrong("name", "is required: what the public reads");
    if (tags && name !== undefined) wrong("name", "is for one monitor: those with tags are shown by their own names");
  })
  .meta({
    id: "StatusPageEntry",
    description: "A monitor with its public name, or all monitors with certain tags.",
    example: { tags: { public: "yes" } },
  });

const group = fields({
  name: text(100, "a name")
    .nullable()
    .default(null)
    .describe("Heading; null: none.")
    .meta({ examples: ["Shop"] }),
  text: text(300)
    .nullable()
    .default(null)
    .describe("A sentence below the heading.")
    .meta({ examples: [null] }),
  entries: list(entry, MAX_ENTRIES, "entries").default([]).describe("What it shows, in this order."),
}).meta({ id: "StatusPageGroup", description: "Entries below one heading." });

const isWebAddress = (url: string) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
const link = fields({
  label: text(50, "a label").meta({ description: "What it says.", example: "Help" }),
  url: text(500, "an address")
    .refine(isWebAddress, { error: expecting("an address that begins with https:// or http://") })
    .meta({ description: "Where it leads.", example: "https://example.com/help" }),
}).meta({ id: "StatusPageLink", description: "A link at the foot of the page." });

const settings = {
  slug: z
    .string({ error: expecting("a name for the address") })
    .regex(/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/, {
      error: expecting("1 to 64 of a-z, 0-9 and hyphens, with none at the ends"),
    })
    .describe("Its address is `/status/<slug>`. Unique. Default: made of the title; random for an unlisted page.")
    .meta({ examples: ["shop"] }),
  title: text(100, "a title")
    .describe("Heading of the page.")
    .meta({ examples: ["Shop"] }),
  description: paragraphs(1_000)
    .nullable()
    .default(null)
    .describe("What it is about.")
    .meta({ examples: [null] }),
  logo: logo
    .nullable()
    .default(null)
    .describe("PNG, JPEG or WebP of at most 64 KB, as a `data:` URL in base64.")
    .meta({ examples: [null] }),
  accentColor: z
    .string({ error: expecting("a colour such as #0a5dc2") })
    .regex(/^#[0-9a-f]{6}$/i, { error: expecting("a colour such as #0a5dc2") })
    .nullable()
    .default(null)
    .describe("Colour of the line at the top, as `#rrggbb`.")
    .meta({ examples: ["#0a5dc2"] }),
  groups: list(group, MAX_GROUPS, "groups").default([]).describe("What it shows, in this order."),
  showLatency: flag()
    .default(false)
    .describe("Whether to show the latency of the newest check.")
    .meta({ examples: [false] }),
  showPercent: flag()
    .default(true)
    .describe("Whether to show the uptime in per cent.")
    .meta({ examples: [true] }),
  days: z
    .literal([30, 90], { error: expecting("30 or 90") })
    .meta({ id: "PageDays", description: "Days that a status page shows." })
    .default(90)
    .describe("How far back bars, percentages and incidents go.")
    .meta({ examples: [90] }),
  timeZone: timeZone()
    .default("UTC")
    .describe("IANA name of the zone in which times are written. Bars are days in UTC.")
    .meta({ examples: ["Europe/Berlin"] }),
  language: oneOf(LANGUAGES)
    .meta({ id: "Language", description: "Language of the fixed words." })
    .default("en")
    .describe("Language of the fixed words.")
    .meta({ examples: ["de"] }),
  links: list(link, MAX_LINKS, "links").default([]).describe("Links at the foot of the page."),
  visibility: oneOf(VISIBILITIES)
    .meta({ id: "Visibility", description: "Who sees a status page." })
    .default("public")
    .describe(
      `\`public\`; \`unlisted\`: found by its address alone, which then has at least ${MIN_UNLISTED_SLUG} characters, and not by search engines; \`private\`: for whoever knows the password, or comes by a link of \`POST …/links\`.`,
    )
    .meta({ examples: ["public"] }),
  embed: flag()
    .default(false)
    .describe("Whether other sites may show it in a frame.")
    .meta({ examples: [false] }),
};
const password = z
  .string({ error: expecting("text of 8 to 200 characters") })
  .min(8, { error: "must have at least 8 characters" })
  .max(200, { error: "must have at most 200 characters" })
  .nullable()
  .optional()
  .meta({ description: "Password of a private page; it is stored as a hash and never shown. Null: none." });

const EXAMPLE = { title: "Shop", groups: [{ name: "Services", entries: [{ tags: { public: "yes" } }] }] };

export const pageInput = fields({ ...settings, slug: settings.slug.optional(), password }).meta({
  id: "StatusPageInput",
  description: "A status page to create.",
  example: EXAMPLE,
});
export const pagePatch = fields({
  ...Object.fromEntries(
    Object.entries(settings).map(([name, schema]) => [
      name,
      z
        .union([schema, z.null()])
        .optional()
        .describe(schema.description ?? ""),
    ]),
  ),
  password,
}).meta({
  id: "StatusPagePatch",
  description: "Merged into the page (RFC 7396).",
  example: { title: "Shop and stores" },
});
export type PageInput = z.output<typeof pageInput>;

export const pageView = z
  .object({
    id: z.string().meta({ description: "Stays when the slug changes.", example: "0a1b2c3d4e5f6a7b8c9d" }),
    ...settings,
    hasPassword: z.boolean().meta({ description: "Whether it has a password.", example: false }),
    path: z.string().meta({ description: "Path of its address.", example: "/status/shop" }),
    createdAt: moment.describe("When it was created."),
    updatedAt: moment.describe("When it last changed."),
  })
  .meta({ id: "StatusPage", description: "A page that tells everybody how services are." });

export const settingsOf = ({
  slug,
  title,
  description,
  logo,
  accentColor,
  groups,
  showLatency,
  showPercent,
  days,
  timeZone,
  language,
  links,
  visibility,
  embed,
}: PageSettings): PageSettings => ({
  ...{ slug, title, description, logo, accentColor, groups, showLatency, showPercent, days, timeZone, language, links },
  ...{ visibility, embed },
});

export const presentPage = (page: StatusPage) => ({
  id: page.id,
  ...settingsOf(page),
  hasPassword: page.password !== null,
  path: `/status/${page.slug}`,
  createdAt: page.createdAt,
  updatedAt: page.updatedAt,
});

/** For the audit log, which need not repeat a picture. */
export const auditedOf = (page: StatusPage) => ({
  ...settingsOf(page),
  logo: page.logo === null ? null : `${page.logo.length} characters`,
  password: page.password?.hash.slice(0, 8) ?? null,
});

const random = () => randomBytes(16).toString("hex");

/** "Große Shops & Co." becomes `gro-e-shops-co`; a title without Latin letters gives a random one. */
const slugOf = (title: string) =>
  title
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 60)
    .replace(/^-|-$/g, "") || random();

/** What a page's fields do not tell of each other. @param known ids of the monitors that exist */
function errorsIn(page: PageSettings, known: ReadonlySet<string>): FieldError[] {
  const errors = page.groups.flatMap(({ entries }, group) =>
    entries.flatMap(({ monitorId }, place) =>
      monitorId === undefined || known.has(monitorId)
        ? []
        : [{ path: `groups[${group}].entries[${place}].monitorId`, message: `there is no monitor ${show(monitorId)}` }],
    ),
  );
  if (page.visibility === "unlisted" && page.slug.length < MIN_UNLISTED_SLUG)
    errors.push({
      path: "slug",
      message: `must have at least ${MIN_UNLISTED_SLUG} characters for an unlisted page, so that nobody guesses it; leave it out for a random one`,
    });
  const bytes = Buffer.byteLength(JSON.stringify(page));
  if (bytes > MAX_PAGE_BYTES)
    errors.push({ path: "", message: `must be at most ${MAX_PAGE_BYTES} bytes in all, got ${bytes}` });
  return errors;
}

/** Ids of the monitors that a page names, each once: it may show one in several groups. */
export const monitorIdsOf = ({ groups }: Pick<PageSettings, "groups">): string[] => [
  ...new Set(groups.flatMap(({ entries }) => entries.flatMap(({ monitorId }) => monitorId ?? []))),
];

/**
 * Completes the settings of a page.
 * @param known ids of monitors that exist, or that the page had before: deleted ones disturb no other change
 * @throws InvalidInput
 */
export function readPage({ password: _password, ...input }: PageInput, known: ReadonlySet<string>): PageSettings {
  const slug = input.slug ?? (input.visibility === "unlisted" ? random() : slugOf(input.title));
  const page = settingsOf({ ...input, slug });
  const errors = errorsIn(page, known);
  if (errors.length > 0) throw new InvalidInput(errors);
  return page;
}
