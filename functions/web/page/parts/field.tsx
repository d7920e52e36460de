/** A field of a form, with the API's words for what is wrong with it. */
import type { ComponentChildren, InputHTMLAttributes, RefObject } from "preact";
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

interface Described {
  readonly id: string;
  readonly help?: string | undefined;
  readonly errors?: readonly FieldError[];
}

/** What stands below a control: its help, and what is wrong. */
const Below = ({ id, help, errors = [] }: Described) => (
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
);

interface FieldProps extends Described {
  readonly label: string;
  /** The control, whose `id` is that of the field and whose `aria-describedby` is `<id>-help`. */
  readonly children: ComponentChildren;
}

export const Field = ({ id, label, children, ...below }: FieldProps) => (
  <div class="field">
    <label for={id}>{label}</label>
    {children}
    <Below id={id} {...below} />
  </div>
);

interface TextFieldProps extends Omit<FieldProps, "children"> {
  readonly value: string;
  readonly change: (value: string) => void;
  /** Further attributes of the input. */
  readonly input?: InputHTMLAttributes<HTMLInputElement>;
}

/** A field of one line of text. */
export const TextField = ({ value, change, input, ...field }: TextFieldProps) => (
  <Field {...field}>
    <input
      id={field.id}
      aria-describedby={`${field.id}-help`}
      autocomplete="off"
      dir="auto"
      value={value}
      onInput={(event) => change(event.currentTarget.value)}
      {...input}
    />
  </Field>
);

interface ChoiceFieldProps<Option extends string | number> extends Omit<FieldProps, "children"> {
  readonly options: readonly Option[];
  readonly words: (option: Option) => string;
  readonly value: Option;
  readonly change: (value: Option) => void;
}

/** A field with a choice of one. A value that is none of the options is added to them; numbers are in their order. */
export const ChoiceField = <Option extends string | number>({
  options,
  words,
  value,
  change,
  ...field
}: ChoiceFieldProps<Option>) => {
  const all = [...new Set([...options, value])];
  const ordered = all.every((one) => typeof one === "number") ? all.toSorted((a, b) => Number(a) - Number(b)) : all;
  return (
    <Field {...field}>
      <select
        id={field.id}
        aria-describedby={`${field.id}-help`}
        value={String(value)}
        onChange={(event) => change(ordered[event.currentTarget.selectedIndex]!)}
      >
        {ordered.map((option) => (
          <option key={option} value={String(option)}>
            {words(option)}
          </option>
        ))}
      </select>
    </Field>
  );
};

interface ChecksProps<Option extends string> extends Described {
  readonly label: string;
  /** What can be chosen, with its words. */
  readonly options: readonly (readonly [Option, ComponentChildren])[];
  readonly chosen: readonly Option[];
  readonly change: (chosen: readonly Option[]) => void;
}

/** A field with a choice of any number. */
export const Checks = <Option extends string>({
  id,
  label,
  options,
  chosen,
  change,
  ...below
}: ChecksProps<Option>) => (
  <div class="field" role="group" aria-labelledby={`${id}-label`} aria-describedby={`${id}-help`}>
    <span id={`${id}-label`}>{label}</span>
    {options.map(([option, words]) => (
      <label key={option} class="check">
        <input
          type="checkbox"
          checked={chosen.includes(option)}
          onChange={(event) =>
            change(event.currentTarget.checked ? [...chosen, option] : chosen.filter((other) => other !== option))
          }
        />
        <span dir="auto">{words}</span>
      </label>
    ))}
    <Below id={id} {...below} />
  </div>
);

/** Puts the focus into the first field of a form that is wrong. */
export const useFirstError = (form: RefObject<HTMLFormElement | null>, failure: unknown): void => {
  useEffect(() => {
    const first = form.current?.querySelector("[data-error]")?.closest(".field");
    first?.querySelector<HTMLElement>("input, select, textarea")?.focus();
  }, [failure]);
};
