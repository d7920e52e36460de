/** Parts of a form for who is told step by step, and how often: of alert policies and of monitors alike. */
import type { ComponentChildren } from "preact";
import type { Channel } from "../alerts-model.ts";
import type { FieldError } from "../api.ts";
import { Checks, ChoiceField, errorsAt, TextField } from "../parts/field.tsx";
import { lasting } from "../words.ts";
import { EMPTY_STEP, type EscalationDraft, SUBSCRIPTIONS } from "./policy.ts";

const WAITS = [0, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 86_400];
const REMINDERS = [0, 300, 900, 1_800, 3_600, 14_400, 43_200, 86_400];
const MOST_STEPS = 10;
const UNTIL = { acknowledged: "somebody acknowledges", recovered: "it has recovered" } as const;

interface PartProps {
  /** Path of what has the steps in the body: empty, or `alerts.`. */
  readonly at: string;
  readonly draft: EscalationDraft;
  readonly change: (change: Partial<EscalationDraft>) => void;
  readonly errors: readonly FieldError[];
}

interface StepsProps extends PartProps {
  readonly channels: readonly Channel[];
  /** Whether there must be a step. */
  readonly isNeeded?: boolean;
}

export const Steps = ({ at: prefix, draft: { steps }, change, errors, channels, isNeeded = false }: StepsProps) => {
  const options = [
    ...[...SUBSCRIPTIONS].map(([id, words]) => [id, `Subscriptions: ${words}`] as const),
    ...channels.map(({ id, name }) => [id, name] as const),
  ] as const;
  return (
    <>
      {steps.map((step, index) => {
        const at = `${prefix}steps[${index}]`;
        const set = (part: Partial<typeof step>) => change({ steps: steps.with(index, { ...step, ...part }) });
        return (
          <fieldset key={index} class="card">
            <legend>Step {index + 1}</legend>
            <ChoiceField
              id={`${at}.afterSeconds`}
              label="When"
              errors={errorsAt(errors, `${at}.afterSeconds`)}
              options={WAITS}
              words={(seconds) => (seconds === 0 ? "at once" : `after ${lasting(seconds)} of trouble`)}
              value={step.afterSeconds}
              change={(afterSeconds) => set({ afterSeconds })}
            />
            <Checks
              id={`${at}.channels`}
              label="Tell these channels"
              errors={[...errors.filter(({ path }) => path === at), ...errorsAt(errors, `${at}.channels`)]}
              options={options}
              chosen={step.channels}
              change={(chosen) => set({ channels: chosen })}
            />
            <TextField
              id={`${at}.emails`}
              label="And these mail addresses"
              help="With commas between them."
              errors={errorsAt(errors, `${at}.emails`)}
              input={{ inputmode: "email" }}
              value={step.emails}
              change={(emails) => set({ emails })}
            />
            {(steps.length > 1 || !isNeeded) && (
              <button type="button" onClick={() => change({ steps: steps.filter((_, place) => place !== index) })}>
                Remove step {index + 1}
              </button>
            )}
          </fieldset>
        );
      })}
      {errors
        .filter(({ path }) => path === `${prefix}steps`)
        .map(({ message }) => (
          <p key={message} class="is-down" data-error>
            {message}
          </p>
        ))}
      {steps.length < MOST_STEPS && (
        <p>
          <button
            type="button"
            onClick={() => {
              const last = steps.at(-1)?.afterSeconds ?? -1;
              const afterSeconds = WAITS.find((wait) => wait > Math.max(last, 299)) ?? last + 86_400;
              change({ steps: [...steps, { ...EMPTY_STEP, afterSeconds }] });
            }}
          >
            Add a step
          </button>{" "}
          <span class="dim small">It is told if nobody has acknowledged and nothing has recovered by then.</span>
        </p>
      )}
    </>
  );
};

/** @param children further fields beside them */
export const Reminders = ({
  at,
  draft,
  change,
  errors,
  children,
}: PartProps & { readonly children?: ComponentChildren }) => (
  <div class="columns">
    <ChoiceField
      id={`${at}remindEverySeconds`}
      label="Remind every"
      errors={errorsAt(errors, `${at}remindEverySeconds`)}
      options={REMINDERS}
      words={(seconds) => (seconds === 0 ? "never" : lasting(seconds))}
      value={draft.remindEverySeconds}
      change={(remindEverySeconds) => change({ remindEverySeconds })}
    />
    {draft.remindEverySeconds > 0 && (
      <>
        <TextField
          id={`${at}remindAtMost`}
          label="At most (times)"
          errors={errorsAt(errors, `${at}remindAtMost`)}
          input={{ inputmode: "numeric" }}
          value={draft.remindAtMost}
          change={(remindAtMost) => change({ remindAtMost })}
        />
        <ChoiceField
          id={`${at}until`}
          label="Until"
          errors={errorsAt(errors, `${at}until`)}
          options={Object.keys(UNTIL) as (keyof typeof UNTIL)[]}
          words={(until) => UNTIL[until]}
          value={draft.until}
          change={(until) => change({ until })}
        />
      </>
    )}
    {children}
  </div>
);
