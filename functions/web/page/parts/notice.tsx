/** Why something failed, in the API's words, and what a person can do. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Scope } from "../../../../shared/tokens.ts";
import { CallFailure } from "../api.ts";
import { may } from "../session.ts";
import { plural } from "../words.ts";
import { errorsAt } from "./field.tsx";

/** Counts down to when the server can be asked again; screen readers hear it once. */
const Wait = ({ seconds }: { readonly seconds: number }) => {
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    const timer = setInterval(() => setLeft((before) => before - 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  return <p aria-live="off">{left > 0 ? `Wait ${left} s before you try again.` : "You can try again now."}</p>;
};

export const Failed = ({ failure, retry }: { readonly failure: unknown; readonly retry?: () => void }) => (
  <div class="notice" role="alert">
    <p style={{ margin: 0 }}>{failure instanceof Error ? failure.message : String(failure)}</p>
    {failure instanceof CallFailure && failure.requestId !== null && (
      <p class="dim small" style={{ margin: 0 }}>
        Request <code>{failure.requestId}</code>
      </p>
    )}
    {failure instanceof CallFailure && failure.retryAfterSeconds !== null && (
      <Wait key={failure.requestId} seconds={failure.retryAfterSeconds} />
    )}
    {retry && (
      <button type="button" class="plain" onClick={retry}>
        Try again
      </button>
    )}
  </div>
);

/**
 * Why a form was not taken. What stands at its field already is only counted.
 * @param shown paths of the form's fields
 */
export const FormFailed = ({ failure, shown }: { readonly failure: unknown; readonly shown: readonly string[] }) => {
  if (!(failure instanceof CallFailure) || failure.errors.length === 0) return <Failed failure={failure} />;
  const marked = new Set(shown.flatMap((path) => errorsAt(failure.errors, path)));
  const others = failure.errors.filter((error) => !marked.has(error));
  return (
    <div class="notice" role="alert">
      <p style={{ margin: 0 }}>
        Nothing was stored.{" "}
        {marked.size > 0 && `${plural(marked.size, "thing is", "things are")} wrong: see the marked fields.`}
      </p>
      {others.map(({ path, message }) => (
        <p key={path} style={{ margin: 0 }}>
          {path}: {message}
        </p>
      ))}
    </div>
  );
};

interface PermittedProps {
  readonly what: string;
  /** Default `write`. */
  readonly scope?: Scope;
  readonly children: ComponentChildren;
}

/** Its content for those who may change it. Whoever comes by a direct address without that is told what is missing. */
export const Permitted = ({ what, scope = "write", children }: PermittedProps) =>
  may(scope) ? children : <p class="notice">{`${what} needs a token with the scope ${scope}.`}</p>;
