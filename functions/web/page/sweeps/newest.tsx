/** On the page of a monitor that sweeps ports: what the newest sweep found, and the sweeps before it. */
import { useState } from "preact/hooks";
import { get } from "../api.ts";
import { useLoaded } from "../live.ts";
import type { Monitor, Page } from "../model.ts";
import { Choice } from "../monitors/periods.tsx";
import { Failed } from "../parts/notice.tsx";
import { Ago } from "../parts/time.tsx";
import { when } from "../words.ts";
import { ClosedPorts, Ports, pathOf, Sweeps } from "./parts.tsx";
import { isMeasured, type Sweep, type SweepItem } from "./sweep.ts";

const POLL_MS = 10_000;
const SHOWN = 5;

interface NewestSweepProps {
  readonly monitor: Monitor;
  /** Tick of the sweep that somebody has asked for; null: none. */
  readonly asked: number | null;
}

export const NewestSweep = ({ monitor: { id, locations, paused }, asked }: NewestSweepProps) => {
  const places = locations.map((name) => ({ name }));
  const [place, choose] = useState(places[0]!);
  const path = `/v1/monitors/${id}/sweeps`;
  const at = `location=${encodeURIComponent(place.name)}`;
  const { answer, failure, refresh } = useLoaded(
    async (isPoll) => {
      const { items } = await get<Page<Sweep>>(`${path}?${at}&limit=20`, { isPoll });
      const newest = items.find(isMeasured);
      return { items, newest: newest && (await get<SweepItem>(`${path}/${newest.tick}?${at}`, { isPoll })) };
    },
    POLL_MS,
    [id, place, asked],
  );
  const { items = [], newest } = answer ?? {};
  const isRunning = asked !== null && answer !== null && !items.some(({ tick }) => tick >= asked);
  return (
    <section aria-labelledby="newest-sweep">
      <h2 id="newest-sweep">Open ports</h2>
      {places.length > 1 && <Choice label="Location of the sweep" options={places} chosen={place} choose={choose} />}
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {isRunning && (
        <p class="notice">
          A sweep began at {when(asked * 1000)}. It takes a minute or longer; what it finds appears here.
        </p>
      )}
      {newest ? (
        <>
          <p>
            <a href={pathOf(id, newest)}>The newest sweep</a> began <Ago at={newest.startedAt} />:{" "}
            <span dir="auto">{newest.message}</span>.
          </p>
          {newest.open > 0 && <Ports label="Open ports" ports={newest.openPorts ?? []} />}
          {newest.closedPorts.length > 0 && <ClosedPorts ports={newest.closedPorts} />}
        </>
      ) : (
        answer !== null &&
        !isRunning && (
          <p class="dim">
            Nothing yet.{" "}
            {paused ? "It is paused: resume it, and it is swept." : "The first sweep takes a minute or longer."}
          </p>
        )
      )}
      {items.length > 0 && (
        <>
          <h3>Newest sweeps</h3>
          <Sweeps id={id} sweeps={items.slice(0, SHOWN)} />
          <p>
            <a href={`/monitors/${id}/sweeps`}>All sweeps</a>
          </p>
        </>
      )}
    </section>
  );
};
