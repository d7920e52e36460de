/** One incident: what happened in it in the order of time, whom it was told, and what people wrote. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { CallFailure, call, get } from "../api.ts";
import { loadChannels } from "../channels/channels.ts";
import { useTitle } from "../frame.tsx";
import { usePolling } from "../live.ts";
import type { Incident, Page, Status } from "../model.ts";
import { ChoiceField, errorsAt, Field } from "../parts/field.tsx";
import { Form } from "../parts/form.tsx";
import { Failed } from "../parts/notice.tsx";
import { StatusMark } from "../parts/status.tsx";
import { type Names, receiverInWords } from "../policies/policy.ts";
import { mayWrite } from "../session.ts";
import { lasting, plural, when } from "../words.ts";

const POLL_MS = 10_000;
const MOST_EVENTS = 200;

interface Delivery {
  readonly receiver: string;
  readonly state: "waiting" | "sent" | "undeliverable" | null;
  readonly attempts: number;
  readonly answer: string | null;
}
interface Note {
  readonly id: string;
  readonly by: { readonly name: string } | null;
  readonly text: string;
  readonly state: string | null;
  readonly public: boolean;
}
/** `GET /v1/incidents/{id}/timeline` */
interface Event {
  readonly at: string;
  readonly kind: "opened" | "status" | "ended" | "alert" | "undeliverable" | "acknowledged" | "note";
  readonly status?: Status;
  readonly alert?: { readonly event: string; readonly message: string; readonly deliveries: readonly Delivery[] };
  readonly undeliverable?: { readonly receiver: string; readonly error: string };
  readonly acknowledgement?: { readonly by: string; readonly note: string | null };
  readonly note?: Note;
  readonly endReason?: string | null;
}
interface Shown {
  readonly incident: Incident & { readonly monitor: { readonly id: string; readonly name: string } };
  readonly events: readonly Event[];
}

const STATES = ["investigating", "identified", "monitoring", "resolved"] as const;

interface DeliveriesProps {
  readonly deliveries: readonly Delivery[];
  readonly names: Names;
}

const Deliveries = ({ deliveries, names }: DeliveriesProps) => (
  <ul class="plain-list small">
    {deliveries.map(({ receiver, state, attempts, answer }) => (
      <li key={receiver}>
        <span dir="auto">{receiverInWords(receiver, names)}</span>: {state ?? "not known any more"}
        {state !== "sent" && answer !== null && (
          <span class="dim">
            {" "}
            after {plural(attempts, "attempt")}: {answer}
          </span>
        )}
      </li>
    ))}
  </ul>
);

/** An incident begins with a status: both stand in one line. */
const joined = (events: readonly Event[]): readonly Event[] => {
  const [first, second, ...others] = events;
  if (first?.kind !== "opened" || second?.kind !== "status" || second.at !== first.at) return events;
  return [{ ...first, status: second.status! }, ...others];
};

/** What an event says, in words. */
const what = (event: Event, names: Names): ComponentChildren => {
  const { kind, status, alert, undeliverable, acknowledgement, note, endReason } = event;
  switch (kind) {
    case "opened":
      return status ? (
        <>
          It began: <StatusMark status={status} />
        </>
      ) : (
        "It began."
      );
    case "status":
      return <StatusMark status={status!} />;
    case "alert":
      return (
        <>
          Alert <strong>{alert!.event}</strong>: <span dir="auto">{alert!.message}</span>
          <Deliveries deliveries={alert!.deliveries} names={names} />
        </>
      );
    case "undeliverable":
      return (
        <span class="is-down">
          {receiverInWords(undeliverable!.receiver, names)} could not be told: {undeliverable!.error}
        </span>
      );
    case "acknowledged":
      return (
        <>
          <strong>{acknowledgement!.by}</strong> has taken it on. {acknowledgement!.note}
        </>
      );
    case "note":
      return (
        <>
          <strong>{note!.by?.name ?? "Somebody"}</strong> wrote
          {note!.state && ` (${note!.state})`}
          {note!.public && " for everybody"}:
          <p class="note" dir="auto">
            {note!.text}
          </p>
        </>
      );
    case "ended":
      return `It ended: ${endReason ?? "recovered"}.`;
  }
};

const NoteForm = ({ id, done }: { readonly id: string; readonly done: () => void }) => {
  const [text, setText] = useState("");
  const [state, setState] = useState("");
  const [isPublic, setPublic] = useState(false);
  const save = async () => {
    await call("POST", `/v1/incidents/${id}/notes`, { body: { text, public: isPublic, ...(state && { state }) } });
    setText("");
    setState("");
    setPublic(false);
    done();
  };
  return (
    <Form class="card" verb="Write note" shown={["text"]} save={save}>
      {(errors) => (
        <>
          <Field id="text" label="Note" errors={errorsAt(errors, "text")}>
            <textarea
              id="text"
              aria-describedby="text-help"
              rows={3}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </Field>
          <ChoiceField
            id="state"
            label="State of the work"
            options={["", ...STATES]}
            words={(one) => one || "not said"}
            value={state}
            change={setState}
          />
          <div class="field">
            <label class="check">
              <input type="checkbox" checked={isPublic} onChange={(event) => setPublic(event.currentTarget.checked)} />
              <span>For everybody: status pages show it, and their subscribers get it by mail</span>
            </label>
          </div>
        </>
      )}
    </Form>
  );
};

export const IncidentPage = ({ id }: { readonly id: string }) => {
  const [shown, setShown] = useState<Shown | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const [names, setNames] = useState<Names>(new Map());
  const refresh = () => setAttempt(attempt + 1);
  useEffect(() => {
    // Without them the page still says how each message fared.
    loadChannels().then(
      (channels) => setNames(new Map(channels.map((channel) => [channel.id, channel.name]))),
      () => {},
    );
  }, []);
  usePolling(
    async (isPoll) => {
      try {
        const [incident, timeline] = await Promise.all([
          get<Shown["incident"]>(`/v1/incidents/${id}`, { isPoll }),
          get<Page<Event>>(`/v1/incidents/${id}/timeline?limit=${MOST_EVENTS}`, { isPoll }),
        ]);
        setShown({ incident, events: timeline.items });
        setFailure(null);
      } catch (error) {
        setFailure(error);
        throw error;
      }
    },
    POLL_MS,
    [id, attempt],
  );
  useTitle(shown ? `Incident of ${shown.incident.monitor.name}` : "Incident");
  if (!shown)
    return (
      <main id="main" aria-busy={failure === null}>
        {failure instanceof CallFailure && failure.status === 404 ? (
          <>
            <h1 tabIndex={-1}>There is no such incident</h1>
            <p>
              <a href="/incidents">All incidents</a>
            </p>
          </>
        ) : (
          failure !== null && <Failed failure={failure} retry={refresh} />
        )}
      </main>
    );
  const { incident, events } = shown;
  const acknowledge = async () => {
    try {
      await call("POST", `/v1/incidents/${id}/acknowledge`, { body: {} });
      refresh();
    } catch (error) {
      setFailure(error);
    }
  };
  return (
    <main id="main">
      <div class="top">
        <h1 tabIndex={-1} dir="auto">
          {incident.monitor.name}
        </h1>
        {incident.endedAt === null && incident.acknowledged === null && mayWrite.value && (
          <button type="button" class="end" onClick={() => void acknowledge()}>
            Acknowledge
          </button>
        )}
      </div>
      <p>
        <StatusMark status={incident.severity} />{" "}
        {incident.durationSeconds === null ? (
          <>
            since {when(incident.startedAt)}, <strong>still going on</strong>
          </>
        ) : (
          `from ${when(incident.startedAt)} for ${lasting(incident.durationSeconds)}, until ${when(incident.endedAt!)}`
        )}
        : <span dir="auto">{incident.message}</span>
      </p>
      <p>
        <a href={`/monitors/${incident.monitor.id}`}>The monitor</a>
      </p>
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      <h2>What happened</h2>
      <ol class="timeline">
        {joined(events).map((event) => (
          <li key={`${event.at} ${event.kind} ${event.note?.id ?? event.alert?.event ?? ""}`}>
            <time dateTime={event.at} class="dim">
              {when(event.at)}
            </time>
            <div>{what(event, names)}</div>
          </li>
        ))}
      </ol>
      {mayWrite.value && <NoteForm id={id} done={refresh} />}
    </main>
  );
};
