/** Subscriptions: who gets alerts by themselves, which ones, and whether they have confirmed. */
import { useState } from "preact/hooks";
import type { Subscription } from "../alerts-model.ts";
import { CallFailure, call, getAll } from "../api.ts";
import { useLoaded } from "../live.ts";
import { AlertsNav } from "../parts/alerts-nav.tsx";
import { Delete } from "../parts/delete.tsx";
import { Empty } from "../parts/empty.tsx";
import { ChoiceField, errorsAt, TextField } from "../parts/field.tsx";
import { Form } from "../parts/form.tsx";
import { Loading } from "../parts/loading.tsx";
import { Failed } from "../parts/notice.tsx";
import { Unheard } from "../parts/unheard.tsx";
import { mayWrite } from "../session.ts";
import { plural } from "../words.ts";
import { ChangeFilter, FilterFields } from "./filter.tsx";
import {
  bodyOfSubscription,
  EMPTY_SUBSCRIPTION,
  filterInWords,
  KINDS,
  type Kind,
  type SubscriptionDraft,
  TOPICS,
} from "./subscription.ts";

const POLL_MS = 30_000;
const STATUS_WORDS = {
  confirmed: "confirmed",
  pending: "waits for its confirmation",
  gone: "gone: the receiver, or somebody in SNS, ended it",
} as const;
const STATUS_CLASSES = { confirmed: "is-up", pending: "is-degraded", gone: "is-down" } as const;
/** Paths of errors that stand at a field. */
const SHOWN = ["topic", "kind", "endpoint", "filter"];
const keys = <Key extends string>(words: Readonly<Record<Key, unknown>>) => Object.keys(words) as Key[];
const titleOf = (kind: string) => KINDS[kind as Kind]?.title ?? kind;

/** A test goes to a topic, so it may reach others too: that is asked first. */
const SendTest = ({ id }: { readonly id: string }) => {
  const [said, say] = useState("");
  const [failure, fail] = useState<unknown>(null);
  const isAsked = failure instanceof CallFailure && failure.status === 409;
  const send = async () => {
    fail(null);
    say("Sending…");
    try {
      const path = `/v1/subscriptions/${encodeURIComponent(id)}/test${isAsked ? "?others=true" : ""}`;
      const { others } = await call<{ readonly others: number }>("POST", path);
      say(`The test was sent${others > 0 ? `, to ${plural(others, "other")} too` : ""}.`);
    } catch (error) {
      say("");
      fail(error);
    }
  };
  return (
    <>
      <button type="button" onClick={() => void send()}>
        {isAsked ? "Send it to all of them" : "Send test"}
      </button>
      <span role="status" class="small">
        {said}
      </span>
      {failure !== null && <Failed failure={failure} />}
    </>
  );
};

const Row = ({ subscription, changed }: { readonly subscription: Subscription; readonly changed: () => void }) => {
  const { id, topic, kind, endpoint, status } = subscription;
  const [isChanged, setChanged] = useState(false);
  return (
    <tr>
      <td>
        <span dir="auto" class="wrapped">
          {endpoint}
        </span>
        <div class="dim small">{titleOf(kind)}</div>
      </td>
      <td>{filterInWords(subscription)}</td>
      <td class={STATUS_CLASSES[status]}>{STATUS_WORDS[status]}</td>
      {mayWrite.value && (
        <td>
          {id !== null && (
            <div class="actions">
              {status === "confirmed" && <SendTest id={id} />}
              {status === "confirmed" && topic !== "system" && (
                <button type="button" onClick={() => setChanged(true)}>
                  Change…
                </button>
              )}
              {isChanged && (
                <ChangeFilter
                  id={id}
                  subscription={subscription}
                  close={() => setChanged(false)}
                  done={() => {
                    setChanged(false);
                    changed();
                  }}
                />
              )}
              <Delete path={`/v1/subscriptions/${encodeURIComponent(id)}`} name={endpoint} done={changed}>
                <p>{status === "gone" ? "It is forgotten." : "It gets nothing any more."}</p>
              </Delete>
            </div>
          )}
        </td>
      )}
    </tr>
  );
};

const NewSubscription = ({ done }: { readonly done: (made: Subscription) => void }) => {
  const [draft, setDraft] = useState(EMPTY_SUBSCRIPTION);
  const change = (part: Partial<SubscriptionDraft>) => setDraft((before) => ({ ...before, ...part }));
  const { endpoint: label, example } = KINDS[draft.kind];
  const save = async () => {
    const made = await call<Subscription>("POST", "/v1/subscriptions", { body: bodyOfSubscription(draft) });
    setDraft({ ...EMPTY_SUBSCRIPTION, topic: draft.topic, kind: draft.kind });
    done(made);
  };
  return (
    <Form class="card" label="New subscription" verb="Subscribe" shown={SHOWN} save={save}>
      {(errors) => (
        <>
          <h2>New subscription</h2>
          <div class="columns">
            <ChoiceField
              id="topic"
              label="To"
              errors={errorsAt(errors, "topic")}
              options={keys(TOPICS)}
              words={(topic) => TOPICS[topic]}
              value={draft.topic}
              change={(topic) => change({ topic })}
            />
            <ChoiceField
              id="kind"
              label="By"
              errors={errorsAt(errors, "kind")}
              options={keys(KINDS)}
              words={titleOf}
              value={draft.kind}
              change={(kind) => change({ kind })}
            />
            <TextField
              id="endpoint"
              label={label}
              help={/^(email|https?)$/.test(draft.kind) ? "It is asked to confirm first." : ""}
              errors={errorsAt(errors, "endpoint")}
              input={{ placeholder: example, spellcheck: false }}
              value={draft.endpoint}
              change={(endpoint) => change({ endpoint })}
            />
          </div>
          {draft.topic === "alerts" && (
            <details open={errorsAt(errors, "filter").length > 0}>
              <summary>Only some alerts</summary>
              <FilterFields draft={draft} change={change} errors={errors} />
            </details>
          )}
        </>
      )}
    </Form>
  );
};

export const SubscriptionsPage = () => {
  const {
    answer: found,
    failure,
    refresh,
  } = useLoaded((isPoll) => getAll<Subscription>("/v1/subscriptions", { isPoll }), POLL_MS);
  const [made, setMade] = useState("");
  return (
    <main id="main">
      <AlertsNav />
      <div class="top">
        <h1 tabIndex={-1}>Subscriptions</h1>
      </div>
      <p class="dim">
        Receivers of Amazon SNS. Monitors that no policy takes tell all of them; where a <a href="/policies">policy</a>{" "}
        takes a monitor, a step of it has to name the subscriptions.
      </p>
      <Unheard version={found?.filter(({ status }) => status === "confirmed").length} />
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {!found && failure === null && <Loading />}
      {found?.length === 0 && (
        <Empty title="No subscriptions.">
          <p>Subscribe somebody to the messages about the monitoring itself, too: who hears if it stops working?</p>
        </Empty>
      )}
      {found && found.length > 0 && (
        <div class="scrolled">
          <table class="managed">
            <thead>
              <tr>
                <th scope="col">Receiver</th>
                <th scope="col">Gets</th>
                <th scope="col">Status</th>
                {mayWrite.value && <th scope="col">What can be done</th>}
              </tr>
            </thead>
            <tbody>
              {found.map((subscription) => (
                <Row
                  key={subscription.id ?? `${subscription.topic} ${subscription.kind} ${subscription.endpoint}`}
                  subscription={subscription}
                  changed={refresh}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p role="status" class={made === "" ? "unseen" : ""}>
        {made}
      </p>
      {mayWrite.value && (
        <NewSubscription
          done={({ endpoint, status }) => {
            setMade(status === "pending" ? `${endpoint} was asked to confirm.` : `${endpoint} is subscribed.`);
            refresh();
          }}
        />
      )}
    </main>
  );
};
