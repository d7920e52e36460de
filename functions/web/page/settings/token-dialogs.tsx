/** Forms and questions about tokens: create, rename, rotate, and the new token's text, which is shown once. */
import { useRef, useState } from "preact/hooks";
import { SCOPES, type Scope } from "../../../../shared/tokens.ts";
import { CallFailure, call } from "../api.ts";
import { useAction } from "../live.ts";
import { CopyField } from "../parts/copy-field.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { errorsAt, Field, useFirstError } from "../parts/field.tsx";
import { FormFailed } from "../parts/notice.tsx";

export interface Token {
  readonly id: string;
  readonly name: string;
  readonly state: "active" | "revoked" | "expired";
  readonly scopes: readonly Scope[];
  readonly monitorTags: readonly string[] | null;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
  readonly previousSecretExpiresAt: string | null;
}
export interface MadeToken extends Token {
  readonly token: string;
}

const SCOPE_WORDS: Readonly<Record<Scope, string>> = {
  metrics: "Reads the metrics for Prometheus, and nothing else.",
  read: "Sees everything but secrets and addresses of people.",
  deploy: "Changes monitors as well, without seeing secrets and addresses.",
  write: "Changes everything but tokens and sessions, and sees addresses.",
  admin: "Everything, with tokens, sessions and the audit log.",
};
const DAY_MS = 86_400_000;
const LIVES = [
  { days: 0, name: "never" },
  { days: 1, name: "in a day" },
  { days: 30, name: "in 30 days" },
  { days: 90, name: "in 90 days" },
  { days: 365, name: "in a year" },
];
const OVERLAPS = [
  { seconds: 0, name: "ends at once" },
  { seconds: 3_600, name: "works for another hour" },
  { seconds: 86_400, name: "works for another day" },
  { seconds: 604_800, name: "works for another 7 days" },
];
const SHOWN = ["name", "scopes", "expiresAt", "monitorTags"];

export const NewToken = ({ done }: { readonly done: (made: MadeToken) => void }) => {
  const [scope, setScope] = useState<Scope>("read");
  const { failure, isBusy, run } = useAction();
  const form = useRef<HTMLFormElement>(null);
  useFirstError(form, failure);
  const errors = failure instanceof CallFailure ? failure.errors : [];
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const asked = new FormData(form.current!);
    const tags = String(asked.get("monitorTags")).split(",");
    const days = Number(asked.get("expiresAt"));
    const monitorTags = tags.map((tag) => tag.trim()).filter(Boolean);
    const body = {
      name: String(asked.get("name")),
      scopes: [scope],
      ...(days > 0 && { expiresAt: new Date(Date.now() + days * DAY_MS).toISOString() }),
      ...(monitorTags.length > 0 && { monitorTags }),
    };
    run(async () => {
      const made = await call<MadeToken>("POST", "/v1/tokens", { body });
      form.current?.reset();
      done(made);
    });
  };
  return (
    <form ref={form} class="card form" onSubmit={submit} noValidate aria-label="New token">
      <h2>New token</h2>
      <div class="columns">
        <Field id="name" label="Name" help="Who or what uses it." errors={errorsAt(errors, "name")}>
          <input id="name" name="name" aria-describedby="name-help" autocomplete="off" />
        </Field>
        <Field id="scopes" label="Scope" help={SCOPE_WORDS[scope]} errors={errorsAt(errors, "scopes")}>
          <select
            id="scopes"
            aria-describedby="scopes-help"
            value={scope}
            onChange={(event) => setScope(event.currentTarget.value as Scope)}
          >
            {SCOPES.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </Field>
        <Field id="expiresAt" label="Expires" errors={errorsAt(errors, "expiresAt")}>
          <select id="expiresAt" name="expiresAt" aria-describedby="expiresAt-help">
            {LIVES.map(({ days, name }) => (
              <option key={days} value={String(days)}>
                {name}
              </option>
            ))}
          </select>
        </Field>
        <Field
          id="monitorTags"
          label="Only monitors with the tags"
          help="`key=value`, with commas between them; one of them is enough. Empty: all monitors."
          errors={errorsAt(errors, "monitorTags")}
        >
          <input id="monitorTags" name="monitorTags" aria-describedby="monitorTags-help" autocomplete="off" />
        </Field>
      </div>
      {failure !== null && <FormFailed failure={failure} shown={SHOWN} />}
      <button class="primary" type="submit" disabled={isBusy}>
        Create token
      </button>
    </form>
  );
};

/** The text of a new token. */
export const ShownOnce = ({ made, close }: { readonly made: MadeToken; readonly close: () => void }) => (
  <Dialog title={`The token ${made.name}`} isWide>
    <p>
      Copy it now: <strong>it is not stored and cannot be shown again.</strong>
    </p>
    <CopyField label="Token" value={made.token}>
      <button type="button" onClick={close}>
        Done
      </button>
    </CopyField>
  </Dialog>
);

interface QuestionProps<Answer> {
  readonly token: Token;
  readonly done: (answer: Answer) => void;
  readonly cancel: () => void;
}

export const Rename = ({ token, done, cancel }: QuestionProps<void>) => {
  const { failure, isBusy, run } = useAction();
  const errors = failure instanceof CallFailure ? failure.errors : [];
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget as HTMLFormElement).get("name"));
    run(async () => {
      await call("PATCH", `/v1/tokens/${token.id}`, { body: { name } });
      done();
    });
  };
  return (
    <Dialog title={`Rename ${token.name}`} close={cancel}>
      <form onSubmit={submit} noValidate>
        <Field id="new-name" label="New name" errors={errorsAt(errors, "name")}>
          <input id="new-name" name="name" aria-describedby="new-name-help" value={token.name} autofocus />
        </Field>
        {failure !== null && <FormFailed failure={failure} shown={["name"]} />}
        <p class="actions">
          <button class="primary" type="submit" disabled={isBusy}>
            Rename
          </button>
          <button type="button" onClick={cancel}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
};

export const Rotate = ({ token, done, cancel }: QuestionProps<MadeToken>) => {
  const { failure, isBusy, run } = useAction();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const overlapSeconds = Number(new FormData(event.currentTarget as HTMLFormElement).get("overlapSeconds"));
    run(async () => done(await call<MadeToken>("POST", `/v1/tokens/${token.id}/rotate`, { body: { overlapSeconds } })));
  };
  return (
    <Dialog title={`Rotate ${token.name}`} close={cancel}>
      <form onSubmit={submit}>
        <p>The token gets a new secret. Its name and what it may do stay.</p>
        <Field id="overlapSeconds" label="The present secret">
          <select id="overlapSeconds" name="overlapSeconds" aria-describedby="overlapSeconds-help" autofocus>
            {OVERLAPS.map(({ seconds, name }) => (
              <option key={seconds} value={String(seconds)} selected={seconds === 86_400}>
                {name}
              </option>
            ))}
          </select>
        </Field>
        {failure !== null && <FormFailed failure={failure} shown={[]} />}
        <p class="actions">
          <button class="primary" type="submit" disabled={isBusy}>
            Rotate
          </button>
          <button type="button" onClick={cancel}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
};
