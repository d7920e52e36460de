/** The form of a monitor: where, a test, when to alert, whom, what it is called. */
import { useEffect, useRef, useState } from "preact/hooks";
import { CallFailure, call, get } from "../api.ts";
import type { Page } from "../model.ts";
import { errorsAt, Field, useFirstError } from "../parts/field.tsx";
import { FormFailed } from "../parts/notice.tsx";
import { session } from "../session.ts";
import { lasting, plural } from "../words.ts";
import { INTERVALS, WAITS } from "./choices.ts";
import { type Draft, secondsToAlert, targetOf } from "./draft.ts";
import { type Outcome, Outcomes } from "./outcomes.tsx";
import { loadProtocols, protocolNamed } from "./protocols.ts";
import { type StepProps, Target } from "./target-step.tsx";

const THRESHOLDS = [1, 2, 3, 5, 10];
/** Paths of errors that stand at a field. */
const SHOWN = [
  "host",
  "port",
  "protocol",
  "settings",
  "intervalSeconds",
  "alerts.afterSeconds",
  "alerts.emails",
  "failureThreshold",
  "degradedAboveMs",
  "quorum",
  "name",
  "tags",
];

interface Policy {
  readonly id: string;
  readonly name: string;
}

const Choice = ({
  id,
  options,
  words,
  value,
  change,
}: {
  readonly id: string;
  readonly options: readonly number[];
  readonly words: (option: number) => string;
  readonly value: number;
  readonly change: (value: number) => void;
}) => (
  <select
    id={id}
    aria-describedby={`${id}-help`}
    value={String(value)}
    onChange={(event) => change(Number(event.currentTarget.value))}
  >
    {[...new Set([...options, value])]
      .toSorted((a, b) => a - b)
      .map((option) => (
        <option key={option} value={String(option)}>
          {words(option)}
        </option>
      ))}
  </select>
);

const Test = ({ draft, fail }: { readonly draft: Draft; readonly fail: (error: unknown) => void }) => {
  const [outcomes, setOutcomes] = useState<readonly Outcome[] | null>(null);
  const [isBusy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    setOutcomes(null);
    try {
      const body = targetOf(draft, protocolNamed(draft.protocol));
      setOutcomes((await call<{ readonly outcomes: readonly Outcome[] }>("POST", "/v1/checks", { body })).outcomes);
      fail(null);
    } catch (error) {
      fail(error);
    } finally {
      setBusy(false);
    }
  };
  const isBad = outcomes?.some(({ health, error }) => error !== undefined || health === "down" || health === "unknown");
  return (
    <section aria-label="Test">
      <p>
        <button type="button" disabled={isBusy || draft.host.trim() === ""} onClick={() => void run()}>
          {isBusy ? "Testing…" : "Test now"}
        </button>{" "}
        <span class="dim small">Checks it once from every location. Nothing is stored.</span>
      </p>
      <div aria-live="polite">
        {outcomes && <Outcomes outcomes={outcomes} />}
        {isBad && <p class="notice">This is not how a port in order looks. You may create the monitor all the same.</p>}
      </div>
    </section>
  );
};

const Conditions = ({ draft, change, errors }: StepProps) => {
  const places = draft.locations.length || (session.value?.locations.length ?? 1);
  return (
    <fieldset class="card">
      <legend>When to alert</legend>
      <div class="columns">
        <Field id="intervalSeconds" label="Check every" errors={errorsAt(errors, "intervalSeconds")}>
          <Choice
            id="intervalSeconds"
            options={INTERVALS}
            words={lasting}
            value={draft.intervalSeconds}
            change={(intervalSeconds) => change({ intervalSeconds })}
          />
        </Field>
        <Field id="afterSeconds" label="Alert when down for more than" errors={errorsAt(errors, "alerts.afterSeconds")}>
          <Choice
            id="afterSeconds"
            options={WAITS}
            words={(seconds) => (seconds === 0 ? "at once" : lasting(seconds))}
            value={draft.afterSeconds}
            change={(afterSeconds) => change({ afterSeconds })}
          />
        </Field>
        <Field
          id="failureThreshold"
          label="Down after"
          help="Failed checks in a row, each with its retries."
          errors={errorsAt(errors, "failureThreshold")}
        >
          <Choice
            id="failureThreshold"
            options={THRESHOLDS}
            words={(count) => plural(count, "failed check")}
            value={draft.failureThreshold}
            change={(failureThreshold) => change({ failureThreshold })}
          />
        </Field>
        <Field
          id="degradedAboveMs"
          label="Slow above (ms)"
          help="Empty: never."
          errors={errorsAt(errors, "degradedAboveMs")}
        >
          <input
            id="degradedAboveMs"
            aria-describedby="degradedAboveMs-help"
            inputmode="numeric"
            value={draft.degradedAboveMs}
            onInput={(event) => change({ degradedAboveMs: event.currentTarget.value })}
          />
        </Field>
        {places > 1 && (
          <Field
            id="quorum"
            label="Down when seen so by"
            help="Locations that are offline do not count."
            errors={errorsAt(errors, "quorum")}
          >
            <select
              id="quorum"
              aria-describedby="quorum-help"
              value={draft.quorum}
              onChange={(event) => change({ quorum: event.currentTarget.value })}
            >
              <option value="majority">most locations</option>
              <option value="any">any location</option>
              <option value="all">all locations</option>
              {/^\d+$/.test(draft.quorum) && <option value={draft.quorum}>{draft.quorum} locations</option>}
            </select>
          </Field>
        )}
      </div>
      <p>
        Checked every {lasting(draft.intervalSeconds)} from {plural(places, "place")}; people hear of it at most{" "}
        <strong>{lasting(secondsToAlert(draft))}</strong> after it fails.
      </p>
    </fieldset>
  );
};

const People = ({ draft, change, errors, policies }: StepProps & { readonly policies: readonly Policy[] }) => (
  <fieldset class="card">
    <legend>Who is told</legend>
    <Field
      id="emails"
      label="Mail addresses"
      help="With commas between them. Whoever is subscribed to the alerts hears of it too."
      errors={errorsAt(errors, "alerts.emails")}
    >
      <input
        id="emails"
        aria-describedby="emails-help"
        type="text"
        inputmode="email"
        autocomplete="email"
        value={draft.emails}
        onInput={(event) => change({ emails: event.currentTarget.value })}
      />
    </Field>
    {policies.length > 0 && (
      <div class="field" role="group" aria-label="Alert policies">
        <span>Alert policies</span>
        {policies.map(({ id, name }) => (
          <label key={id} class="check">
            <input
              type="checkbox"
              checked={draft.policies.includes(id)}
              onChange={(event) =>
                change({
                  policies: event.currentTarget.checked
                    ? [...draft.policies, id]
                    : draft.policies.filter((other) => other !== id),
                })
              }
            />{" "}
            {name}
          </label>
        ))}
      </div>
    )}
  </fieldset>
);

interface MonitorFormProps {
  readonly initial: Draft;
  /** What the button says. */
  readonly verb: string;
  /** Stores the draft. What it throws is shown. */
  readonly save: (draft: Draft) => Promise<void>;
  /** Called with each change. */
  readonly keep?: (draft: Draft) => void;
}

export const MonitorForm = ({ initial, verb, save, keep }: MonitorFormProps) => {
  const [draft, setDraft] = useState(initial);
  const [policies, setPolicies] = useState<readonly Policy[]>([]);
  const [failure, setFailure] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const errors = failure instanceof CallFailure ? failure.errors : [];
  useEffect(() => {
    loadProtocols().catch(setFailure);
    get<Page<Policy>>("/v1/policies").then(
      ({ items }) => setPolicies(items),
      () => {}, // without them the form still works
    );
  }, []);
  useEffect(() => keep?.(draft), [draft]);
  useFirstError(form, failure);
  const change = (more: Partial<Draft>) => setDraft((before) => ({ ...before, ...more }));
  const step = { draft, change, errors };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      await save(draft);
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form ref={form} onSubmit={(event) => void submit(event)} noValidate>
      <Target {...step} />
      <Test draft={draft} fail={setFailure} />
      <Conditions {...step} />
      <People {...step} policies={policies} />
      <fieldset class="card">
        <legend>What it is called</legend>
        <Field id="name" label="Name" help="Empty: its address." errors={errorsAt(errors, "name")}>
          <input
            id="name"
            aria-describedby="name-help"
            autocomplete="off"
            value={draft.name}
            onInput={(event) => change({ name: event.currentTarget.value })}
          />
        </Field>
        <Field
          id="tags"
          label="Tags"
          help="key=value, with commas between them, to group and filter by."
          errors={errorsAt(errors, "tags")}
        >
          <input
            id="tags"
            aria-describedby="tags-help"
            autocomplete="off"
            value={draft.tags}
            onInput={(event) => change({ tags: event.currentTarget.value })}
          />
        </Field>
      </fieldset>
      {failure !== null && <FormFailed failure={failure} shown={SHOWN} />}
      <p>
        <button class="primary" type="submit" disabled={isBusy}>
          {verb}
        </button>
      </p>
    </form>
  );
};
