/** Routes `/v1/status-pages/{id}/notices`: what people announce on a status page. */
import { randomBytes } from "node:crypto";
import { show } from "../../../../shared/issues.ts";
import type { PageNotice, StatusPage } from "../../../../shared/store/status-pages.ts";
import { editKept } from "../../alerting/kept.ts";
import type { Deps } from "../../deps.ts";
import type { Change } from "../../http/audit.ts";
import { parse } from "../../http/input.ts";
import { mergePatch } from "../../http/merge-patch.ts";
import { Problem } from "../../http/problem.ts";
import { pageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { changeOfKept } from "../../monitors/changes.ts";
import { noticeInput, noticePatch, noticeSettings, noticeView, presentNotice, readNotice } from "../notice.ts";
import { existingPage } from "./status-pages.ts";

/** All of them are read whenever the page is made. */
const MOST_NOTICES = 100;
const WHAT = "notice";

/** For the audit log of the page. */
const changeOf = (page: StatusPage, id: string, before: PageNotice | null, after: PageNotice | null): Change[] => {
  const side = (notice: PageNotice | null) => ({ notices: { [id]: notice && noticeSettings(notice) } });
  return changeOfKept({ id: page.id, name: page.title }, side(before), side(after));
};

async function existingNotice({ pages }: Deps, pageId: string, id: string): Promise<PageNotice> {
  const notice = await pages.notices(pageId).get(id);
  if (!notice) throw new Problem("not-found", `there is no notice ${show(id)} on this page`);
  return notice;
}

const createNotice = route({
  method: "POST",
  path: "/v1/status-pages/{id}/notices",
  operationId: "createStatusPageNotice",
  summary: "Write a notice on a status page",
  description: `It is shown before, while and after it lasts. A page has at most ${MOST_NOTICES}. Its subscribers are told, but of one that is over.`,
  scope: "write",
  body: noticeInput,
  sentBack: noticeView,
  responses: { 201: { description: "The notice.", schema: noticeView } },
  problems: ["already-exists"],
  handle: async ({ params, body, record }, deps) => {
    const page = await existingPage(deps, params.id ?? "");
    const notices = deps.pages.notices(page.id);
    if ((await notices.all()).length >= MOST_NOTICES)
      throw new Problem("already-exists", `the page has ${MOST_NOTICES} notices, which is the most: delete one first`);
    const at = deps.now().toISOString();
    const notice: PageNotice = {
      id: randomBytes(10).toString("hex"),
      ...readNotice(body, deps.now()),
      revision: 1,
      createdAt: at,
      updatedAt: at,
    };
    await notices.create(notice);
    const isOver = notice.endsAt !== null && notice.endsAt <= at;
    if (!isOver) {
      const content = { kind: "notice", notice: noticeSettings(notice) } as const;
      await deps.pageNews.ofPage(page, { id: `notice.${notice.id}`, at, content });
    }
    await record(changeOf(page, notice.id, null, notice));
    return { status: 201, body: presentNotice(notice) };
  },
});

const listNotices = route({
  method: "GET",
  path: "/v1/status-pages/{id}/notices",
  operationId: "listStatusPageNotices",
  summary: "List the notices of a status page",
  description: "All of them, the latest first.",
  scope: "read",
  responses: { 200: { description: "The notices.", schema: pageOf(noticeView) } },
  handle: async ({ params }, deps) => {
    const page = await existingPage(deps, params.id ?? "");
    const all = (await deps.pages.notices(page.id).all()).toSorted((a, b) => b.startsAt.localeCompare(a.startsAt));
    return { body: { items: all.map(presentNotice), nextCursor: null } };
  },
});

const updateNotice = route({
  method: "PATCH",
  path: "/v1/status-pages/{id}/notices/{noticeId}",
  operationId: "updateStatusPageNotice",
  summary: "Change a notice",
  description: "Merges (RFC 7396). To end it now, send the present time as `endsAt`.",
  scope: "write",
  body: noticePatch,
  sentBack: noticeView,
  checksBody: true,
  contentTypes: ["application/merge-patch+json", "application/json"],
  responses: { 200: { description: "The notice.", schema: noticeView } },
  problems: ["changed-meanwhile"],
  handle: async (call, deps) => {
    const page = await existingPage(deps, call.params.id ?? "");
    const found = existingNotice(deps, page.id, call.params.noticeId ?? "");
    const after = await editKept(WHAT, call, found, async (before) => {
      parse(noticePatch, call.body);
      const input = parse(noticeInput, mergePatch(noticeSettings(before), call.body));
      const kept: PageNotice = {
        ...before,
        ...readNotice({ ...input, startsAt: input.startsAt ?? before.startsAt }, deps.now()),
        revision: before.revision + 1,
        updatedAt: deps.now().toISOString(),
      };
      const changes = changeOf(page, kept.id, before, kept);
      return { kept, changes, store: () => deps.pages.notices(page.id).update(before, kept) };
    });
    return { body: presentNotice(after) };
  },
});

const deleteNotice = route({
  method: "DELETE",
  path: "/v1/status-pages/{id}/notices/{noticeId}",
  operationId: "deleteStatusPageNotice",
  summary: "Delete a notice",
  description: "It disappears from the history of the page too.",
  scope: "write",
  responses: { 204: { description: "Deleted." } },
  problems: ["changed-meanwhile"],
  handle: async (call, deps) => {
    const page = await existingPage(deps, call.params.id ?? "");
    const found = existingNotice(deps, page.id, call.params.noticeId ?? "");
    await editKept(WHAT, call, found, async (before) => ({
      kept: before,
      changes: changeOf(page, before.id, before, null),
      store: () => deps.pages.notices(page.id).remove(before),
    }));
    return { status: 204 };
  },
});

export const pageNotices: readonly Route[] = [createNotice, listNotices, updateNotice, deleteNotice];
