/** Public status pages: what each shows, who sees it, and who gets mail about it. */
import { useEffect, useState } from "preact/hooks";
import { getAll } from "../api.ts";
import { useLoaded } from "../live.ts";
import { Delete } from "../parts/delete.tsx";
import { Empty } from "../parts/empty.tsx";
import { Loading } from "../parts/loading.tsx";
import { Failed } from "../parts/notice.tsx";
import { mayWrite } from "../session.ts";
import { plural } from "../words.ts";
import { contentInWords, type StatusPage, type Subscriber, VISIBILITY_WORDS } from "./page.ts";
import { Visit } from "./visit.tsx";

const POLL_MS = 60_000;

/** How many get mail, by the id of a page: counted once, one page after the other, because each has a list of its own. */
const useSubscriberCounts = (pages: readonly StatusPage[] | null): ReadonlyMap<string, number> => {
  const [counts, setCounts] = useState<ReadonlyMap<string, number>>(new Map());
  const ids = pages?.map(({ id }) => id).join(" ") ?? "";
  useEffect(() => {
    let isWanted = mayWrite.peek();
    const count = async () => {
      for (const id of ids.split(" ").filter(Boolean)) {
        if (!isWanted) return;
        const all = await getAll<Subscriber>(`/v1/status-pages/${id}/subscribers`, { isPoll: true });
        setCounts((before) => new Map(before).set(id, all.filter(({ confirmedAt }) => confirmedAt !== null).length));
      }
    };
    // Without an answer the list still says what it is for.
    void count().catch(() => {});
    return () => {
      isWanted = false;
    };
  }, [ids]);
  return counts;
};

interface RowProps {
  readonly page: StatusPage;
  readonly subscribers: number | undefined;
  readonly changed: () => void;
}

const Row = ({ page, subscribers, changed }: RowProps) => (
  <tr>
    <td>
      <a href={`/status-pages/${page.id}${mayWrite.value ? "" : "/notices"}`} dir="auto">
        {page.title}
      </a>
      <div class="dim small wrapped">{page.path}</div>
    </td>
    <td data-label="Seen">{VISIBILITY_WORDS[page.visibility]}</td>
    <td data-label="Shows" dir="auto">
      {contentInWords(page)}
    </td>
    {mayWrite.value && (
      <td data-label="Mail">
        {subscribers !== undefined && (
          <a href={`/status-pages/${page.id}/subscribers`}>{plural(subscribers, "subscriber")}</a>
        )}
      </td>
    )}
    <td>
      <div class="actions">
        <Visit page={page} />
        {mayWrite.value && (
          <a class="button" href={`/status-pages/${page.id}`} aria-label={`Edit ${page.title}`}>
            Edit
          </a>
        )}
        <a class="button" href={`/status-pages/${page.id}/notices`} aria-label={`Notices on ${page.title}`}>
          Notices
        </a>
        {mayWrite.value && (
          <Delete path={`/v1/status-pages/${page.id}`} name={page.title} done={changed}>
            <p>
              Its address answers that there is nothing. Its notices and subscribers are deleted with it; monitors stay.
            </p>
          </Delete>
        )}
      </div>
    </td>
  </tr>
);

export const StatusPagesPage = () => {
  const {
    answer: found,
    failure,
    refresh,
  } = useLoaded((isPoll) => getAll<StatusPage>("/v1/status-pages", { isPoll }), POLL_MS);
  const counts = useSubscriberCounts(found);
  return (
    <main id="main">
      <div class="top">
        <h1 tabIndex={-1}>Status pages</h1>
        {mayWrite.value && (
          <a class="button primary end" href="/status-pages/new">
            New status page
          </a>
        )}
      </div>
      <p class="dim">
        What your users see of your services, under names of their own, without addresses and error messages.
      </p>
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {!found && failure === null && <Loading />}
      {found?.length === 0 && (
        <Empty title="No status pages.">
          <p>A status page tells your users how services are, so that they need not ask.</p>
          {mayWrite.value && (
            <p>
              <a href="/status-pages/new">Make the first one</a>
            </p>
          )}
        </Empty>
      )}
      {found && found.length > 0 && (
        <table class="managed" aria-label="Status pages">
          <thead>
            <tr>
              <th scope="col">Page</th>
              <th scope="col">Seen</th>
              <th scope="col">Shows</th>
              {mayWrite.value && <th scope="col">Mail</th>}
              <th scope="col">What can be done</th>
            </tr>
          </thead>
          <tbody>
            {found.map((page) => (
              <Row key={page.id} page={page} subscribers={counts.get(page.id)} changed={refresh} />
            ))}
          </tbody>
        </table>
      )}
    </main>
  );
};
