/** Status pages: what the dashboard reads of the API's answers, and the form's texts of one. Pure. */
import type { Tags } from "../model.ts";
import { tagsFrom, tagsText } from "../parts/texts.ts";
import { plural } from "../words.ts";

export type Visibility = "public" | "unlisted" | "private";
export type Language = "en" | "de" | "fr" | "es" | "ja";

interface Entry {
  readonly monitorId?: string;
  readonly name?: string;
  readonly tags?: Tags;
  readonly text?: string;
}

interface Link {
  readonly label: string;
  readonly url: string;
}

/** `GET /v1/status-pages/{id}` */
export interface StatusPage {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
  readonly description: string | null;
  readonly logo: string | null;
  readonly accentColor: string | null;
  readonly groups: readonly {
    readonly name: string | null;
    readonly text: string | null;
    readonly entries: readonly Entry[];
  }[];
  readonly showLatency: boolean;
  readonly showPercent: boolean;
  readonly days: 30 | 90;
  readonly timeZone: string;
  readonly language: Language;
  readonly links: readonly Link[];
  readonly visibility: Visibility;
  readonly embed: boolean;
  readonly hasPassword: boolean;
  readonly path: string;
  readonly updatedAt: string;
}

export const VISIBILITY_WORDS: Readonly<Record<Visibility, string>> = {
  public: "Public",
  unlisted: "By its secret address",
  private: "By password or link",
};

export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: "English",
  de: "Deutsch",
  fr: "Français",
  es: "Español",
  ja: "日本語",
};

/** `3 monitors, and those with public=yes` */
export const contentInWords = ({ groups }: Pick<StatusPage, "groups">): string => {
  const entries = groups.flatMap((group) => group.entries);
  const named = new Set(entries.flatMap(({ monitorId }) => monitorId ?? [])).size;
  const tagged = entries.flatMap(({ tags }) => (tags ? `those with ${tagsText(tags)}` : []));
  const all = [...(named > 0 || tagged.length === 0 ? [plural(named, "monitor")] : []), ...tagged];
  return all.join(", and ");
};

let made = 0;
/** Identifies a row of the form while it is moved. */
const newKey = (): number => ++made;

/** One monitor under a public name, or all monitors with some tags. */
export interface EntryDraft {
  readonly key: number;
  /** Null: those with `tags`. */
  readonly monitorId: string | null;
  readonly name: string;
  readonly tags: string;
  readonly text: string;
}

export interface GroupDraft {
  readonly key: number;
  readonly name: string;
  readonly text: string;
  readonly entries: readonly EntryDraft[];
}

export interface PageDraft {
  readonly title: string;
  readonly slug: string;
  readonly description: string;
  readonly visibility: Visibility;
  /** Empty: stays as it is. */
  readonly password: string;
  readonly isPasswordRemoved: boolean;
  readonly logo: string | null;
  readonly accentColor: string | null;
  readonly groups: readonly GroupDraft[];
  readonly showLatency: boolean;
  readonly showPercent: boolean;
  readonly days: 30 | 90;
  readonly timeZone: string;
  readonly language: Language;
  readonly links: readonly (Link & { readonly key: number })[];
  readonly embed: boolean;
}

export const entryOfMonitor = (monitorId: string, name: string): EntryDraft => ({
  ...{ key: newKey(), monitorId, name, tags: "", text: "" },
});
export const entryOfTags = (): EntryDraft => ({ key: newKey(), monitorId: null, name: "", tags: "", text: "" });
export const newGroup = (): GroupDraft => ({ key: newKey(), name: "", text: "", entries: [] });
export const newLink = () => ({ key: newKey(), label: "", url: "" });

export const emptyPage = (timeZone: string): PageDraft => ({
  title: "",
  slug: "",
  description: "",
  visibility: "public",
  password: "",
  isPasswordRemoved: false,
  logo: null,
  accentColor: null,
  groups: [newGroup()],
  showLatency: false,
  showPercent: true,
  days: 90,
  timeZone,
  language: "en",
  links: [],
  embed: false,
});

const draftOfEntry = ({ monitorId, name = "", tags, text = "" }: Entry): EntryDraft => ({
  ...{ key: newKey(), monitorId: monitorId ?? null, name, tags: tagsText(tags ?? {}), text },
});

export const draftOfPage = (page: StatusPage): PageDraft => ({
  ...emptyPage(page.timeZone),
  title: page.title,
  slug: page.slug,
  description: page.description ?? "",
  visibility: page.visibility,
  logo: page.logo,
  accentColor: page.accentColor,
  groups: page.groups.map(({ name, text, entries }) => ({
    key: newKey(),
    name: name ?? "",
    text: text ?? "",
    entries: entries.map(draftOfEntry),
  })),
  showLatency: page.showLatency,
  showPercent: page.showPercent,
  days: page.days,
  language: page.language,
  links: page.links.map((link) => ({ key: newKey(), ...link })),
  embed: page.embed,
});

const textOrNull = (text: string) => text.trim() || null;
const optional = <Name extends string>(name: Name, text: string) => (text.trim() === "" ? {} : { [name]: text.trim() });

const bodyOfEntry = ({ monitorId, name, tags, text }: EntryDraft) => ({
  ...(monitorId === null ? { tags: tagsFrom(tags) } : { monitorId, ...optional("name", name) }),
  ...optional("text", text),
});

const passwordOf = ({ visibility, password, isPasswordRemoved }: PageDraft) => {
  if (isPasswordRemoved) return { password: null };
  return visibility === "private" && password !== "" ? { password } : {};
};

/** What the API takes. Without a slug, it makes one. */
export const bodyOfPage = (draft: PageDraft) => ({
  title: draft.title.trim(),
  ...optional("slug", draft.slug),
  description: textOrNull(draft.description),
  visibility: draft.visibility,
  ...passwordOf(draft),
  logo: draft.logo,
  accentColor: draft.accentColor,
  groups: draft.groups.map(({ name, text, entries }) => ({
    name: textOrNull(name),
    text: textOrNull(text),
    entries: entries.map(bodyOfEntry),
  })),
  showLatency: draft.showLatency,
  showPercent: draft.showPercent,
  days: draft.days,
  timeZone: draft.timeZone.trim(),
  language: draft.language,
  links: draft.links.map(({ label, url }) => ({ label: label.trim(), url: url.trim() })),
  embed: draft.embed,
});

/** A list whose item at `from` has moved by one place; unchanged at its ends. */
export const moved = <Item>(items: readonly Item[], from: number, by: 1 | -1): readonly Item[] => {
  const to = from + by;
  return items[to] === undefined ? items : items.with(from, items[to]).with(to, items[from]!);
};

/** Groups after an entry has moved by one place; from the end of a group it goes on into the next one. */
export const movedEntry = (
  groups: readonly GroupDraft[],
  group: number,
  entry: number,
  by: 1 | -1,
): readonly GroupDraft[] => {
  const { entries } = groups[group]!;
  if (entries[entry + by]) return groups.with(group, { ...groups[group]!, entries: moved(entries, entry, by) });
  const neighbour = groups[group + by];
  if (!neighbour) return groups;
  const going = entries[entry]!;
  return groups.with(group, { ...groups[group]!, entries: entries.filter((one) => one !== going) }).with(group + by, {
    ...neighbour,
    entries: by === 1 ? [going, ...neighbour.entries] : [...neighbour.entries, going],
  });
};

export type NoticeKind = "information" | "maintenance" | "problem";

/** A row of `GET /v1/status-pages/{id}/notices`. */
export interface PageNotice {
  readonly id: string;
  readonly kind: NoticeKind;
  readonly title: string;
  readonly text: string | null;
  readonly startsAt: string;
  readonly endsAt: string | null;
}

/** A row of `GET /v1/status-pages/{id}/subscribers`. */
export interface Subscriber {
  readonly id: string;
  readonly address: string;
  readonly confirmedAt: string | null;
  readonly createdAt: string;
}
