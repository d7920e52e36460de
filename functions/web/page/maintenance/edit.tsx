/** Creates or changes a maintenance window, and shows when it will be before it is saved. */
import { useEffect, useState } from "preact/hooks";
import type { MaintenanceWindow, Occurrence, Weekday } from "../alerts-model.ts";
import { CallFailure, call, type FieldError } from "../api.ts";
import { zone } from "../display.ts";
import { Editing } from "../parts/editing.tsx";
import { Checks, ChoiceField, errorsAt, TextField } from "../parts/field.tsx";
import { Form } from "../parts/form.tsx";
import { MonitorPicker } from "../parts/monitor-picker.tsx";
import { Permitted } from "../parts/notice.tsx";
import { ZoneField } from "../parts/zone-field.tsx";
import { go, query } from "../router.ts";
import { lasting } from "../words.ts";
import {
  bodyOfWindow,
  draftOfWindow,
  emptyWindow,
  occurrenceInWords,
  scheduleOf,
  WEEKDAYS,
  type WindowDraft,
} from "./window.ts";

const KINDS = {
  once: "once",
  daily: "every day",
  weekly: "on days of the week",
  monthly: "on days of the month",
  cron: "by a cron pattern",
} as const;
const LENGTHS = [900, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400, 172_800, 604_800];
/** Paths of errors that stand at a field. */
const SHOWN = ["name", "all", "monitorIds", "tags", "schedule"];
/** The preview waits until nobody types. */
const PAUSE_MS = 400;

interface PartProps {
  readonly draft: WindowDraft;
  readonly change: (change: Partial<WindowDraft>) => void;
  readonly errors: readonly FieldError[];
}

const Scope = ({ draft, change, errors }: PartProps) => (
  <fieldset class="card">
    <legend>For which monitors</legend>
    <Checks
      id="all"
      label="Monitors"
      errors={errorsAt(errors, "all")}
      options={[["all", "All of them, also those to come"]]}
      chosen={draft.all ? ["all"] : []}
      change={(chosen) => change({ all: chosen.length > 0 })}
    />
    {!draft.all && (
      <>
        <MonitorPicker
          id="monitorIds"
          label="These monitors"
          errors={errorsAt(errors, "monitorIds")}
          chosen={draft.monitorIds}
          change={(monitorIds) => change({ monitorIds })}
        />
        <TextField
          id="tags"
          label="And those with these tags"
          help="key=value, with commas between them; a monitor must have all."
          errors={errorsAt(errors, "tags")}
          value={draft.tags}
          change={(tags) => change({ tags })}
        />
      </>
    )}
  </fieldset>
);

/** The fields that the chosen kind of schedule has. */
const Days = ({ draft, change, errors }: PartProps) => {
  const days = errorsAt(errors, "schedule.days");
  if (draft.kind === "weekly")
    return (
      <Checks
        id="weekdays"
        label="On"
        errors={days}
        options={Object.entries(WEEKDAYS) as [Weekday, string][]}
        chosen={draft.weekdays}
        change={(weekdays) => change({ weekdays })}
      />
    );
  if (draft.kind === "monthly")
    return (
      <TextField
        id="monthDays"
        label="On days"
        help="1 to 31, or `last`, with commas between them. Days that a month does not have are left out."
        errors={days}
        value={draft.monthDays}
        change={(monthDays) => change({ monthDays })}
      />
    );
  if (draft.kind === "cron")
    return (
      <TextField
        id="pattern"
        label="Cron pattern"
        help="Minute, hour, day of the month, month, day of the week."
        errors={errorsAt(errors, "schedule.pattern")}
        input={{ spellcheck: false }}
        value={draft.pattern}
        change={(pattern) => change({ pattern })}
      />
    );
  return null;
};

/** The next occurrences, as the API says them. */
const Preview = ({ draft }: { readonly draft: WindowDraft }) => {
  const [next, setNext] = useState<readonly Occurrence[] | null>(null);
  const [unclear, setUnclear] = useState("");
  const schedule = JSON.stringify(scheduleOf(draft));
  useEffect(() => {
    const asked = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const body = { name: "Preview", all: true, schedule: JSON.parse(schedule) };
        const options = { body, signal: asked.signal };
        const window = await call<MaintenanceWindow>("POST", "/v1/maintenance-windows?dryRun=true", options);
        setNext([...(window.active ? [window.active] : []), ...window.next].slice(0, 5));
        setUnclear("");
      } catch (error) {
        if (asked.signal.aborted) return;
        setNext(null);
        setUnclear(error instanceof CallFailure ? (error.errors[0]?.message ?? error.message) : String(error));
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [schedule]);
  return (
    <section class="card" aria-label="When it will be" aria-live="polite">
      <h2>When it will be</h2>
      {unclear !== "" && <p class="dim">Not known yet: the schedule {unclear}</p>}
      {next && (
        <ol class="plain-list">
          {next.map((one) => (
            <li key={one.startsAt}>{occurrenceInWords(one)}</li>
          ))}
        </ol>
      )}
      <p class="dim small">Times in {zone.value}.</p>
    </section>
  );
};

const When = ({ draft, change, errors }: PartProps) => (
  <fieldset class="card">
    <legend>When</legend>
    <div class="columns">
      <ChoiceField
        id="kind"
        label="It occurs"
        errors={errors.filter(({ path }) => path === "schedule")}
        options={Object.keys(KINDS) as (keyof typeof KINDS)[]}
        words={(kind) => KINDS[kind]}
        value={draft.kind}
        change={(kind) => change({ kind })}
      />
      {draft.kind === "once" && (
        <TextField
          id="start"
          label="Starts"
          help="Empty: now."
          errors={errorsAt(errors, "schedule.startsAt")}
          input={{ type: "datetime-local" }}
          value={draft.start}
          change={(start) => change({ start })}
        />
      )}
      <Days draft={draft} change={change} errors={errors} />
      {draft.kind !== "once" && draft.kind !== "cron" && (
        <TextField
          id="at"
          label="At"
          errors={errorsAt(errors, "schedule.at")}
          input={{ type: "time" }}
          value={draft.at}
          change={(at) => change({ at })}
        />
      )}
      <ChoiceField
        id="durationSeconds"
        label="Lasts"
        errors={[...errorsAt(errors, "schedule.durationSeconds"), ...errorsAt(errors, "schedule.endsAt")]}
        options={LENGTHS}
        words={lasting}
        value={draft.durationSeconds}
        change={(durationSeconds) => change({ durationSeconds })}
      />
      <ZoneField
        errors={errorsAt(errors, "schedule.timeZone")}
        value={draft.timeZone}
        change={(timeZone) => change({ timeZone })}
      />
    </div>
  </fieldset>
);

const WindowForm = ({
  initial,
  verb,
  save,
}: {
  readonly initial: WindowDraft;
  readonly verb: string;
  readonly save: (draft: WindowDraft) => Promise<void>;
}) => {
  const [draft, setDraft] = useState(initial);
  const change = (part: Partial<WindowDraft>) => setDraft((before) => ({ ...before, ...part }));
  return (
    <Form verb={verb} shown={SHOWN} save={() => save(draft)}>
      {(errors) => (
        <>
          <TextField
            id="name"
            label="Name"
            errors={errorsAt(errors, "name")}
            value={draft.name}
            change={(name) => change({ name })}
          />
          <Scope draft={draft} change={change} errors={errors} />
          <When draft={draft} change={change} errors={errors} />
          <Preview draft={draft} />
        </>
      )}
    </Form>
  );
};

const done = () => go("/maintenance");

export const NewWindowPage = () => {
  const monitor = query.value.get("monitor");
  return (
    <main id="main" class="form">
      <h1 tabIndex={-1}>New maintenance window</h1>
      <Permitted what="Planning maintenance">
        <WindowForm
          initial={emptyWindow(zone.value, monitor === null ? [] : [monitor])}
          verb="Create window"
          save={async (draft) => {
            await call("POST", "/v1/maintenance-windows", { body: bodyOfWindow(draft) });
            done();
          }}
        />
      </Permitted>
    </main>
  );
};

export const WindowPage = ({ id }: { readonly id: string }) => (
  <main id="main" class="form">
    <Editing<MaintenanceWindow>
      path={`/v1/maintenance-windows/${id}`}
      noun="maintenance window"
      bodyOf={(window) => bodyOfWindow(draftOfWindow(window, zone.value))}
      whole={["schedule"]}
      done={done}
    >
      {(window, save) => (
        <WindowForm
          initial={draftOfWindow(window, zone.value)}
          verb="Save"
          save={(draft) => save(bodyOfWindow(draft))}
        />
      )}
    </Editing>
  </main>
);
