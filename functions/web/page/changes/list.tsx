/** Changes of what services say of themselves: open ones, to be accepted, and those of before. */
import { useState } from "preact/hooks";
import { valueOfFact } from "../../../../shared/rules/fact-names.ts";
import { Paged, usePaged } from "../parts/paged.tsx";
import { Ago } from "../parts/time.tsx";
import { query, replace } from "../router.ts";
import { mayWrite } from "../session.ts";
import { when } from "../words.ts";
import { AcceptDialog, useAccepted } from "./accept.tsx";
import { type Change, endInWords, factInWords } from "./change.ts";

const Values = ({ of, values }: { readonly of: string; readonly values: readonly string[] }) => (
  <>
    {values.map((value) => (
      <code key={value} class="fact" dir="auto">
        {valueOfFact(of, value)}
      </code>
    ))}
  </>
);

interface RowProps {
  readonly change: Change;
  readonly isSelected: boolean;
  readonly select: () => void;
  readonly accept: () => void;
}

const Row = ({ change, isSelected, select, accept }: RowProps) => {
  const { key, monitorId, monitorName, from, to, since, endedAt, locations, state, accepted } = change;
  const isOpen = state === "open";
  return (
    <tr>
      {mayWrite.value && (
        <td>
          {isOpen && (
            <input
              type="checkbox"
              aria-label={`Select ${factInWords(key)} of ${monitorName}`}
              checked={isSelected}
              onChange={select}
            />
          )}
        </td>
      )}
      <td>
        <a href={`/monitors/${monitorId}`} dir="auto">
          {monitorName}
        </a>
        <div>{factInWords(key)}</div>
      </td>
      <td data-label="Was">
        {from.length === 0 ? <span class="dim">nothing known</span> : <Values of={key} values={from} />}
      </td>
      <td data-label="Is">
        <Values of={key} values={[to]} />
      </td>
      <td data-label="Found">
        <Ago at={since} /> <span class="dim">from {locations.join(", ")}</span>
      </td>
      <td>
        {isOpen && mayWrite.value ? (
          <button type="button" onClick={accept} aria-label={`Accept ${factInWords(key)} of ${monitorName}`}>
            Accept…
          </button>
        ) : (
          <>
            {endInWords(change)}
            {endedAt !== null && <div class="dim small">{when(endedAt)}</div>}
            {accepted?.note && (
              <div class="small" dir="auto">
                {accepted.note}
              </div>
            )}
          </>
        )}
      </td>
    </tr>
  );
};

export const ChangesPage = () => {
  const state = query.value.get("state") === "all" ? "all" : "open";
  const list = usePaged<Change>(`/v1/changes?limit=50&state=${state}`);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [asked, ask] = useState<readonly Change[] | null>(null);
  const { asAccepted, keep } = useAccepted();
  const known = asAccepted(list.items ?? []);
  const open = known.filter((change) => change.state === "open");
  const chosen = open.filter(({ id }) => selected.has(id));
  const toggle = (id: string) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    setSelected(next);
  };
  return (
    <main id="main">
      <div class="top">
        <h1 tabIndex={-1}>Changes</h1>
        <div class="actions end">
          <select
            aria-label="Which changes"
            value={state}
            onChange={(event) => replace(event.currentTarget.value === "all" ? "/changes?state=all" : "/changes")}
          >
            <option value="open">open</option>
            <option value="all">open and past</option>
          </select>
          {mayWrite.value && open.length > 0 && (
            <button type="button" onClick={() => ask(chosen.length > 0 ? chosen : open)}>
              {chosen.length > 0 ? `Accept ${chosen.length} selected…` : "Accept all shown…"}
            </button>
          )}
        </div>
      </div>
      <p class="dim">
        What services say of themselves and did not say before: another host key, issuer or software. Accept what is
        right; it is expected from then on.
      </p>
      <Paged
        list={state === "open" && list.items ? { ...list, items: open } : list}
        empty={
          <>
            <p>
              <strong>{state === "open" ? "No open changes." : "No changes yet."}</strong>
            </p>
            <p class="dim">
              The first checks of a monitor learn what its service says of itself. What differs later appears here.
            </p>
          </>
        }
      >
        {() => (
          <div class="scrolled">
            <table class="stacked">
              <thead>
                <tr>
                  {mayWrite.value && (
                    <th scope="col">
                      <span class="unseen">Selected</span>
                    </th>
                  )}
                  <th scope="col">Monitor, and what changed</th>
                  <th scope="col">Was</th>
                  <th scope="col">Is</th>
                  <th scope="col">Found</th>
                  <th scope="col">What became of it</th>
                </tr>
              </thead>
              <tbody>
                {(state === "open" ? open : known).map((change) => (
                  <Row
                    key={`${change.id} ${change.since}`}
                    change={change}
                    isSelected={selected.has(change.id)}
                    select={() => toggle(change.id)}
                    accept={() => ask([change])}
                  />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Paged>
      {asked && (
        <AcceptDialog
          changes={asked}
          close={() => ask(null)}
          done={(accepted) => {
            ask(null);
            setSelected(new Set());
            keep(accepted);
          }}
        />
      )}
    </main>
  );
};
