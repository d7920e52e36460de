/** Creates or changes a status page, and shows the real page before it is saved. */
import { useRef, useState } from "preact/hooks";
import { call, type FieldError } from "../api.ts";
import { zone } from "../display.ts";
import { Editing } from "../parts/editing.tsx";
import { Checks, ChoiceField, errorsAt, Field, TextField } from "../parts/field.tsx";
import { Form } from "../parts/form.tsx";
import type { Json } from "../parts/merge-patch.ts";
import { Permitted } from "../parts/notice.tsx";
import { ZoneField } from "../parts/zone-field.tsx";
import { go } from "../router.ts";
import { Groups } from "./groups.tsx";
import { Look } from "./look.tsx";
import {
  bodyOfPage,
  draftOfPage,
  emptyPage,
  LANGUAGE_NAMES,
  type Language,
  type PageDraft,
  type StatusPage,
  VISIBILITY_WORDS,
  type Visibility,
} from "./page.ts";
import { PageNav, Visit } from "./visit.tsx";

/** Paths of errors that stand at a field. */
const SHOWN = [
  "title",
  "slug",
  "description",
  "visibility",
  "password",
  "groups",
  "logo",
  "accentColor",
  "days",
  "timeZone",
  "language",
  "links",
];
const keys = <Key extends string>(words: Readonly<Record<Key, string>>) => Object.keys(words) as Key[];

export interface PartProps {
  readonly draft: PageDraft;
  readonly change: (change: Partial<PageDraft>) => void;
  readonly errors: readonly FieldError[];
}

const Basics = ({ draft, change, errors }: PartProps) => (
  <fieldset class="card">
    <legend>The page</legend>
    <TextField
      id="title"
      label="Title"
      errors={errorsAt(errors, "title")}
      value={draft.title}
      change={(title) => change({ title })}
    />
    <Field id="description" label="What it is about" help="May be empty." errors={errorsAt(errors, "description")}>
      <textarea
        id="description"
        aria-describedby="description-help"
        dir="auto"
        rows={2}
        value={draft.description}
        onInput={(event) => change({ description: event.currentTarget.value })}
      />
    </Field>
    <div class="columns">
      <ChoiceField
        id="language"
        label="Language of the fixed words"
        errors={errorsAt(errors, "language")}
        options={keys<Language>(LANGUAGE_NAMES)}
        words={(language) => LANGUAGE_NAMES[language]}
        value={draft.language}
        change={(language) => change({ language })}
      />
      <ZoneField
        help="For readers without a script; others read times in their own zone."
        errors={errorsAt(errors, "timeZone")}
        value={draft.timeZone}
        change={(timeZone) => change({ timeZone })}
      />
    </div>
  </fieldset>
);

/** @param page as it is stored; null for a new one */
const Access = ({ draft, change, errors, page }: PartProps & { readonly page: StatusPage | null }) => {
  const hasPassword = page?.hasPassword ?? false;
  return (
    <fieldset class="card">
      <legend>Who sees it</legend>
      <div class="columns">
        <ChoiceField
          id="visibility"
          label="Seen"
          errors={errorsAt(errors, "visibility")}
          options={keys<Visibility>(VISIBILITY_WORDS)}
          words={(visibility) => VISIBILITY_WORDS[visibility]}
          value={draft.visibility}
          change={(visibility) => change({ visibility })}
        />
        <TextField
          id="slug"
          label="Address: /status/…"
          help={
            draft.visibility === "unlisted"
              ? "At least 16 characters, so that nobody guesses it. Empty: a random one is made."
              : "a-z, 0-9 and hyphens. Empty: made of the title."
          }
          errors={errorsAt(errors, "slug")}
          input={{ spellcheck: false, autocapitalize: "none" }}
          value={draft.slug}
          change={(slug) => change({ slug })}
        />
        {draft.visibility === "private" && (
          <TextField
            id="password"
            label="Password"
            help="8 to 200 characters. It is never shown; a new one logs out whoever used the old one."
            errors={errorsAt(errors, "password")}
            input={{
              type: "password",
              autocomplete: "new-password",
              placeholder: hasPassword ? "set, stays as it is" : "",
              disabled: draft.isPasswordRemoved,
            }}
            value={draft.password}
            change={(password) => change({ password })}
          />
        )}
      </div>
      {page?.visibility === "unlisted" && draft.visibility === "unlisted" && (
        <p>
          <button type="button" disabled={draft.slug === ""} onClick={() => change({ slug: "" })}>
            Give it a new secret address
          </button>{" "}
          <span class="dim small">The old one leads nowhere once this is saved.</span>
        </p>
      )}
      {hasPassword && (
        <Checks
          id="isPasswordRemoved"
          label="Present password"
          options={[["yes", "Remove it: a private page then opens by links only"]]}
          chosen={draft.isPasswordRemoved ? ["yes"] : []}
          change={(chosen) => change({ isPasswordRemoved: chosen.length > 0, password: "" })}
        />
      )}
    </fieldset>
  );
};

interface PageFormProps {
  readonly page: StatusPage | null;
  readonly save: (body: Json) => Promise<void>;
}

const PageForm = ({ page, save }: PageFormProps) => {
  const [draft, setDraft] = useState(() => (page ? draftOfPage(page) : emptyPage(zone.value)));
  const [preview, setPreview] = useState("");
  const frame = useRef<HTMLElement>(null);
  const change = (part: Partial<PageDraft>) => setDraft((before) => ({ ...before, ...part }));
  const show = async () => {
    const { password: _secret, slug: _slug, ...body } = bodyOfPage(draft) as ReturnType<typeof bodyOfPage> & Json;
    const made = await call<{ readonly path: string }>("POST", "/v1/status-pages/preview", { body });
    setPreview(made.path);
    requestAnimationFrame(() => frame.current?.scrollIntoView({ block: "start" }));
  };
  return (
    <Form verb={page ? "Save" : "Create status page"} shown={SHOWN} save={() => save(bodyOfPage(draft))}>
      {(errors, fail) => {
        const parts = { draft, change, errors };
        const look = () => {
          fail(null);
          void show().catch(fail);
        };
        return (
          <>
            <Basics {...parts} />
            <h2>What it shows</h2>
            <Groups groups={draft.groups} errors={errors} change={(groups) => change({ groups })} />
            <Look {...parts} />
            <Access {...parts} page={page} />
            <section ref={frame} aria-label="Preview" class="card">
              <div class="top">
                <h2>Preview</h2>
                <button type="button" class="end" onClick={look}>
                  {preview === "" ? "Show the page" : "Show it anew"}
                </button>
              </div>
              {preview === "" ? (
                <p class="dim">The real page with these settings and the present data, before anybody else sees it.</p>
              ) : (
                <iframe
                  key={preview}
                  class="preview"
                  title="Preview of the page"
                  src={preview}
                  sandbox="allow-scripts"
                />
              )}
            </section>
          </>
        );
      }}
    </Form>
  );
};

const done = () => go("/status-pages");

export const NewStatusPagePage = () => (
  <main id="main" class="form">
    <h1 tabIndex={-1}>New status page</h1>
    <Permitted what="Creating a status page">
      <PageForm
        page={null}
        save={async (body) => {
          await call("POST", "/v1/status-pages", { body });
          done();
        }}
      />
    </Permitted>
  </main>
);

export const StatusPagePage = ({ id }: { readonly id: string }) => (
  <main id="main" class="form">
    <PageNav id={id} />
    <Editing<StatusPage>
      path={`/v1/status-pages/${id}`}
      noun="status page"
      titleOf={({ title }) => title}
      bodyOf={(page) => bodyOfPage(draftOfPage(page))}
      done={done}
    >
      {(page, save) => (
        <>
          <p class="actions">
            <Visit page={page} />
          </p>
          <PageForm page={page} save={save} />
        </>
      )}
    </Editing>
  </main>
);
