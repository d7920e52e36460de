/** A field of a form, with the API's words for what is wrong with it. */
import type { ComponentChildren, RefObject } from "preact";
import { useEffect } from "preact/hooks";
import type { FieldError } from "../api.ts";

/** A text of the API: what stands between backticks is code. */
const Words = ({ text }: { readonly text: string }) => (
  <>{text.split("`").map((part, index) => (index % 2 === 0 ? part : <code key={part}>{part}</code>))}</>
);

/** What the API says of a field, by its path (`retries.count`); parts of a field count with it. */
export const errorsAt = (errors: readonly FieldError[], path: string): readonly FieldError[] =>
  errors.filter(
    (error) => error.path === path || error.path.startsWith(`${path}.`) || error.path.startsWith(`${path}[`),
  );

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly help?: string;
  readonly errors?: readonly FieldError[];
  /** The control, whose `id` is that of the field and whose `aria-describedby` is `<id>-help`. */
  readonly children: ComponentChildren;
}

export const Field = ({ id, label, help, errors = [], children }: FieldProps) => (
  <div class="field">
    <label for={id}>{label}</label>
    {children}
    <div id={`${id}-help`} class="small">
      {help && (
        <span class="dim">
          <Words text={help} />
        </span>
      )}
      {errors.map(({ path, message }) => (
        <div key={`${path} ${message}`} class="is-down" data-error>
          {message}
        </div>
      ))}
    </div>
  </div>
);

/** Puts the focus into the first field of a form that is wrong. */
export const useFirstError = (form: RefObject<HTMLFormElement | null>, failure: unknown): void => {
  useEffect(() => {
    const first = form.current?.querySelector("[data-error]")?.closest(".field");
    first?.querySelector<HTMLElement>("input, select")?.focus();
  }, [failure]);
};
