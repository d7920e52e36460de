/** What all forms do: send once at a time, show why something was not taken, and put the focus on the first wrong field. */
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { CallFailure, type FieldError } from "../api.ts";
import { useFirstError } from "./field.tsx";
import { FormFailed } from "./notice.tsx";

interface FormProps {
  /** What the button says. */
  readonly verb: string;
  /** Paths of the fields that show their errors themselves. */
  readonly shown: readonly string[];
  /** What it throws is shown. */
  readonly save: () => Promise<void>;
  /** Its name for screen readers, where a page has more than this form. */
  readonly label?: string;
  readonly class?: string;
  /** The fields. @param fail shows another failure in the same place; null: none */
  readonly children: (errors: readonly FieldError[], fail: (failure: unknown) => void) => ComponentChildren;
}

export const Form = ({ verb, shown, save, label, children, ...own }: FormProps) => {
  const [failure, fail] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useFirstError(form, failure);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    fail(null);
    try {
      await save();
    } catch (error) {
      fail(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form ref={form} class={own.class} aria-label={label} onSubmit={(event) => void submit(event)} noValidate>
      {children(failure instanceof CallFailure ? failure.errors : [], fail)}
      {failure !== null && <FormFailed failure={failure} shown={shown} />}
      <p>
        <button class="primary" type="submit" disabled={isBusy}>
          {verb}
        </button>
      </p>
    </form>
  );
};
