/** The bar of the selected monitors: one action on all of them. */
import { useState } from "preact/hooks";
import type { Row } from "../model.ts";
import { mayWrite } from "../session.ts";
import { plural } from "../words.ts";
import { type BulkAction, BulkDialog } from "./bulk-dialog.tsx";
import { BulkForm, type MonitorPatch } from "./bulk-form.tsx";
import { BulkMaintenance } from "./bulk-maintenance.tsx";
import { selectAll } from "./selection.ts";

interface BulkBarProps {
  readonly rows: readonly Row[];
  /** Ids of all rows that match. */
  readonly shown: readonly string[];
}

type Asking =
  | { readonly action: Exclude<BulkAction, "update"> }
  | { readonly action: "update"; readonly change: MonitorPatch }
  | { readonly form: "change" | "maintenance" };

const ACTIONS = [
  { action: "pause", name: "Pause…" },
  { action: "resume", name: "Resume…" },
  { action: "check", name: "Check now…" },
] as const;

export const BulkBar = ({ rows, shown }: BulkBarProps) => {
  const [asking, ask] = useState<Asking | null>(null);
  const [said, say] = useState("");
  const close = () => ask(null);
  const done = (words: string) => {
    close();
    say(words);
  };
  return (
    <section class="bulk" aria-label="Selected monitors">
      <strong>{plural(rows.length, "monitor")} selected</strong>
      {rows.length < shown.length && (
        <button type="button" class="plain" onClick={() => selectAll(shown)}>
          Select all {shown.length}
        </button>
      )}
      <span class="actions">
        {ACTIONS.map(({ action, name }) => (
          <button key={action} type="button" onClick={() => ask({ action })}>
            {name}
          </button>
        ))}
        <button type="button" onClick={() => ask({ form: "change" })}>
          Change…
        </button>
        {mayWrite.value && (
          <button type="button" onClick={() => ask({ form: "maintenance" })}>
            Maintenance…
          </button>
        )}
        <button type="button" class="danger" onClick={() => ask({ action: "delete" })}>
          Delete…
        </button>
        <button type="button" onClick={() => selectAll([])}>
          Clear
        </button>
      </span>
      <span role="status">{said}</span>
      {asking && "action" in asking && <BulkDialog rows={rows} {...asking} done={done} cancel={close} />}
      {asking && "form" in asking && asking.form === "change" && (
        <BulkForm
          count={rows.length}
          ids={rows.map(({ id }) => id)}
          done={(change) => ask({ action: "update", change })}
          cancel={close}
        />
      )}
      {asking && "form" in asking && asking.form === "maintenance" && (
        <BulkMaintenance ids={rows.map(({ id }) => id)} done={done} cancel={close} />
      )}
    </section>
  );
};
