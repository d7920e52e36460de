/** Audit log: who changed what, when, and the values before and after. */
import { Paged, usePaged } from "../parts/paged.tsx";
import { ask, query } from "../router.ts";
import { may } from "../session.ts";
import { when } from "../words.ts";
import { Settings } from "./settings.tsx";

interface Entry {
  readonly id: string;
  readonly at: string;
  readonly by: { readonly id: string; readonly name: string } | null;
  readonly operation: string;
  readonly resource: string | null;
  readonly name: string | null;
  readonly outcome: "done" | "begun";
  readonly changes: Readonly<Record<string, readonly [unknown, unknown]>>;
}

const PERIODS = [
  { from: "-1d", name: "a day" },
  { from: "-7d", name: "7 days" },
  { from: "-30d", name: "30 days" },
  { from: "-90d", name: "90 days" },
];

/** `updateMonitor` as `update monitor`. */
const words = (operation: string) => operation.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
const textOf = (value: unknown) =>
  value === null ? "nothing" : typeof value === "string" ? value : JSON.stringify(value);

const MOST_SHOWN = 3;

const Changes = ({ changes }: Pick<Entry, "changes">) => {
  const all = Object.entries(changes);
  const list = (
    <ul class="plain-list small">
      {all.map(([path, [before, after]]) => (
        <li key={path}>
          <span class="dim">{path}:</span>{" "}
          {before !== null && (
            <>
              <del dir="auto">{textOf(before)}</del> →{" "}
            </>
          )}
          <ins dir="auto">{textOf(after)}</ins>
        </li>
      ))}
    </ul>
  );
  return all.length > MOST_SHOWN ? (
    <details>
      <summary>{all.length} values</summary>
      {list}
    </details>
  ) : (
    list
  );
};

export const AuditPage = () => {
  const resource = query.value.get("resource") ?? "";
  const from = query.value.get("from") ?? "-30d";
  const parameters = new URLSearchParams({ limit: "50", from, ...(resource && { monitor: resource }) });
  const list = usePaged<Entry>(may("admin") ? `/v1/audit?${parameters}` : "");
  return (
    <Settings title="Audit log" isForAdmins>
      <form class="tools" onSubmit={(event) => event.preventDefault()}>
        <input
          type="search"
          aria-label="Id of a monitor, channel, token or other thing"
          placeholder="Id of a monitor, channel, token …"
          value={resource}
          onChange={(event) => ask({ resource: event.currentTarget.value.trim() })}
        />
        <label>
          Of
          <select value={from} onChange={(event) => ask({ from: event.currentTarget.value })}>
            {PERIODS.map((period) => (
              <option key={period.from} value={period.from}>
                {period.name}
              </option>
            ))}
          </select>
        </label>
      </form>
      <Paged list={list} empty={<p>Nobody changed anything{resource && " of it"} in this time.</p>}>
        {(items) => (
          <div class="scrolled">
            <table class="stacked">
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Token</th>
                  <th scope="col">What</th>
                  <th scope="col">Before → after</th>
                </tr>
              </thead>
              <tbody>
                {items.map(({ id, at, by, operation, resource: what, name, outcome, changes }) => (
                  <tr key={id}>
                    <td class="nowrap">{when(at)}</td>
                    <td dir="auto" data-label="Token">
                      {by?.name ?? "a command with AWS credentials"}
                    </td>
                    <td>
                      {words(operation)}{" "}
                      {what !== null && (
                        <button type="button" class="plain" dir="auto" onClick={() => ask({ resource: what })}>
                          {name ?? what}
                        </button>
                      )}
                      {outcome === "begun" && <div class="is-degraded small">Began, and did not say how it ended.</div>}
                    </td>
                    <td>
                      <Changes changes={changes} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Paged>
    </Settings>
  );
};
