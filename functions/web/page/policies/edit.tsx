/** Creates or changes an alert policy. */
import { useEffect, useState } from "preact/hooks";
import type { Channel, Policy } from "../alerts-model.ts";
import { call, type FieldError } from "../api.ts";
import { loadChannels } from "../channels/channels.ts";
import { zone } from "../display.ts";
import { AlertsNav } from "../parts/alerts-nav.tsx";
import { Editing } from "../parts/editing.tsx";
import { Checks, ChoiceField, errorsAt, TextField } from "../parts/field.tsx";
import { Form } from "../parts/form.tsx";
import { Failed, Permitted } from "../parts/notice.tsx";
import { ZoneField } from "../parts/zone-field.tsx";
import { go } from "../router.ts";
import { lasting, plural } from "../words.ts";
import { PolicyInWords } from "./list.tsx";
import {
  bodyOfPolicy,
  draftOfPolicy,
  EMPTY_STEP,
  EVENTS,
  emptyPolicy,
  type PolicyDraft,
  SUBSCRIPTIONS,
} from "./policy.ts";

const WAITS = [0, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 86_400];
const REMINDERS = [0, 300, 900, 1_800, 3_600, 14_400, 43_200, 86_400];
const MOST_STEPS = 10;
const TAKES = {
  all: "every monitor",
  tags: "monitors with these tags",
  named: "only monitors that name it",
} as const;
const UNTIL = { acknowledged: "somebody acknowledges", recovered: "it has recovered" } as const;
const TROUBLES = [
  ["critical", "Down"],
  ["warning", "Degraded, such as slow"],
] as const;
/** Paths of errors that stand at a field. */
const SHOWN = [
  "name",
  "match",
  "severities",
  "steps",
  "remindEverySeconds",
  "remindAtMost",
  "until",
  "timeZone",
] as const;
const keys = <Key extends string>(words: Readonly<Record<Key, string>>) => Object.keys(words) as Key[];

interface PartProps {
  readonly draft: PolicyDraft;
  readonly change: (change: Partial<PolicyDraft>) => void;
  readonly errors: readonly FieldError[];
}

const Steps = ({ draft, change, errors, channels }: PartProps & { readonly channels: readonly Channel[] }) => {
  const { steps } = draft;
  const options = [
    ...[...SUBSCRIPTIONS].map(([id, words]) => [id, `Subscriptions: ${words}`] as const),
    ...channels.map(({ id, name }) => [id, name] as const),
  ] as const;
  return (
    <>
      {steps.map((step, index) => {
        const at = `steps[${index}]`;
        const set = (part: Partial<typeof step>) =>
          change({ steps: steps.map((other, place) => (place === index ? { ...other, ...part } : other)) });
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
            {steps.length > 1 && (
              <button type="button" onClick={() => change({ steps: steps.filter((_, place) => place !== index) })}>
                Remove step {index + 1}
              </button>
            )}
          </fieldset>
        );
      })}
      {errors
        .filter(({ path }) => path === "steps")
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

const Scope = ({ draft, change, errors }: PartProps) => (
  <fieldset class="card">
    <legend>What it is for</legend>
    <div class="columns">
      <ChoiceField
        id="takes"
        label="Monitors"
        help="Monitors that a policy takes do not tell the subscriptions by themselves: choose them in a step."
        errors={draft.takes === "tags" ? [] : errorsAt(errors, "match")}
        options={keys(TAKES)}
        words={(takes) => TAKES[takes]}
        value={draft.takes}
        change={(takes) => change({ takes })}
      />
      {draft.takes === "tags" && (
        <TextField
          id="tags"
          label="Tags"
          help="key=value, with commas between them; a monitor must have all. `*` stands for any value."
          errors={errorsAt(errors, "match")}
          value={draft.tags}
          change={(tags) => change({ tags })}
        />
      )}
    </div>
    <Checks
      id="severities"
      label="Tells of"
      errors={errorsAt(errors, "severities")}
      options={TROUBLES}
      chosen={draft.severities}
      change={(severities) => change({ severities })}
    />
    <details open={draft.events.length > 0}>
      <summary>Messages about the monitoring itself</summary>
      <Checks
        id="events"
        label="The first step hears at once of"
        options={EVENTS.map((event, index) => [event as string, index === 0 ? "all of them" : event] as const)}
        chosen={draft.events}
        change={(events) => change({ events })}
      />
    </details>
  </fieldset>
);

const Reminders = ({ draft, change, errors }: PartProps) => (
  <fieldset class="card">
    <legend>Reminders</legend>
    <div class="columns">
      <ChoiceField
        id="remindEverySeconds"
        label="Remind every"
        errors={errorsAt(errors, "remindEverySeconds")}
        options={REMINDERS}
        words={(seconds) => (seconds === 0 ? "never" : lasting(seconds))}
        value={draft.remindEverySeconds}
        change={(remindEverySeconds) => change({ remindEverySeconds })}
      />
      {draft.remindEverySeconds > 0 && (
        <>
          <TextField
            id="remindAtMost"
            label="At most (times)"
            errors={errorsAt(errors, "remindAtMost")}
            input={{ inputmode: "numeric" }}
            value={draft.remindAtMost}
            change={(remindAtMost) => change({ remindAtMost })}
          />
          <ChoiceField
            id="until"
            label="Until"
            errors={errorsAt(errors, "until")}
            options={keys(UNTIL)}
            words={(until) => UNTIL[until]}
            value={draft.until}
            change={(until) => change({ until })}
          />
        </>
      )}
      <ZoneField
        help="In which people are told times."
        errors={errorsAt(errors, "timeZone")}
        value={draft.timeZone}
        change={(timeZone) => change({ timeZone })}
      />
    </div>
  </fieldset>
);

const PolicyForm = ({
  initial,
  verb,
  save,
}: {
  readonly initial: PolicyDraft;
  readonly verb: string;
  readonly save: (draft: PolicyDraft) => Promise<void>;
}) => {
  const [draft, setDraft] = useState(initial);
  const [channels, setChannels] = useState<readonly Channel[]>([]);
  const [unloaded, setUnloaded] = useState<unknown>(null);
  useEffect(() => void loadChannels().then(setChannels, setUnloaded), []);
  const change = (part: Partial<PolicyDraft>) => setDraft((before) => ({ ...before, ...part }));
  const preview = { ...bodyOfPolicy(draft), id: "", updatedAt: "" };
  return (
    <Form verb={verb} shown={SHOWN} save={() => save(draft)}>
      {(errors) => (
        <>
          {unloaded !== null && <Failed failure={unloaded} />}
          <TextField
            id="name"
            label="Name"
            errors={errorsAt(errors, "name")}
            value={draft.name}
            change={(name) => change({ name })}
          />
          <Steps draft={draft} change={change} errors={errors} channels={channels} />
          <Scope draft={draft} change={change} errors={errors} />
          <Reminders draft={draft} change={change} errors={errors} />
          <section class="card" aria-label="In words">
            <h2>{plural(draft.steps.length, "step")}, in words</h2>
            <PolicyInWords policy={preview} names={new Map(channels.map(({ id, name }) => [id, name]))} />
          </section>
        </>
      )}
    </Form>
  );
};

const done = () => go("/policies");

export const NewPolicyPage = () => (
  <main id="main" class="form">
    <AlertsNav />
    <h1 tabIndex={-1}>New policy</h1>
    <Permitted what="Creating a policy">
      <PolicyForm
        initial={emptyPolicy(zone.value)}
        verb="Create policy"
        save={async (draft) => {
          await call("POST", "/v1/policies", { body: bodyOfPolicy(draft) });
          done();
        }}
      />
    </Permitted>
  </main>
);

export const PolicyPage = ({ id }: { readonly id: string }) => (
  <main id="main" class="form">
    <AlertsNav />
    <Editing<Policy>
      path={`/v1/policies/${id}`}
      noun="policy"
      bodyOf={(policy) => bodyOfPolicy(draftOfPolicy(policy))}
      done={done}
    >
      {(policy, save) => (
        <PolicyForm initial={draftOfPolicy(policy)} verb="Save" save={(draft) => save(bodyOfPolicy(draft))} />
      )}
    </Editing>
  </main>
);
