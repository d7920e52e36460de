/** Notices on a status page: what people announce, beside the incidents that it shows by itself. */
import { useState } from "preact/hooks";
import { call, get, getAll } from "../api.ts";
import { zone } from "../display.ts";
import { useTitle } from "../frame.tsx";
import { now, useAction, useLoaded } from "../live.ts";
import { localOf, startOf } from "../maintenance/local-time.ts";
import { Delete } from "../parts/delete.tsx";
import { Empty } from "../parts/empty.tsx";
import { ChoiceField, errorsAt, Field, TextField } from "../parts/field.tsx";
import { Form } from "../parts/form.tsx";
import { Loading } from "../parts/loading.tsx";
import { mergePatch } from "../parts/merge-patch.ts";
import { Failed } from "../parts/notice.tsx";
import { mayWrite } from "../session.ts";
import { plural, when } from "../words.ts";
import type { NoticeKind, PageNotice, StatusPage } from "./page.ts";
import { PageNav } from "./visit.tsx";

const POLL_MS = 30_000;
const KINDS: Readonly<Record<NoticeKind, string>> = {
  information: "Information",
  maintenance: "Maintenance",
  problem: "Problem, which counts for the sentence on top of the page",
};
const TITLES: Readonly<Record<NoticeKind, string>> = { ...KINDS, problem: "Problem" };
const SHOWN = ["kind", "title", "text", "startsAt", "endsAt"];

interface NoticeDraft {
  readonly kind: NoticeKind;
  readonly title: string;
  readonly text: string;
  /** Local time; empty: now. */
  readonly start: string;
  /** Local time; empty: until somebody ends it. */
  readonly end: string;
}

const EMPTY: NoticeDraft = { kind: "information", title: "", text: "", start: "", end: "" };

const draftOf = ({ kind, title, text, startsAt, endsAt }: PageNotice): NoticeDraft => ({
  kind,
  title,
  text: text ?? "",
  start: localOf(startsAt, zone.value),
  end: endsAt === null ? "" : localOf(endsAt, zone.value),
});

const bodyOf = ({ kind, title, text, start, end }: NoticeDraft) => ({
  kind,
  title: title.trim(),
  text: text.trim() || null,
  ...(start !== "" && { startsAt: startOf(start, zone.value) }),
  endsAt: end === "" ? null : startOf(end, zone.value),
});

interface NoticeFormProps {
  /** The one that is changed; null for a new one. */
  readonly notice: PageNotice | null;
  readonly path: string;
  readonly done: () => void;
}

const NoticeForm = ({ notice, path, done }: NoticeFormProps) => {
  const before = notice ? draftOf(notice) : EMPTY;
  const [draft, setDraft] = useState(before);
  const change = (part: Partial<NoticeDraft>) => setDraft((was) => ({ ...was, ...part }));
  const prefix = notice?.id ?? "new";
  const save = async () => {
    if (notice) {
      const body = mergePatch(bodyOf(before), bodyOf(draft));
      if (body) await call("PATCH", `${path}/${notice.id}`, { body });
    } else {
      await call("POST", path, { body: bodyOf(draft) });
      setDraft(EMPTY);
    }
    done();
  };
  const title = notice ? `Change ${notice.title}` : "New notice";
  return (
    <Form class="card form" label={title} verb={notice ? "Save" : "Write notice"} shown={SHOWN} save={save}>
      {(errors) => (
        <>
          <h2>{title}</h2>
          <TextField
            id={`${prefix}-title`}
            label="Headline"
            errors={errorsAt(errors, "title")}
            value={draft.title}
            change={(text) => change({ title: text })}
          />
          <Field id={`${prefix}-text`} label="Text" help="May be empty." errors={errorsAt(errors, "text")}>
            <textarea
              id={`${prefix}-text`}
              aria-describedby={`${prefix}-text-help`}
              dir="auto"
              rows={3}
              value={draft.text}
              onInput={(event) => change({ text: event.currentTarget.value })}
            />
          </Field>
          <div class="columns">
            <ChoiceField
              id={`${prefix}-kind`}
              label="About"
              errors={errorsAt(errors, "kind")}
              options={Object.keys(KINDS) as NoticeKind[]}
              words={(kind) => KINDS[kind]}
              value={draft.kind}
              change={(kind) => change({ kind })}
            />
            <TextField
              id={`${prefix}-start`}
              label="From"
              help={`Empty: now. Times in ${zone.value}.`}
              errors={errorsAt(errors, "startsAt")}
              input={{ type: "datetime-local" }}
              value={draft.start}
              change={(start) => change({ start })}
            />
            <TextField
              id={`${prefix}-end`}
              label="Until"
              help="Empty: until somebody ends it."
              errors={errorsAt(errors, "endsAt")}
              input={{ type: "datetime-local" }}
              value={draft.end}
              change={(end) => change({ end })}
            />
          </div>
          {!notice && <p class="dim small">Subscribers of the page get it by mail.</p>}
        </>
      )}
    </Form>
  );
};

interface CardProps {
  readonly notice: PageNotice;
  readonly path: string;
  readonly changed: () => void;
}

const Card = ({ notice, path, changed }: CardProps) => {
  const [isEdited, setEdited] = useState(false);
  const { failure, run } = useAction();
  const { id, kind, title, text, startsAt, endsAt } = notice;
  const isOver = endsAt !== null && Date.parse(endsAt) <= now.value;
  const isOn = !isOver && Date.parse(startsAt) <= now.value;
  const end = () =>
    run(async () => {
      await call("PATCH", `${path}/${id}`, { body: { endsAt: new Date().toISOString() } });
      changed();
    });
  return (
    <section class="card" aria-labelledby={id}>
      <div class="top">
        <h3 id={id} dir="auto">
          {title}
        </h3>
        {mayWrite.value && (
          <div class="actions end">
            {isOn && (
              <button type="button" aria-label={`End now: ${title}`} onClick={end}>
                End now
              </button>
            )}
            <button
              type="button"
              aria-label={`Change ${title}`}
              aria-expanded={isEdited}
              onClick={() => setEdited(!isEdited)}
            >
              Change
            </button>
            <Delete path={`${path}/${id}`} name={title} done={changed}>
              <p>It disappears from the history of the page too.</p>
            </Delete>
          </div>
        )}
      </div>
      <p class="dim">
        {TITLES[kind]}, {isOver ? "was" : isOn ? "on" : "will be"} from {when(startsAt)}{" "}
        {endsAt === null ? "until somebody ends it" : `to ${when(endsAt)}`}
      </p>
      {text !== null && (
        <p class="note" dir="auto">
          {text}
        </p>
      )}
      {failure !== null && <Failed failure={failure} />}
      {isEdited && (
        <NoticeForm
          notice={notice}
          path={path}
          done={() => {
            setEdited(false);
            changed();
          }}
        />
      )}
    </section>
  );
};

export const NoticesPage = ({ id }: { readonly id: string }) => {
  const path = `/v1/status-pages/${id}/notices`;
  const {
    answer: found,
    failure,
    refresh,
  } = useLoaded(
    async (isPoll) => {
      const [page, notices] = await Promise.all([
        get<StatusPage>(`/v1/status-pages/${id}`, { isPoll }),
        getAll<PageNotice>(path, { isPoll }),
      ]);
      return { page, notices };
    },
    POLL_MS,
    [id],
  );
  useTitle(found ? `Notices on ${found.page.title}` : "Notices");
  const isOver = ({ endsAt }: PageNotice) => endsAt !== null && Date.parse(endsAt) <= now.value;
  const present = found?.notices.filter((notice) => !isOver(notice)) ?? [];
  const over = found?.notices.filter(isOver) ?? [];
  const card = (notice: PageNotice) => <Card key={notice.id} notice={notice} path={path} changed={refresh} />;
  return (
    <main id="main">
      <PageNav id={id} />
      <div class="top">
        <h1 tabIndex={-1} dir="auto">
          {found ? `Notices on ${found.page.title}` : "Notices"}
        </h1>
      </div>
      <p class="dim">
        What no monitor tells. Incidents of its monitors are on the page by themselves, without message and reason: what
        readers should know of one is a public note on <a href="/incidents">the incident</a>.
      </p>
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {!found && failure === null && <Loading />}
      {found && present.length === 0 && (
        <Empty title="No notices at present.">
          <p>Announce maintenance, or a problem that you know of and no monitor sees.</p>
        </Empty>
      )}
      {present.map(card)}
      {over.length > 0 && (
        <details>
          <summary>{plural(over.length, "notice that is", "notices that are")} over</summary>
          {over.map(card)}
        </details>
      )}
      {found && mayWrite.value && <NoticeForm notice={null} path={path} done={refresh} />}
    </main>
  );
};
