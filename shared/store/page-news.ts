/** Posts news into the mailboxes of the status pages that it is about; `deliver` passes it on to their subscribers. */
import type { Timestamp } from "../model.ts";
import { type NewsMonitor, newsAlert, type PageNews, pageReceiver, publicNameOf } from "../status-page/news.ts";
import type { MailboxStore } from "./mailbox.ts";
import type { StatusPage, StatusPageStore } from "./status-pages.ts";

interface News {
  /** What makes it the same news when it is posted again. */
  readonly id: string;
  /** When it became true; the same when it is posted again. */
  readonly at: Timestamp;
  readonly content: PageNews;
}

export const createPageNews = (
  pages: Pick<StatusPageStore, "all">,
  mailbox: Pick<MailboxStore, "post">,
  now: () => Date,
) => {
  const post = ({ id: pageId }: Pick<StatusPage, "id">, { id, at, content }: News) =>
    mailbox.post(
      { receiver: pageReceiver(pageId), alert: newsAlert(id, at, content), createdAt: at, sequence: 0 },
      now(),
    );
  return {
    /** Of one page alone. */
    ofPage: post,

    /** Of all pages that show a monitor. Posted again, it is told once. */
    async ofMonitor(monitor: NewsMonitor, news: News): Promise<void> {
      for (const page of await pages.all()) if (publicNameOf(page, monitor) !== undefined) await post(page, news);
    },
  };
};
export type PageNewsStore = ReturnType<typeof createPageNews>;
