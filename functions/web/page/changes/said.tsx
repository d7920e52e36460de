/** What a monitor's service says of itself: each fact with its values and since when, and open changes to be accepted. */
import { useState } from "preact/hooks";
import { valueOfFact } from "../../../../shared/rules/fact-names.ts";
import { get } from "../api.ts";
import { useLoaded } from "../live.ts";
import type { Monitor, Page } from "../model.ts";
import { Failed } from "../parts/notice.tsx";
import { Ago } from "../parts/time.tsx";
import { mayWrite } from "../session.ts";
import { plural } from "../words.ts";
import { AcceptDialog, useAccepted } from "./accept.tsx";
import { type Change, factInWords } from "./change.ts";

const POLL_MS = 30_000;

/** Values of each fact, whichever location sees them. */
const factsOf = ({ views }: Monitor): ReadonlyMap<string, readonly string[]> => {
  const facts = new Map<string, readonly string[]>();
  for (const { facts: seen } of Object.values(views))
    for (const [key, values] of Object.entries(seen))
      facts.set(key, [...new Set([...(facts.get(key) ?? []), ...values])]);
  return new Map([...facts].toSorted(([a], [b]) => a.localeCompare(b)));
};

export const Said = ({ monitor }: { readonly monitor: Monitor }) => {
  const { id } = monitor;
  const { answer, failure, refresh } = useLoaded(
    async (isPoll) => (await get<Page<Change>>(`/v1/monitors/${id}/changes?limit=200`, { isPoll })).items,
    POLL_MS,
    [id],
  );
  const { asAccepted, keep } = useAccepted();
  const changes = asAccepted(answer ?? []);
  const [asked, ask] = useState<readonly Change[] | null>(null);
  const facts = factsOf(monitor);
  const open = changes.filter(({ state }) => state === "open");
  const changeTo = (key: string, value: string) =>
    changes.find((one) => one.key === key && one.to === value && one.endedAt === null) ??
    changes.find(
      (one) => one.key === key && one.to === value && (one.state === "accepted" || one.state === "recorded"),
    );
  return (
    <section aria-labelledby="said">
      <h2 id="said">What this service says of itself</h2>
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {open.length > 0 && (
        <p class="notice">
          {plural(open.length, "change")} nobody has accepted.{" "}
          {mayWrite.value && (
            <button type="button" onClick={() => ask(open)}>
              Accept…
            </button>
          )}
        </p>
      )}
      {facts.size === 0 ? (
        <p class="dim">Nothing yet. The first checks that are answered learn it.</p>
      ) : (
        <div class="scrolled">
          <table class="stacked">
            <thead>
              <tr>
                <th scope="col">Fact</th>
                <th scope="col">Value</th>
                <th scope="col">Since</th>
              </tr>
            </thead>
            <tbody>
              {[...facts].flatMap(([key, values]) =>
                values.map((value) => {
                  const change = changeTo(key, value);
                  return (
                    <tr key={`${key} ${value}`}>
                      <td>{factInWords(key)}</td>
                      <td>
                        <code class="fact" dir="auto">
                          {valueOfFact(key, value)}
                        </code>{" "}
                        {change?.state === "open" && <strong class="is-degraded">not accepted</strong>}
                      </td>
                      <td data-label="Since">{change ? <Ago at={change.since} /> : "the first checks"}</td>
                    </tr>
                  );
                }),
              )}
            </tbody>
          </table>
        </div>
      )}
      <p>
        <a href={`/monitors/${id}/baseline`}>What is expected</a>, <a href="/changes?state=all">all changes</a>
      </p>
      {asked && (
        <AcceptDialog
          changes={asked}
          close={() => ask(null)}
          done={(accepted) => {
            ask(null);
            keep(accepted);
          }}
        />
      )}
    </section>
  );
};
