/** Which alerts a subscription gets: the fields of a form, and a dialog that changes them. */
import { useState } from "preact/hooks";
import type { Subscription } from "../alerts-model.ts";
import { call, type FieldError } from "../api.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Checks, errorsAt, TextField } from "../parts/field.tsx";
import { Form } from "../parts/form.tsx";
import { MonitorPicker } from "../parts/monitor-picker.tsx";
import { draftOfFilter, type FilterDraft, filterFrom, SEVERITIES, STATES } from "./subscription.ts";

const entries = <Key extends string>(words: Readonly<Record<Key, string>>) => Object.entries(words) as [Key, string][];

interface FilterFieldsProps {
  readonly draft: FilterDraft;
  readonly change: (change: Partial<FilterDraft>) => void;
  readonly errors: readonly FieldError[];
  /** Of ids, where a page has them twice. */
  readonly prefix?: string;
}

export const FilterFields = ({ draft, change, errors, prefix = "" }: FilterFieldsProps) => (
  <>
    <p class="dim small">Nothing chosen: all. Of a field any value may fit, and all fields must.</p>
    <div class="columns">
      <Checks
        id={`${prefix}severities`}
        label="Severity"
        errors={errorsAt(errors, "filter.severities")}
        options={entries(SEVERITIES)}
        chosen={draft.severities}
        change={(severities) => change({ severities })}
      />
      <Checks
        id={`${prefix}incidentStates`}
        label="Of an incident"
        errors={errorsAt(errors, "filter.incidentStates")}
        options={entries(STATES)}
        chosen={draft.incidentStates}
        change={(incidentStates) => change({ incidentStates })}
      />
      <TextField
        id={`${prefix}tags`}
        label="Tags"
        help="key=value, with commas between them."
        errors={errorsAt(errors, "filter.tags")}
        value={draft.tags}
        change={(tags) => change({ tags })}
      />
      <TextField
        id={`${prefix}events`}
        label="Events"
        help="Such as `down, recovered`."
        errors={errorsAt(errors, "filter.events")}
        value={draft.events}
        change={(events) => change({ events })}
      />
      <TextField
        id={`${prefix}protocols`}
        label="Services"
        help="Such as `https, ssh`."
        errors={errorsAt(errors, "filter.protocols")}
        value={draft.protocols}
        change={(protocols) => change({ protocols })}
      />
    </div>
    <MonitorPicker
      id={`${prefix}monitorIds`}
      label="Monitors"
      errors={errorsAt(errors, "filter.monitorIds")}
      chosen={draft.monitorIds}
      change={(monitorIds) => change({ monitorIds })}
    />
  </>
);

interface ChangeFilterProps {
  readonly id: string;
  readonly subscription: Subscription;
  readonly done: () => void;
  readonly close: () => void;
}

export const ChangeFilter = ({ id, subscription: { endpoint, filter }, done, close }: ChangeFilterProps) => {
  const [draft, setDraft] = useState(() => draftOfFilter(filter ?? {}));
  const save = async () => {
    const body = { filter: filterFrom(draft) ?? null };
    await call("PATCH", `/v1/subscriptions/${encodeURIComponent(id)}`, { body });
    done();
  };
  return (
    <Dialog title={`What ${endpoint} gets`} close={close} isWide>
      <Form verb="Save" shown={["filter"]} save={save}>
        {(errors) => (
          <>
            <FilterFields
              draft={draft}
              change={(part) => setDraft((before) => ({ ...before, ...part }))}
              errors={errors}
              prefix="change-"
            />
            <p class="dim small">It takes up to 15 minutes until Amazon SNS follows the change.</p>
            <button type="button" class="plain" onClick={close}>
              Cancel
            </button>
          </>
        )}
      </Form>
    </Dialog>
  );
};
