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
import { plural } from "../words.ts";
import { Reminders, Steps } from "./escalation.tsx";
import { PolicyInWords } from "./list.tsx";
import { bodyOfPolicy, draftOfPolicy, EVENTS, emptyPolicy, type PolicyDraft } from "./policy.ts";

const TAKES = {
  all: "every monitor",
  tags: "monitors with these tags",
  named: "only monitors that name it",
} as const;
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
          <Steps {...{ at: "", draft, change, errors, channels, isNeeded: true }} />
          <Scope draft={draft} change={change} errors={errors} />
          <fieldset class="card">
            <legend>Reminders</legend>
            <Reminders {...{ at: "", draft, change, errors }}>
              <ZoneField
                help="In which people are told times."
                errors={errorsAt(errors, "timeZone")}
                value={draft.timeZone}
                change={(timeZone) => change({ timeZone })}
              />
            </Reminders>
          </fieldset>
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
