/** Asks what to change of many monitors; what is left alone stays as it is. */

import { useEffect, useRef, useState } from "preact/hooks";
import { CallFailure, call, type FieldError, get } from "../api.ts";
import { useAction } from "../live.ts";
import type { Page } from "../model.ts";
import { Dialog } from "../parts/dialog.tsx";
import { errorsAt, Field, useFirstError } from "../parts/field.tsx";
import { FormFailed } from "../parts/notice.tsx";
import { tagsFrom } from "../parts/texts.ts";
import { session } from "../session.ts";
import { lasting, plural } from "../words.ts";
import { INTERVALS, WAITS } from "./choices.ts";

export type MonitorPatch = Readonly<Record<string, unknown>>;

interface BulkFormProps {
  readonly count: number;
  readonly ids: readonly string[];
  readonly done: (change: MonitorPatch) => void;
  readonly cancel: () => void;
}

interface Choosable {
  readonly id: string;
  readonly name: string;
}

/** A list that replaces the one that each monitor has. */
const Some = ({
  name,
  label,
  all,
}: {
  readonly name: string;
  readonly label: string;
  readonly all: readonly Choosable[];
}) => (
  <fieldset class="field">
    <legend>{label}</legend>
    <label class="check">
      <input type="checkbox" name={`${name}-set`} /> Exactly these, in place of what each has:
    </label>
    {all.map((one) => (
      <label key={one.id} class="check inset">
        <input type="checkbox" name={name} value={one.id} /> <span dir="auto">{one.name}</span>
      </label>
    ))}
  </fieldset>
);

/** @returns undefined if nothing is to be changed */
const patchOf = (asked: FormData): MonitorPatch | undefined => {
  const text = (name: string) => String(asked.get(name) ?? "");
  const removed = text("remove")
    .split(",")
    .map((key) => key.trim())
    .filter(Boolean);
  const tags = { ...tagsFrom(text("add")), ...Object.fromEntries(removed.map((key) => [key, null])) };
  const some = (name: string) => (asked.has(`${name}-set`) ? asked.getAll(name).map(String) : undefined);
  const [locations, policies] = [some("locations"), some("policies")];
  const alerts = {
    ...(text("afterSeconds") && { afterSeconds: Number(text("afterSeconds")) }),
    ...(policies && { policies }),
  };
  const patch = {
    ...(text("intervalSeconds") && { intervalSeconds: Number(text("intervalSeconds")) }),
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(locations && { locations }),
    ...(Object.keys(alerts).length > 0 && { alerts }),
  };
  return Object.keys(patch).length > 0 ? patch : undefined;
};

/** Paths of the change as paths of a monitor. */
const fieldErrors = (failure: unknown): readonly FieldError[] =>
  failure instanceof CallFailure
    ? failure.errors.map(({ path, message }) => ({ path: path.replace(/^change\./, ""), message }))
    : [];

export const BulkForm = ({ count, ids, done, cancel }: BulkFormProps) => {
  const [policies, setPolicies] = useState<readonly Choosable[]>([]);
  const { failure, isBusy, run } = useAction();
  const form = useRef<HTMLFormElement>(null);
  useFirstError(form, failure);
  useEffect(() => {
    get<Page<Choosable>>("/v1/policies").then(
      ({ items }) => setPolicies(items),
      () => {}, // without them the form still works
    );
  }, []);
  const errors = fieldErrors(failure);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const change = patchOf(new FormData(form.current!));
    run(async () => {
      if (!change) throw new Error("Nothing is to be changed: choose something.");
      // Refuses what is wrong for every monitor, before the next dialog says what would happen to each.
      await call("POST", "/v1/monitors/bulk", {
        body: { action: "update", change, ids: ids.slice(0, 1), dryRun: true },
      });
      done(change);
    });
  };
  const places = (session.value?.locations ?? []).map(({ name }) => ({ id: name, name }));
  return (
    <Dialog title={`Change ${plural(count, "monitor")}`} close={cancel} isWide>
      <form ref={form} onSubmit={submit} noValidate>
        <div class="columns">
          <Field id="intervalSeconds" label="Check every" errors={errorsAt(errors, "intervalSeconds")}>
            <select id="intervalSeconds" name="intervalSeconds" aria-describedby="intervalSeconds-help" autofocus>
              <option value="">as it is</option>
              {INTERVALS.map((seconds) => (
                <option key={seconds} value={String(seconds)}>
                  {lasting(seconds)}
                </option>
              ))}
            </select>
          </Field>
          <Field
            id="afterSeconds"
            label="Alert when down for more than"
            errors={errorsAt(errors, "alerts.afterSeconds")}
          >
            <select id="afterSeconds" name="afterSeconds" aria-describedby="afterSeconds-help">
              <option value="">as it is</option>
              {WAITS.map((seconds) => (
                <option key={seconds} value={String(seconds)}>
                  {seconds === 0 ? "at once" : lasting(seconds)}
                </option>
              ))}
            </select>
          </Field>
          <Field
            id="add"
            label="Set tags"
            help="`key=value`, with commas between them."
            errors={errorsAt(errors, "tags")}
          >
            <input id="add" name="add" aria-describedby="add-help" autocomplete="off" />
          </Field>
          <Field id="remove" label="Remove tags" help="Their keys, with commas between them.">
            <input id="remove" name="remove" aria-describedby="remove-help" autocomplete="off" />
          </Field>
        </div>
        {places.length > 1 && <Some name="locations" label="Locations" all={places} />}
        {policies.length > 0 && <Some name="policies" label="Alert policies" all={policies} />}
        {failure !== null && (
          <FormFailed
            failure={failure}
            shown={["change.intervalSeconds", "change.alerts.afterSeconds", "change.tags"]}
          />
        )}
        <p class="actions">
          <button class="primary" type="submit" disabled={isBusy}>
            Next
          </button>
          <button type="button" onClick={cancel}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
};
