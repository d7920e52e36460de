/** One sweep: what differs from another sweep of its location, and the ports that were open. */
import { get } from "../api.ts";
import { useLoaded } from "../live.ts";
import type { Page } from "../model.ts";
import { ChoiceField } from "../parts/field.tsx";
import { Loading } from "../parts/loading.tsx";
import { Failed } from "../parts/notice.tsx";
import { ask, query } from "../router.ts";
import { lasting, listed, plural, when } from "../words.ts";
import { TitleOf } from "./list.tsx";
import { ClosedPorts, Ports } from "./parts.tsx";
import { isMeasured, type Sweep, type SweepDiff, type SweepItem, secondsOf } from "./sweep.ts";

/** What was found does not change; it is read again only for a page that stays open for long. */
const POLL_MS = 60 * 60_000;

interface DifferenceProps {
  readonly path: string;
  readonly sweep: SweepItem;
}

const Difference = ({ path, sweep: { tick, location } }: DifferenceProps) => {
  const at = `location=${encodeURIComponent(location)}`;
  const wanted = query.value.get("against");
  const { answer, failure, refresh } = useLoaded(
    async (isPoll) => {
      const { items } = await get<Page<Sweep>>(`${path}?${at}&limit=200`, { isPoll });
      const others = items.filter((one) => one.tick !== tick && isMeasured(one));
      const against = wanted ? Number(wanted) : (others.find((one) => one.tick < tick) ?? others[0])?.tick;
      if (against === undefined) return { others };
      const [from, to] = against < tick ? [against, tick] : [tick, against];
      return { others, against, from, to, diff: await get<SweepDiff>(`${path}/${from}/diff/${to}?${at}`, { isPoll }) };
    },
    POLL_MS,
    [path, at, tick, wanted],
  );
  const { others = [], against, from = 0, to = 0, diff } = answer ?? {};
  return (
    <section aria-labelledby="difference">
      <h2 id="difference">What differs</h2>
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {!answer && failure === null && <Loading />}
      {answer && against === undefined && <p class="dim">There is no other sweep to compare it with.</p>}
      {against !== undefined && (
        <div class="short">
          <ChoiceField
            id="against"
            label="Compared with"
            options={others.map((one) => String(one.tick))}
            words={(one) => when(Number(one) * 1000)}
            value={String(against)}
            change={(one) => ask({ against: one })}
          />
        </div>
      )}
      {diff && (
        <>
          <p>
            From {when(from * 1000)} to {when(to * 1000)}:{" "}
            {diff.opened.length + diff.closed.length === 0
              ? "no port opened or closed."
              : `${plural(diff.opened.length, "port")} opened, and ${plural(diff.closed.length, "port")} closed.`}
          </p>
          {diff.opened.length > 0 && <h3>Opened</h3>}
          {diff.opened.length > 0 && <Ports label="Ports that opened" ports={diff.opened} />}
          {diff.closed.length > 0 && <h3>Closed</h3>}
          {diff.closed.length > 0 && <Ports label="Ports that closed" ports={diff.closed} />}
        </>
      )}
    </section>
  );
};

const Figures = ({ sweep }: { readonly sweep: SweepItem }) => (
  <>
    <p>
      {when(sweep.startedAt)} from {sweep.location}, within {lasting(secondsOf(sweep))}:{" "}
      <span dir="auto">{sweep.message}</span>.
    </p>
    <p class="dim small">
      {plural(sweep.addresses, "address", "addresses")}: {sweep.open} open, {sweep.closed} refused, {sweep.filtered}{" "}
      without an answer{sweep.unmeasured > 0 && `, ${sweep.unmeasured} not measured`}.
      {sweep.silentAddresses > 0 &&
        ` Of ${plural(sweep.silentAddresses, "address", "addresses")} that had answered nothing, only common and known ports were tried.`}
    </p>
    {sweep.answersEverywhere.length > 0 && (
      <p class="notice">
        {listed(sweep.answersEverywhere)}: every port accepts connections, so something on the way answers in its place.
      </p>
    )}
  </>
);

export const SweepPage = ({ id }: { readonly id: string }) => {
  const path = `/v1/monitors/${id}/sweeps`;
  // Without a tick the path would be that of the list.
  const tick = query.value.get("tick") || "none";
  const location = query.value.get("location");
  const { answer, failure, refresh } = useLoaded(
    (isPoll) =>
      get<SweepItem>(`${path}/${tick}${location === null ? "" : `?${new URLSearchParams({ location })}`}`, { isPoll }),
    POLL_MS,
    [path, tick, location],
  );
  return (
    <main id="main">
      <TitleOf id={id} what="A sweep" />
      <p>
        <a href={`/monitors/${id}/sweeps`}>All sweeps</a>
      </p>
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {!answer && failure === null && <Loading />}
      {answer && (
        <>
          <Figures sweep={answer} />
          {isMeasured(answer) ? (
            <Difference path={path} sweep={answer} />
          ) : (
            <p class="notice">It does not say which ports were open, so it is compared with no other sweep.</p>
          )}
          {answer.openPorts && (
            <section aria-labelledby="open-ports">
              <h2 id="open-ports">Open ports</h2>
              {answer.openPorts.length === 0 ? (
                <p class="dim">No open ports.</p>
              ) : (
                <Ports label="Open ports" ports={answer.openPorts} />
              )}
              {answer.closedPorts.length > 0 && <ClosedPorts ports={answer.closedPorts} />}
            </section>
          )}
        </>
      )}
    </main>
  );
};
