/** The form of a monitor: where, a test, when to alert, whom, what it is called. */
import { useEffect, useState } from "preact/hooks";
import { CallFailure, call } from "../api.ts";
import { ChoiceField, errorsAt, TextField } from "../parts/field.tsx";
import { Form } from "../parts/form.tsx";
import { Failed } from "../parts/notice.tsx";
import { session } from "../session.ts";
import { lasting, plural } from "../words.ts";
import { INTERVALS, SWEEP_INTERVALS, WAITS } from "./choices.ts";
import { type Draft, targetOf } from "./draft.ts";
import { type Outcome, Outcomes } from "./outcomes.tsx";
import { Exceptions, People } from "./people-step.tsx";
import { loadProtocols, protocolNamed, sweepsPorts } from "./protocols.ts";
import { partsOf, type StepProps, Target } from "./target-step.tsx";

const THRESHOLDS = [1, 2, 3, 5, 10];
const QUORUMS: Readonly<Record<string, string>> = {
  majority: "most locations",
  any: "any location",
  all: "all locations",
};
/** Paths of errors that stand at a field. */
const SHOWN = [
  "host",
  "port",
  "protocol",
  "settings",
  "intervalSeconds",
  "alerts.afterSeconds",
  "alerts.emails",
  "alerts.policies",
  "alerts.steps",
  "alerts.remindEverySeconds",
  "alerts.remindAtMost",
  "alerts.until",
  "dependsOn",
  "flapping",
  "failureThreshold",
  "degradedAboveMs",
  "errorRate",
  "quorum",
  "name",
  "tags",
  "key",
];

interface TestProps {
  readonly draft: Draft;
  /** The draft as it is sent. */
  readonly finish: () => Promise<Draft>;
  readonly fail: (error: unknown) => void;
}

const Test = ({ draft, finish, fail }: TestProps) => {
  const [outcomes, setOutcomes] = useState<readonly Outcome[] | null>(null);
  const [isBusy, setBusy] = useState(false);
  const run = async () => {
    if (isBusy) return;
    setBusy(true);
    setOutcomes(null);
    try {
      const finished = await finish();
      const body = targetOf(finished, protocolNamed(finished.protocol));
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
        <button type="button" disabled={draft.host.trim() === ""} aria-disabled={isBusy} onClick={() => void run()}>
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

const Conditions = ({ draft, change, errors, isSweep }: StepProps & { readonly isSweep: boolean }) => {
  const places = draft.locations.length || (session.value?.locations.length ?? 1);
  return (
    <fieldset class="card">
      <legend>When to alert</legend>
      <div class="columns">
        <ChoiceField
          id="intervalSeconds"
          label={isSweep ? "Sweep every" : "Check every"}
          errors={errorsAt(errors, "intervalSeconds")}
          options={isSweep ? SWEEP_INTERVALS : INTERVALS}
          words={lasting}
          value={draft.intervalSeconds}
          change={(intervalSeconds) => change({ intervalSeconds })}
        />
        <ChoiceField
          id="afterSeconds"
          label="Alert when down for more than"
          errors={errorsAt(errors, "alerts.afterSeconds")}
          options={WAITS}
          words={(seconds) => (seconds === 0 ? "at once" : lasting(seconds))}
          value={draft.afterSeconds}
          change={(afterSeconds) => change({ afterSeconds })}
        />
        <ChoiceField
          id="failureThreshold"
          label="Down after"
          help={isSweep ? "Sweeps in a row that find it so." : "Failed checks in a row, each with its retries."}
          errors={errorsAt(errors, "failureThreshold")}
          options={THRESHOLDS}
          words={(count) => plural(count, isSweep ? "sweep" : "failed check")}
          value={draft.failureThreshold}
          change={(failureThreshold) => change({ failureThreshold })}
        />
        {!isSweep && (
          <>
            <TextField
              id="degradedAboveMs"
              label="Slow above (ms)"
              help="Empty: never."
              errors={errorsAt(errors, "degradedAboveMs")}
              input={{ inputmode: "numeric" }}
              value={draft.degradedAboveMs}
              change={(degradedAboveMs) => change({ degradedAboveMs })}
            />
            <TextField
              id="errorPercent"
              label="Error rate above (%)"
              help="Of the last 32 checks. Empty: never."
              errors={errorsAt(errors, "errorRate")}
              input={{ inputmode: "numeric" }}
              value={draft.errorPercent}
              change={(errorPercent) => change({ errorPercent })}
            />
          </>
        )}
        {places > 1 && (
          <ChoiceField
            id="quorum"
            label="Down when seen so by"
            help="Locations that are offline do not count."
            errors={errorsAt(errors, "quorum")}
            options={Object.keys(QUORUMS)}
            words={(quorum) => QUORUMS[quorum] ?? `${quorum} locations`}
            value={draft.quorum}
            change={(quorum) => change({ quorum })}
          />
        )}
      </div>
      <p>
        {isSweep ? "Swept" : "Checked"} every {lasting(draft.intervalSeconds)} from {plural(places, "place")}.
      </p>
    </fieldset>
  );
};

/** The key of a monitor is given when it is made, and stays. */
const Key = ({ draft, change, errors, isFixed }: StepProps & { readonly isFixed: boolean }) => {
  const wrong = errorsAt(errors, "key");
  if (isFixed)
    return draft.key === "" ? null : (
      <p class="dim">
        Its key, which stays: <code>{draft.key}</code>
      </p>
    );
  return (
    <details open={draft.key !== "" || wrong.length > 0}>
      <summary>Advanced</summary>
      <TextField
        id="key"
        label="Key"
        help="Your own name for it, by which programs find it (`PUT /v1/monitors`). Unique; it cannot be changed later."
        errors={wrong}
        input={{ spellcheck: false }}
        value={draft.key}
        change={(key) => change({ key })}
      />
    </details>
  );
};

/** What may not be swept is wrong with the host. @throws always */
const atHost = (error: unknown): never => {
  if (!(error instanceof CallFailure) || error.code !== "sweep-not-allowed") throw error;
  const { message, status, requestId } = error;
  throw new CallFailure(message, { status, requestId, errors: [{ path: "host", message }] });
};

interface MonitorFormProps {
  readonly initial: Draft;
  /** Of the monitor that is changed. */
  readonly id?: string;
  /** What the button says. */
  readonly verb: string;
  /** Stores the draft. What it throws is shown. */
  readonly save: (draft: Draft) => Promise<void>;
  /** Called with each change. */
  readonly keep?: (draft: Draft) => void;
}

export const MonitorForm = ({ initial, id, verb, save, keep }: MonitorFormProps) => {
  const [draft, setDraft] = useState(initial);
  const [unloaded, setUnloaded] = useState<unknown>(null);
  useEffect(() => {
    loadProtocols().catch(setUnloaded);
  }, []);
  useEffect(() => keep?.(draft), [draft]);
  const isSweep = sweepsPorts(draft.protocol);
  const change = (more: Partial<Draft>) => setDraft((before) => ({ ...before, ...more }));
  /** Whoever presses Enter in the field of the host, or a button at once, has not left it before. */
  const finish = async (): Promise<Draft> => {
    const found = await partsOf(draft.host, isSweep);
    if (!found) return draft;
    change(found.change);
    return { ...draft, ...found.change };
  };
  return (
    <Form verb={verb} shown={SHOWN} save={async () => save(await finish()).catch(atHost)}>
      {(errors, fail) => (
        <>
          {unloaded !== null && <Failed failure={unloaded} />}
          <Target draft={draft} change={change} errors={errors} />
          {isSweep ? (
            <p class="dim">
              A sweep takes a minute or longer, and cannot be tried before: the first one begins at once.
            </p>
          ) : (
            <Test draft={draft} finish={finish} fail={fail} />
          )}
          <Conditions isSweep={isSweep} draft={draft} change={change} errors={errors} />
          <People draft={draft} change={change} errors={errors} />
          <Exceptions draft={draft} change={change} errors={errors} id={id} />
          <fieldset class="card">
            <legend>What it is called</legend>
            <TextField
              id="name"
              label="Name"
              help="Empty: its address."
              errors={errorsAt(errors, "name")}
              value={draft.name}
              change={(name) => change({ name })}
            />
            <TextField
              id="tags"
              label="Tags"
              help="key=value, with commas between them, to group and filter by."
              errors={errorsAt(errors, "tags")}
              value={draft.tags}
              change={(tags) => change({ tags })}
            />
            <Key draft={draft} change={change} errors={errors} isFixed={id !== undefined} />
          </fieldset>
        </>
      )}
    </Form>
  );
};
