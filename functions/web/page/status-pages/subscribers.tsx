/** Who gets mail about a status page. */
import { useState } from "preact/hooks";
import { get, getAll } from "../api.ts";
import { useTitle } from "../frame.tsx";
import { useLoaded } from "../live.ts";
import { Delete } from "../parts/delete.tsx";
import { Empty } from "../parts/empty.tsx";
import { TextField } from "../parts/field.tsx";
import { Loading } from "../parts/loading.tsx";
import { Failed, Permitted } from "../parts/notice.tsx";
import { Ago } from "../parts/time.tsx";
import { plural } from "../words.ts";
import type { StatusPage, Subscriber } from "./page.ts";
import { PageNav } from "./visit.tsx";

const POLL_MS = 60_000;
const MOST_SHOWN = 200;

const Subscribers = ({ id }: { readonly id: string }) => {
  const [wanted, setWanted] = useState("");
  const {
    answer: found,
    failure,
    refresh,
  } = useLoaded(
    async (isPoll) => {
      const [page, all] = await Promise.all([
        get<StatusPage>(`/v1/status-pages/${id}`, { isPoll }),
        getAll<Subscriber>(`/v1/status-pages/${id}/subscribers`, { isPoll }),
      ]);
      return { page, all };
    },
    POLL_MS,
    [id],
  );
  useTitle(found ? `Subscribers of ${found.page.title}` : "Subscribers");
  const matches = found?.all.filter(({ address }) => address.toLowerCase().includes(wanted.trim().toLowerCase())) ?? [];
  return (
    <>
      {found && (
        <p>
          They get mail about <strong dir="auto">{found.page.title}</strong>.
        </p>
      )}
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {!found && failure === null && <Loading />}
      {found?.all.length === 0 && (
        <Empty title="No subscribers.">
          <p>
            People subscribe{" "}
            <a href={found.page.path} target="_blank" rel="noopener">
              on the page
            </a>{" "}
            itself, where this deployment can send mail. They hear of incidents, public notes and notices.
          </p>
        </Empty>
      )}
      {found && found.all.length > 0 && (
        <>
          <div class="short">
            <TextField
              id="wanted"
              label="Find an address"
              help={plural(matches.length, "subscriber")}
              input={{ type: "search" }}
              value={wanted}
              change={setWanted}
            />
          </div>
          <table class="managed" aria-label="Subscribers">
            <thead>
              <tr>
                <th scope="col">Address</th>
                <th scope="col">Gets mail</th>
                <th scope="col">Subscribed</th>
                <th scope="col">What can be done</th>
              </tr>
            </thead>
            <tbody>
              {matches.slice(0, MOST_SHOWN).map((one) => (
                <tr key={one.id}>
                  <td dir="auto" class="wrapped">
                    {one.address}
                  </td>
                  <td>{one.confirmedAt ? "yes" : <span class="dim">has not confirmed yet</span>}</td>
                  <td>
                    <Ago at={one.createdAt} />
                  </td>
                  <td>
                    <Delete path={`/v1/status-pages/${id}/subscribers/${one.id}`} name={one.address} done={refresh}>
                      <p>The address gets no more mail about this page, and may subscribe again.</p>
                    </Delete>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {matches.length > MOST_SHOWN && (
            <p class="dim">The first {MOST_SHOWN} are shown: type more of the address.</p>
          )}
        </>
      )}
    </>
  );
};

export const SubscribersPage = ({ id }: { readonly id: string }) => (
  <main id="main">
    <PageNav id={id} />
    <div class="top">
      <h1 tabIndex={-1}>Subscribers</h1>
    </div>
    <Permitted what="Seeing who subscribes">
      <Subscribers id={id} />
    </Permitted>
  </main>
);
