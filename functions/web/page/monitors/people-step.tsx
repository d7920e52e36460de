/** Who is told of trouble with a monitor, in words, and when nobody is. */
import { useEffect, useState } from "preact/hooks";
import { SendTest } from "../channels/test.tsx";
import { Checks, errorsAt, TextField } from "../parts/field.tsx";
import { MonitorPicker } from "../parts/monitor-picker.tsx";
import { tagsFrom } from "../parts/texts.ts";
import { Reminders, Steps } from "../policies/escalation.tsx";
import { type Known, loadPolicies } from "../policies/list.tsx";
import { bodyOfEscalation, remindersInWords, stepsInWords, takes } from "../policies/policy.ts";
import { lasting } from "../words.ts";
import { type Draft, secondsToAlert, USUAL_FLAPPING } from "./draft.ts";
import { ownSteps } from "./hearers.ts";
import { sweepsPorts } from "./protocols.ts";
import type { StepProps } from "./target-step.tsx";

const NOTHING: Known = { policies: [], channels: [], names: new Map() };

const InWords = ({ draft, known: { policies, names } }: { readonly draft: Draft; readonly known: Known }) => {
  const tags = tagsFrom(draft.tags);
  const taking = policies.filter((policy) => draft.policies.includes(policy.id) || takes(policy, tags));
  const own = ownSteps(draft, taking.length > 0);
  const [first] = [...taking.flatMap(({ steps }) => steps), ...own]
    .map(({ afterSeconds }) => afterSeconds)
    .toSorted((a, b) => a - b);
  return (
    <section aria-label="Who will hear of it">
      <ul class="steps">
        {own.length > 0 && (
          <li dir="auto">
            {stepsInWords({ steps: own }, names).join(" ")}
            {draft.remindEverySeconds > 0 && ` ${remindersInWords(bodyOfEscalation(draft))}`}
          </li>
        )}
        {taking.map((policy) => (
          <li key={policy.id} dir="auto">
            By the policy {policy.name}: {stepsInWords(policy, names).join(" ")}
          </li>
        ))}
      </ul>
      {first === undefined ? (
        <p>Nobody.</p>
      ) : (
        <p>
          {sweepsPorts(draft.protocol) ? (
            <>
              The first of them hears of it when the sweep that finds it is over
              {first > 0 && ` and ${lasting(first)} have passed`}
            </>
          ) : (
            <>
              The first of them hears of it at most <strong>{lasting(secondsToAlert(draft, first))}</strong> after it
              fails
            </>
          )}
          {draft.dependsOn.length > 0 && ", and later where it waits for what it depends on"}.
        </p>
      )}
    </section>
  );
};

/** Channels of its own steps and of the chosen policies, each with a button that tests it. */
const Tests = ({ draft, known: { policies, channels } }: { readonly draft: Draft; readonly known: Known }) => {
  const chosen = policies.filter(({ id }) => draft.policies.includes(id));
  const ids = new Set([draft, ...chosen].flatMap(({ steps }) => steps.flatMap((step) => step.channels)));
  const told = channels.filter(({ id }) => ids.has(id));
  if (told.length === 0) return null;
  return (
    <div class="actions">
      {told.map(({ id, name }) => (
        <SendTest key={id} id={id} name={name} />
      ))}
    </div>
  );
};

/** Steps and reminders of its own, which most monitors have not. */
const Own = ({ draft, change, errors, known }: StepProps & { readonly known: Known }) => {
  const parts = { at: "alerts.", draft, change, errors };
  const wrong = ["steps", "remindEverySeconds", "remindAtMost", "until"].flatMap((name) =>
    errorsAt(errors, `alerts.${name}`),
  );
  return (
    <details class="field" open={wrong.length > 0 || draft.steps.length > 0 || draft.remindEverySeconds > 0}>
      <summary>Steps and reminders of its own</summary>
      <p class="dim small">With steps of its own, it tells the subscriptions only where a step names them.</p>
      <Steps {...parts} channels={known.channels} />
      <Reminders {...parts} />
    </details>
  );
};

export const People = ({ draft, change, errors }: StepProps) => {
  const [known, setKnown] = useState(NOTHING);
  useEffect(() => {
    loadPolicies(false).then(setKnown, () => {}); // without them the form still works
  }, []);
  return (
    <fieldset class="card">
      <legend>Who is told</legend>
      <TextField
        id="emails"
        label="Mail addresses"
        help="With commas between them."
        errors={errorsAt(errors, "alerts.emails")}
        input={{ inputmode: "email", autocomplete: "email" }}
        value={draft.emails}
        change={(emails) => change({ emails })}
      />
      {known.policies.length > 0 && (
        <Checks
          id="policies"
          label="Alert policies"
          help="Beside those that take it by its tags."
          errors={errorsAt(errors, "alerts.policies")}
          options={known.policies.map(({ id, name }) => [id, name] as const)}
          chosen={draft.policies}
          change={(policies) => change({ policies })}
        />
      )}
      <Own draft={draft} change={change} errors={errors} known={known} />
      <Tests draft={draft} known={known} />
      <InWords draft={draft} known={known} />
    </fieldset>
  );
};

const FLAPPING = "flapping";
const DOWNTIME = "downtime";

/** When nobody is told although something is wrong. */
export const Exceptions = ({ draft, change, errors, id }: StepProps & { readonly id: string | undefined }) => {
  const wrong = [...errorsAt(errors, "dependsOn"), ...errorsAt(errors, "flapping")];
  return (
    <details
      class="card"
      open={
        wrong.length > 0 || draft.dependsOn.length > 0 || draft.flapping !== null || draft.maintenanceCountsAsDowntime
      }
    >
      <summary>When nobody is told: dependencies, flapping, maintenance</summary>
      <MonitorPicker
        id="dependsOn"
        label="It depends on"
        help="Monitors without which it cannot be up, such as a router. While all of them are down, nobody is told of it."
        errors={errorsAt(errors, "dependsOn")}
        chosen={draft.dependsOn}
        change={(dependsOn) => change({ dependsOn })}
        except={id}
      />
      <Checks
        id="habits"
        label="Flapping and maintenance"
        errors={errorsAt(errors, "flapping")}
        options={[
          [FLAPPING, "While its status changes all the time, tell people once, and once when it has settled."],
          [DOWNTIME, "Count trouble during maintenance as downtime. Nobody is told of it either way."],
        ]}
        chosen={[...(draft.flapping ? [FLAPPING] : []), ...(draft.maintenanceCountsAsDowntime ? [DOWNTIME] : [])]}
        change={(chosen) =>
          change({
            flapping: chosen.includes(FLAPPING) ? (draft.flapping ?? USUAL_FLAPPING) : null,
            maintenanceCountsAsDowntime: chosen.includes(DOWNTIME),
          })
        }
      />
    </details>
  );
};
