import { expect, test } from "vitest";
import { mergePatch } from "../../../functions/web/page/parts/merge-patch.ts";
import {
  bodyOfPage,
  contentInWords,
  draftOfPage,
  type GroupDraft,
  moved,
  movedEntry,
  type StatusPage,
} from "../../../functions/web/page/status-pages/page.ts";

const PAGE: StatusPage = {
  ...{ id: "p", slug: "a-secret-address-of-a-page", title: "Shop", description: null, logo: null },
  ...{ accentColor: "#0a7d55", showLatency: false, showPercent: true, days: 30, timeZone: "UTC", language: "de" },
  ...{ visibility: "unlisted", embed: false, hasPassword: true, path: "/status/x", updatedAt: "" },
  groups: [
    { name: "Services", text: null, entries: [{ monitorId: "m1", name: "Payment", text: "Cards" }] },
    { name: null, text: "All", entries: [{ tags: { public: "yes" } }] },
  ],
  links: [{ label: "Help", url: "https://example.com" }],
};

test("a page that nobody changed in the form makes no change; only what was changed is sent", () => {
  const draft = draftOfPage(PAGE);
  const { id: _id, hasPassword: _has, path: _path, updatedAt: _at, ...settings } = PAGE;
  expect(bodyOfPage(draft)).toEqual(settings);
  const patchOf = (more: Partial<typeof draft>) => mergePatch(bodyOfPage(draft), bodyOfPage({ ...draft, ...more }));
  expect(patchOf({})).toBeUndefined();
  expect(patchOf({ slug: "" })).toEqual({ slug: null });
  expect(patchOf({ visibility: "private", password: "correct horse" })).toEqual({
    visibility: "private",
    password: "correct horse",
  });
  // A password that was typed before another visibility was chosen is none of the page's.
  expect(patchOf({ password: "correct horse" })).toBeUndefined();
  expect(patchOf({ isPasswordRemoved: true })).toEqual({ password: null });
});

test.each([
  [PAGE.groups, "1 monitor, and those with public=yes"],
  [[], "0 monitors"],
  [[PAGE.groups[0]!, PAGE.groups[0]!], "1 monitor"],
  [[PAGE.groups[1]!], "those with public=yes"],
])("what %j shows, in words", (groups, words) => {
  expect(contentInWords({ groups })).toBe(words);
});

test("an item moves by one place, and stays at the ends", () => {
  expect(moved(["a", "b", "c"], 1, 1)).toEqual(["a", "c", "b"]);
  expect(moved(["a", "b", "c"], 1, -1)).toEqual(["b", "a", "c"]);
  expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
  expect(moved(["a", "b"], 1, 1)).toEqual(["a", "b"]);
});

test("an entry goes on into the next group from the end of its own, and into the one before from its beginning", () => {
  const entry = (name: string) => ({ key: name.charCodeAt(0), monitorId: name, name, tags: "", text: "" });
  const group = (...names: string[]): GroupDraft => ({ key: 0, name: "", text: "", entries: names.map(entry) });
  const namesOf = (groups: readonly GroupDraft[]) =>
    groups.map(({ entries }) => entries.map(({ name }) => name).join(""));
  const groups = [group("a", "b"), group("c")];
  expect(namesOf(movedEntry(groups, 0, 0, 1))).toEqual(["ba", "c"]);
  expect(namesOf(movedEntry(groups, 0, 1, 1))).toEqual(["a", "bc"]);
  expect(namesOf(movedEntry(groups, 1, 0, -1))).toEqual(["abc", ""]);
  expect(namesOf(movedEntry(groups, 0, 0, -1))).toEqual(["ab", "c"]);
  expect(namesOf(movedEntry(groups, 1, 0, 1))).toEqual(["ab", "c"]);
});
