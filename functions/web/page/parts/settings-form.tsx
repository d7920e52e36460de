/** Settings, asked for as their schema says. */
import type { FieldError } from "../api.ts";
import { errorsAt, Field } from "./field.tsx";
import { type Configurable, kindsOf, type Question, questionsOf } from "./settings-schema.ts";

interface SettingsFormProps {
  readonly of: Configurable;
  readonly kind: number;
  readonly values: Readonly<Record<string, string>>;
  /** Names of secrets that are set and not shown: they stay unless something else is typed. */
  readonly kept?: readonly string[];
  readonly errors: readonly FieldError[];
  readonly chooseKind: (kind: number) => void;
  readonly change: (name: string, value: string) => void;
  /** Whether they are what matters most, and stand open. */
  readonly isOpen?: boolean;
}

/** `expectedStatus` becomes "Expected status", `url` "URL". */
const titleOf = (name: string) => {
  const words = name
    .replace(/[A-Z]+/g, (capitals) => ` ${capitals.toLowerCase()}`)
    .replace(/\b(url|tls|id|ip)\b/g, (short) => short.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
};

const Control = ({
  question: { name, kind, choices, standard },
  id,
  value,
  isKept,
  change,
}: {
  readonly question: Question;
  readonly id: string;
  readonly value: string;
  readonly isKept: boolean;
  readonly change: (value: string) => void;
}) => {
  const unchanged = "set, stays as it is";
  const common = { id, "aria-describedby": `${id}-help` };
  if (kind === "choice" || kind === "flag")
    return (
      <select {...common} value={value} onChange={(event) => change(event.currentTarget.value)}>
        <option value="">{standard ? `default (${standard.replaceAll('"', "")})` : "default"}</option>
        {(kind === "flag" ? ["true", "false"] : choices).map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    );
  const writing = {
    ...common,
    name,
    autocomplete: "off",
    value,
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => change(event.currentTarget.value),
  } as const;
  if (kind === "secret") return <input {...writing} type="password" placeholder={isKept ? unchanged : ""} />;
  return (
    <input
      {...writing}
      type="text"
      inputmode={kind === "number" ? "decimal" : "text"}
      placeholder={
        isKept
          ? unchanged
          : kind === "json"
            ? `JSON${standard && `, default ${standard}`}`
            : standard.replaceAll('"', "")
      }
    />
  );
};

export const SettingsForm = (props: SettingsFormProps) => {
  const { of, kind, values, kept = [], errors, chooseKind, change, isOpen = false } = props;
  const kinds = kindsOf(of);
  const questions = questionsOf(of, kind).filter(({ choices }) => choices.length !== 1);
  if (questions.length === 0 && kinds.length < 2) return null;
  const wrong = errorsAt(errors, "settings");
  return (
    <details class="card" open={isOpen || wrong.length > 0 || questions.some(({ isRequired }) => isRequired)}>
      <summary>Settings of {of.title}</summary>
      {kinds.length > 1 && (
        <Field id="settings-kind" label="Kind">
          <select
            id="settings-kind"
            aria-describedby="settings-kind-help"
            value={String(kind)}
            onChange={(event) => chooseKind(Number(event.currentTarget.value))}
          >
            {kinds.map((name, index) => (
              <option key={name} value={String(index)}>
                {name}
              </option>
            ))}
          </select>
        </Field>
      )}
      <div class="columns">
        {questions.map((question) => {
          const id = `settings.${question.name}`;
          const label = question.title || titleOf(question.name);
          return (
            <Field
              key={id}
              id={id}
              label={question.isRequired && !kept.includes(question.name) ? `${label} (required)` : label}
              help={question.help}
              errors={errorsAt(errors, id)}
            >
              <Control
                question={question}
                id={id}
                value={values[question.name] ?? ""}
                isKept={kept.includes(question.name)}
                change={(value) => change(question.name, value)}
              />
            </Field>
          );
        })}
      </div>
    </details>
  );
};
