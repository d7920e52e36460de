/** Public status pages: their settings, and the notices that people write on them. */
import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Timestamp } from "../model.ts";
import { unlessRaced } from "./condition.ts";
import { createKeptStore, type Kept } from "./kept.ts";
import {
  PAGE_NOTICE_PREFIX,
  PAGES_PK,
  pagePartition,
  pagePreviewKey,
  pageSubscribersPartition,
  pageTriesKey,
} from "./keys.ts";

export const LANGUAGES = ["en", "de", "fr", "es", "ja"] as const;
export type Language = (typeof LANGUAGES)[number];
/** `unlisted` pages are found by their address alone, `private` ones ask for a password. */
export const VISIBILITIES = ["public", "unlisted", "private"] as const;

/** One monitor under a public name, or all monitors that have the tags, each under its own name. */
export interface PageEntry {
  readonly monitorId?: string | undefined;
  readonly name?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly text?: string | undefined;
}

export interface PageGroup {
  /** Null for entries without a heading. */
  readonly name: string | null;
  readonly text: string | null;
  readonly entries: readonly PageEntry[];
}

export interface PageSettings {
  /** Name in the address: `/status/<slug>`. */
  readonly slug: string;
  readonly title: string;
  readonly description: string | null;
  /** As a `data:` URL. */
  readonly logo: string | null;
  /** `#rrggbb` */
  readonly accentColor: string | null;
  readonly groups: readonly PageGroup[];
  readonly showLatency: boolean;
  readonly showPercent: boolean;
  /** How far back bars, percentages and incidents go. */
  readonly days: 30 | 90;
  readonly timeZone: string;
  readonly language: Language;
  readonly links: readonly { readonly label: string; readonly url: string }[];
  readonly visibility: (typeof VISIBILITIES)[number];
  /** Whether other sites may show it in a frame. */
  readonly embed: boolean;
}

export interface StatusPage extends PageSettings, Kept {
  /** Hash of the page's password; null without one. */
  readonly password: { readonly salt: string; readonly hash: string } | null;
  /** Signs this page's cookies and links. */
  readonly secret: string;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

export const NOTICE_KINDS = ["information", "maintenance", "problem"] as const;

/** Something that no monitor tells: an announcement, planned work, a problem that people have seen. */
export interface PageNotice extends Kept {
  readonly kind: (typeof NOTICE_KINDS)[number];
  readonly title: string;
  readonly text: string | null;
  readonly startsAt: Timestamp;
  /** Null until somebody ends it. */
  readonly endsAt: Timestamp | null;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

/** Somebody who gets mail about a page. */
export interface Subscriber extends Kept {
  /** Hash of the address. */
  readonly id: string;
  readonly address: string;
  /** Null until the link in the first mail was used. */
  readonly confirmedAt: Timestamp | null;
  readonly createdAt: Timestamp;
  /** While it is not confirmed. */
  readonly expiresAtSeconds?: number;
}

/** How often something may be tried. */
export interface Limit {
  /** Who tries what, and in which stretch of time; it becomes part of a key. */
  readonly of: string;
  readonly most: number;
  readonly expiresAtSeconds: number;
}

export const createStatusPageStore = (client: DynamoDBDocumentClient, tableName: string) => ({
  ...createKeptStore<StatusPage>(client, tableName, PAGES_PK),

  /** Keeps a page that is not saved, so that it can be looked at. */
  async putPreview(page: StatusPage, expiresAtSeconds: number): Promise<void> {
    await client.send(
      new PutCommand({ TableName: tableName, Item: { ...page, ...pagePreviewKey(page.id), expiresAtSeconds } }),
    );
  },

  async preview(id: string, now: Date): Promise<StatusPage | undefined> {
    const { Item } = await client.send(new GetCommand({ TableName: tableName, Key: pagePreviewKey(id) }));
    if (!Item || Number(Item.expiresAtSeconds) * 1000 <= now.getTime()) return undefined;
    const { pk: _pk, sk: _sk, expiresAtSeconds: _expires, ...page } = Item;
    return page as unknown as StatusPage;
  },

  /** Counts an attempt on a page. @returns false if there were as many as may be */
  admit: (pageId: string, { of, most, expiresAtSeconds }: Limit): Promise<boolean> =>
    unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: pageTriesKey(pageId, of),
          UpdateExpression: "SET expiresAtSeconds = :expires ADD tries :one",
          ConditionExpression: "attribute_not_exists(tries) OR tries < :most",
          ExpressionAttributeValues: { ":expires": expiresAtSeconds, ":one": 1, ":most": most },
        }),
      ),
    ),

  /** The subscribers of one page. */
  subscribers: (pageId: string) => createKeptStore<Subscriber>(client, tableName, pageSubscribersPartition(pageId)),

  /** The notices of one page. */
  notices: (pageId: string) =>
    createKeptStore<PageNotice>(client, tableName, pagePartition(pageId), PAGE_NOTICE_PREFIX),
});
export type StatusPageStore = ReturnType<typeof createStatusPageStore>;
