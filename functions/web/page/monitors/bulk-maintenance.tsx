/** Maintenance of many monitors from now on: they are checked, and nobody is told. */
import { useRef } from "preact/hooks";
import { CallFailure, call } from "../api.ts";
import { useAction } from "../live.ts";
import { Dialog } from "../parts/dialog.tsx";
import { errorsAt, Field, useFirstError } from "../parts/field.tsx";
import { FormFailed } from "../parts/notice.tsx";
import { lasting, plural } from "../words.ts";
import { forgetOverview } from "./overview.ts";

const LENGTHS = [1_800, 3_600, 7_200, 14_400, 28_800, 86_400];

interface BulkMaintenanceProps {
  readonly ids: readonly string[];
  readonly done: (words: string) => void;
  readonly cancel: () => void;
}

export const BulkMaintenance = ({ ids, done, cancel }: BulkMaintenanceProps) => {
  const { failure, isBusy, run } = useAction();
  const form = useRef<HTMLFormElement>(null);
  useFirstError(form, failure);
  const errors = failure instanceof CallFailure ? failure.errors : [];
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const asked = new FormData(form.current!);
    const durationSeconds = Number(asked.get("durationSeconds"));
    const body = { name: String(asked.get("name")), monitorIds: ids, schedule: { kind: "once", durationSeconds } };
    run(async () => {
      await call("POST", "/v1/maintenance-windows", { body });
      forgetOverview();
      done(`${plural(ids.length, "monitor is", "monitors are")} in maintenance for ${lasting(durationSeconds)}.`);
    });
  };
  return (
    <Dialog title={`Maintenance of ${plural(ids.length, "monitor")}`} close={cancel}>
      <form ref={form} onSubmit={submit} noValidate>
        <p>They are checked, but nobody is told of trouble, and the time does not count as downtime.</p>
        <Field id="window-name" label="Why" errors={errorsAt(errors, "name")}>
          <input
            id="window-name"
            name="name"
            aria-describedby="window-name-help"
            autocomplete="off"
            value="Maintenance"
            autofocus
          />
        </Field>
        <Field id="durationSeconds" label="From now on for" errors={errorsAt(errors, "schedule")}>
          <select id="durationSeconds" name="durationSeconds" aria-describedby="durationSeconds-help">
            {LENGTHS.map((seconds) => (
              <option key={seconds} value={String(seconds)}>
                {lasting(seconds)}
              </option>
            ))}
          </select>
        </Field>
        {failure !== null && <FormFailed failure={failure} shown={["name", "schedule"]} />}
        <p class="actions">
          <button class="primary" type="submit" disabled={isBusy}>
            Begin
          </button>
          <button type="button" onClick={cancel}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
};
