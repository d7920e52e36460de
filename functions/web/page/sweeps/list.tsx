/** All sweeps of a monitor, newest first. */
import { get } from "../api.ts";
import { useLoaded } from "../live.ts";
import type { Monitor } from "../model.ts";
import { Paged, usePaged } from "../parts/paged.tsx";
import { Sweeps } from "./parts.tsx";
import type { Sweep } from "./sweep.ts";

/** The title of a page about a monitor, with a link to it. */
export const TitleOf = ({ id, what }: { readonly id: string; readonly what: string }) => {
  const monitor = useLoaded((isPoll) => get<Monitor>(`/v1/monitors/${id}`, { isPoll }), 5 * 60_000, [id]).answer;
  return (
    <h1 tabIndex={-1}>
      {what} of{" "}
      <a href={`/monitors/${id}`} dir="auto">
        {monitor?.name ?? "a monitor"}
      </a>
    </h1>
  );
};

export const SweepsPage = ({ id }: { readonly id: string }) => (
  <main id="main">
    <TitleOf id={id} what="Sweeps" />
    <p class="dim">Kept for 400 days. Open one to see its ports, and what differs from another one.</p>
    <Paged
      list={usePaged<Sweep>(`/v1/monitors/${id}/sweeps?limit=50`)}
      empty={<p>No sweeps yet. The first one takes a minute or longer.</p>}
    >
      {(sweeps) => <Sweeps id={id} sweeps={sweeps} />}
    </Paged>
  </main>
);
