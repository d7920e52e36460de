/** What a channel was told, and what its service answered. */
import { useState } from "preact/hooks";
import type { Delivery } from "../alerts-model.ts";
import { get } from "../api.ts";
import { useLoaded } from "../live.ts";
import type { Page } from "../model.ts";
import { ChoiceField } from "../parts/field.tsx";
import { Loading } from "../parts/loading.tsx";
import { Failed } from "../parts/notice.tsx";
import { plural, when } from "../words.ts";

const POLL_MS = 15_000;

export const DELIVERY_WORDS = { waiting: "waits", sent: "taken", undeliverable: "given up" } as const;
const STATES = ["", "waiting", "sent", "undeliverable"] as const;

const Row = ({ delivery }: { readonly delivery: Delivery }) => {
  const { event, monitor, incidentId, createdAt, state, attempts, nextAttemptAt, answer, digest } = delivery;
  return (
    <tr>
      <td>{when(createdAt)}</td>
      <td>
        {/^[a-z0-9]+\.\d+$/.test(incidentId) ? <a href={`/incidents/${incidentId}`}>{event}</a> : event}
        <div class="dim small" dir="auto">
          {monitor.name}
        </div>
      </td>
      <td data-label="Result" class={state === "undeliverable" ? "is-down" : ""}>
        {DELIVERY_WORDS[state]}
        {digest !== null && <div class="dim small">with others, in one message</div>}
        {nextAttemptAt !== null && <div class="dim small">again at {when(nextAttemptAt)}</div>}
      </td>
      <td data-label="Answer" dir="auto">
        {answer}
        {attempts > 1 && <div class="dim small">{plural(attempts, "attempt")}</div>}
      </td>
    </tr>
  );
};

export const Deliveries = ({ id }: { readonly id: string }) => {
  const [state, setState] = useState<(typeof STATES)[number]>("");
  const [older, setOlder] = useState<Page<Delivery> | null>(null);
  const url = (cursor: string | null) =>
    `/v1/channels/${id}/deliveries?limit=25${state && `&state=${state}`}${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
  const {
    answer: found,
    failure,
    fail,
    refresh,
  } = useLoaded((isPoll) => get<Page<Delivery>>(url(null), { isPoll }), POLL_MS, [id, state]);
  const next = (older ?? found)?.nextCursor ?? null;
  const more = async () => {
    try {
      const page = await get<Page<Delivery>>(url(next));
      setOlder({ items: [...(older?.items ?? []), ...page.items], nextCursor: page.nextCursor });
    } catch (error) {
      fail(error);
    }
  };
  const known = new Set(found?.items.map(({ alertId }) => alertId));
  const all = [...(found?.items ?? []), ...(older?.items ?? []).filter(({ alertId }) => !known.has(alertId))];
  return (
    <section>
      <h2>What it was told</h2>
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      <div class="short">
        <ChoiceField
          id="state"
          label="Show"
          options={STATES}
          words={(one) =>
            one === ""
              ? "everything of the last 30 days"
              : `what ${one === "waiting" ? "" : "was "}${DELIVERY_WORDS[one]}`
          }
          value={state}
          change={(chosen) => {
            setState(chosen);
            setOlder(null);
          }}
        />
      </div>
      {!found && failure === null && <Loading />}
      {found && all.length === 0 && <p class="dim">Nothing{state !== "" && " of that kind"}.</p>}
      {all.length > 0 && (
        <div class="scrolled">
          <table class="stacked" aria-label="Deliveries">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">What</th>
                <th scope="col">Result</th>
                <th scope="col">Answer</th>
              </tr>
            </thead>
            <tbody>
              {all.map((delivery) => (
                <Row key={delivery.alertId} delivery={delivery} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {next !== null && (
        <p>
          <button type="button" onClick={() => void more()}>
            Older ones
          </button>
        </p>
      )}
    </section>
  );
};
