/** Routes `/v1/status-pages`: create, list, read, change and delete public status pages; links to private ones. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { show } from "../../../../shared/issues.ts";
import { inParallel } from "../../../../shared/parallel.ts";
import { hashPassword, LINK_SECONDS, signAccess } from "../../../../shared/status-page/access.ts";
import type { StatusPage } from "../../../../shared/store/status-pages.ts";
import { editKept, etagOfKept, existingKept, ifMatchHeader } from "../../alerting/kept.ts";
import type { Deps } from "../../deps.ts";
import { parse } from "../../http/input.ts";
import { mergePatch } from "../../http/merge-patch.ts";
import { Problem } from "../../http/problem.ts";
import { moment, pageOf } from "../../http/representations.ts";
import { type Reply, type Route, route } from "../../http/route.ts";
import { changeOfKept } from "../../monitors/changes.ts";
import {
  auditedOf,
  monitorIdsOf,
  type PageInput,
  pageInput,
  pagePatch,
  pageView,
  presentPage,
  readPage,
  settingsOf,
} from "../page.ts";

const DELETES_AT_ONCE = 16;
/** A request for an unknown address reads all of them. */
const MOST_PAGES = 100;

const one = {
  description: "The page; its `ETag` is for `If-Match`.",
  schema: pageView,
  headers: ["etag"],
} as const;
const answer = (page: StatusPage, status = 200, headers: Record<string, string> = {}): Reply => ({
  status,
  body: presentPage(page),
  headers: { etag: etagOfKept(page), ...headers },
});
export const existingPage = ({ pages }: Pick<Deps, "pages">, id: string) => existingKept(pages, id, "status page");

const knownMonitors = async ({ monitors }: Deps, named: Pick<PageInput, "groups">): Promise<Set<string>> =>
  new Set((await monitors.getMany(monitorIdsOf(named))).keys());

/** @throws Problem `already-exists` */
function refuseTaken(all: readonly StatusPage[], slug: string, id?: string): void {
  const same = all.find((page) => page.slug === slug && page.id !== id);
  if (same) throw new Problem("already-exists", `there is a status page at ${show(slug)} already: ${same.id}`);
}

const secretsOf = (password: string | null | undefined, before: StatusPage["password"]) => {
  if (password === undefined) return before;
  return password === null ? null : hashPassword(password);
};

const createPage = route({
  method: "POST",
  path: "/v1/status-pages",
  operationId: "createStatusPage",
  summary: "Create a status page",
  description: "It is there at once, at `path`. What it says may be half a minute old.",
  scope: "write",
  body: pageInput,
  sentBack: pageView,
  responses: { 201: { ...one, description: "Created, at `Location`.", headers: ["etag", "location"] } },
  problems: ["already-exists"],
  handle: async ({ body, record }, deps) => {
    const settings = readPage(body, await knownMonitors(deps, body));
    const all = await deps.pages.all();
    refuseTaken(all, settings.slug);
    if (all.length >= MOST_PAGES)
      throw new Problem("already-exists", `there are ${MOST_PAGES} status pages, which is the most: delete one first`);
    const at = deps.now().toISOString();
    const page: StatusPage = {
      id: randomBytes(10).toString("hex"),
      ...settings,
      password: secretsOf(body.password, null),
      secret: randomBytes(32).toString("base64url"),
      revision: 1,
      createdAt: at,
      updatedAt: at,
    };
    await deps.pages.create(page);
    await record(changeOfKept({ id: page.id, name: page.title }, null, auditedOf(page)));
    return answer(page, 201, { location: `/v1/status-pages/${page.id}` });
  },
});

const listPages = route({
  method: "GET",
  path: "/v1/status-pages",
  operationId: "listStatusPages",
  summary: "List status pages",
  description: `All of them, by title; there are at most ${MOST_PAGES}.`,
  scope: "read",
  responses: { 200: { description: "The pages.", schema: pageOf(pageView) } },
  handle: async (_call, { pages }) => {
    const all = (await pages.all()).toSorted((a, b) => a.title.localeCompare(b.title, "en"));
    return { body: { items: all.map(presentPage), nextCursor: null } };
  },
});

const getPage = route({
  method: "GET",
  path: "/v1/status-pages/{id}",
  operationId: "getStatusPage",
  summary: "Read a status page's settings",
  scope: "read",
  responses: { 200: one },
  handle: async ({ params }, deps) => answer(await existingPage(deps, params.id ?? "")),
});

const updatePage = route({
  method: "PATCH",
  path: "/v1/status-pages/{id}",
  operationId: "updateStatusPage",
  summary: "Change a status page",
  description:
    "Merges (RFC 7396); `groups` and `links` are replaced as a whole. A new password logs out whoever used the old one.",
  scope: "write",
  body: pagePatch,
  sentBack: pageView,
  checksBody: true,
  contentTypes: ["application/merge-patch+json", "application/json"],
  headers: ifMatchHeader,
  responses: { 200: one },
  problems: ["already-exists"],
  handle: async (call, deps) => {
    const after = await editKept("status page", call, existingPage(deps, call.params.id ?? ""), async (before) => {
      const { password } = parse(pagePatch, call.body) as Pick<PageInput, "password">;
      const { password: _sent, ...patch } = call.body as Record<string, unknown>;
      const input: PageInput = parse(pageInput, mergePatch(settingsOf(before), patch));
      const known = await knownMonitors(deps, input);
      for (const id of monitorIdsOf(before)) known.add(id);
      const settings = readPage(input, known);
      refuseTaken(await deps.pages.all(), settings.slug, before.id);
      const kept: StatusPage = {
        ...before,
        ...settings,
        password: secretsOf(password, before.password),
        revision: before.revision + 1,
        updatedAt: deps.now().toISOString(),
      };
      const named = { id: kept.id, name: kept.title };
      const changes = changeOfKept(named, auditedOf(before), auditedOf(kept));
      return { kept, changes, store: () => deps.pages.update(before, kept) };
    });
    return answer(after);
  },
});

const deletePage = route({
  method: "DELETE",
  path: "/v1/status-pages/{id}",
  operationId: "deleteStatusPage",
  summary: "Delete a status page",
  description:
    "With its notices and subscribers. Its address answers 404 within 15 seconds, and may be taken by another page.",
  scope: "write",
  headers: ifMatchHeader,
  responses: { 204: { description: "Deleted." } },
  handle: async (call, deps) => {
    const page = await editKept("status page", call, existingPage(deps, call.params.id ?? ""), async (before) => ({
      kept: before,
      changes: changeOfKept({ id: before.id, name: before.title }, auditedOf(before), null),
      store: () => deps.pages.remove(before),
    }));
    const notices = deps.pages.notices(page.id);
    for (const notice of await notices.all()) await notices.remove(notice);
    const subscribers = deps.pages.subscribers(page.id);
    await inParallel(await subscribers.all(), DELETES_AT_ONCE, async (one) => void (await subscribers.remove(one)));
    return { status: 204 };
  },
});

const createLink = route({
  method: "POST",
  path: "/v1/status-pages/{id}/links",
  operationId: "createStatusPageLink",
  summary: "Make a link that opens a private status page without its password",
  description: `For whoever may read monitors anyway. It can be followed for ${LINK_SECONDS / 60} minutes, and the browser then sees the page for 12 hours.`,
  scope: "read",
  responses: {
    201: {
      description: "The link.",
      schema: z
        .object({
          path: z
            .string()
            .meta({ description: "Path of the address.", example: "/status/shop?access=1795341600000.3fX…" }),
          expiresAt: moment.describe("Until when it can be followed."),
        })
        .meta({ id: "StatusPageAccess", description: "A link to a private status page." }),
    },
  },
  handle: async ({ params, token }, deps) => {
    const page = await existingPage(deps, params.id ?? "");
    if (token?.monitorTags)
      throw new Problem(
        "missing-scope",
        "the token is limited to monitors with certain tags: the page may show others",
      );
    const untilMs = deps.now().getTime() + LINK_SECONDS * 1000;
    return {
      status: 201,
      body: {
        path: `/status/${page.slug}?access=${signAccess(page, "link", untilMs)}`,
        expiresAt: new Date(untilMs).toISOString(),
      },
    };
  },
});

/** How long a preview can be looked at. */
const PREVIEW_SECONDS = 600;

const createPreview = route({
  method: "POST",
  path: "/v1/status-pages/preview",
  operationId: "createStatusPagePreview",
  summary: "See a status page before it is saved",
  description: `Shows the real page, with these settings and the present data, at \`path\` for ${PREVIEW_SECONDS / 60} minutes; nobody can guess the address. The dashboard may show it in a frame.`,
  scope: "write",
  body: pageInput,
  sentBack: pageView,
  responses: {
    201: {
      description: "Where it is.",
      schema: z
        .object({
          path: z
            .string()
            .meta({ description: "Path of the address.", example: "/status/preview-0123456789abcdef0123456789abcdef" }),
          expiresAt: moment.describe("Until when it is there."),
        })
        .meta({ id: "StatusPagePreview", description: "A status page that is not saved." }),
    },
  },
  handle: async ({ body, record }, deps) => {
    const settings = readPage(body, await knownMonitors(deps, body));
    const id = randomBytes(16).toString("hex");
    const at = deps.now().toISOString();
    const expiresAtSeconds = Math.floor(deps.now().getTime() / 1000) + PREVIEW_SECONDS;
    const slug = `preview-${id}`;
    const page = { id, ...settings, slug, visibility: "unlisted", password: null, secret: "", revision: 1 } as const;
    await deps.pages.putPreview({ ...page, createdAt: at, updatedAt: at }, expiresAtSeconds);
    await record([]);
    return {
      status: 201,
      body: { path: `/status/${slug}`, expiresAt: new Date(expiresAtSeconds * 1000).toISOString() },
    };
  },
});

export const statusPages: readonly Route[] = [
  createPage,
  createPreview,
  listPages,
  getPage,
  updatePage,
  deletePage,
  createLink,
];
