/** Fields for monitors, found by their names. */
import { useEffect, useState } from "preact/hooks";
import type { FieldError } from "../api.ts";
import { loadNames, nameOf, overview } from "../monitors/overview.ts";
import { target } from "../words.ts";
import { TextField } from "./field.tsx";
import { Failed } from "./notice.tsx";

const MOST_SHOWN = 6;

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly help?: string;
  readonly errors: readonly FieldError[];
}

interface MonitorSearchProps extends FieldProps {
  /** Those that cannot be chosen. */
  readonly except: readonly string[];
  readonly choose: (id: string) => void;
}

/** Finds one monitor after the other. */
export const MonitorSearch = ({ except, choose, ...field }: MonitorSearchProps) => {
  const [text, setText] = useState("");
  const [failure, fail] = useState<unknown>(null);
  useEffect(() => void loadNames().catch(fail), []);
  const wanted = text.trim().toLowerCase();
  const matches = [...(overview.value?.rows.values() ?? [])].filter(
    (row) => !except.includes(row.id) && `${row.name} ${target(row)}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      {failure !== null && <Failed failure={failure} />}
      <TextField
        {...field}
        value={text}
        change={setText}
        input={{ type: "search", placeholder: "Search by name or address" }}
      />
      <p class="unseen" role="status">
        {wanted !== "" && `${matches.length} found`}
      </p>
      {wanted !== "" && (
        <ul class="chips wrapped" aria-label="Found">
          {matches.slice(0, MOST_SHOWN).map(({ id, name }) => (
            <li key={id}>
              <button
                type="button"
                onClick={() => {
                  choose(id);
                  setText("");
                  document.getElementById(field.id)?.focus();
                }}
              >
                + <span dir="auto">{name}</span>
              </button>
            </li>
          ))}
          {matches.length === 0 && <li class="dim">No monitor has that in its name.</li>}
          {matches.length > MOST_SHOWN && <li class="dim">and {matches.length - MOST_SHOWN} more</li>}
        </ul>
      )}
    </>
  );
};

interface MonitorPickerProps extends FieldProps {
  readonly chosen: readonly string[];
  readonly change: (chosen: readonly string[]) => void;
  /** One that cannot be chosen. */
  readonly except?: string | undefined;
}

/** A field for some monitors. */
export const MonitorPicker = ({ chosen, change, except, ...field }: MonitorPickerProps) => (
  <div>
    <MonitorSearch
      {...field}
      except={except === undefined ? chosen : [except, ...chosen]}
      choose={(id) => change([...chosen, id])}
    />
    {chosen.length > 0 && (
      <ul class="chips wrapped" aria-label="Chosen">
        {chosen.map((id) => (
          <li key={id}>
            <button
              type="button"
              aria-label={`Remove ${nameOf(id)}`}
              onClick={() => {
                change(chosen.filter((other) => other !== id));
                document.getElementById(field.id)?.focus();
              }}
            >
              <span dir="auto">{nameOf(id)}</span> <span aria-hidden="true">×</span>
            </button>
          </li>
        ))}
      </ul>
    )}
  </div>
);
