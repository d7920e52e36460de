/** How settings are asked for by their JSON Schema: those of a protocol, or of a kind of channel. Pure. */

/** The part of JSON Schema that settings use. */
export interface Schema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly writeOnly?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly Schema[];
}

/** Whatever has settings. */
export interface Configurable {
  readonly title: string;
  readonly settings: Schema;
}

/** How one setting is asked for. */
export interface Question {
  readonly name: string;
  /** Empty: what its name says. */
  readonly title: string;
  readonly kind: "text" | "secret" | "number" | "flag" | "choice" | "json";
  readonly choices: readonly string[];
  readonly help: string;
  readonly standard: string;
  readonly isRequired: boolean;
  readonly isSecret: boolean;
}

const kindOf = ({ type, enum: choices, writeOnly }: Schema): Question["kind"] => {
  if (choices) return "choice";
  if (type === "string") return writeOnly ? "secret" : "text";
  if (type === "integer" || type === "number") return "number";
  return type === "boolean" ? "flag" : "json";
};

/** The settings; where there are several kinds of them, those of `kind`. */
export const questionsOf = ({ settings }: Pick<Configurable, "settings">, kind: number): Question[] => {
  const schema = settings.oneOf?.[kind] ?? settings;
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    title: property.title ?? "",
    kind: property.const === undefined ? kindOf(property) : "choice",
    choices: property.const === undefined ? (property.enum ?? []) : [String(property.const)],
    help: property.description ?? "",
    standard: property.default === undefined ? "" : JSON.stringify(property.default),
    isRequired: schema.required?.includes(name) ?? false,
    isSecret: property.writeOnly ?? false,
  }));
};

/** Names of the kinds of settings, where there are several: by what must be constant in each. */
export const kindsOf = ({ settings }: Pick<Configurable, "settings">): readonly string[] =>
  (settings.oneOf ?? []).map(({ properties = {} }) =>
    Object.entries(properties)
      .filter(([, property]) => property.const !== undefined)
      .map(([, property]) => String(property.const))
      .join(" "),
  );

/** A setting's text as the API takes it. What is no JSON goes as text: the API says at its field what it must be. */
const settingOf = ({ kind }: Pick<Question, "kind">, text: string): unknown => {
  switch (kind) {
    case "number":
      return Number.isNaN(Number(text)) ? text : Number(text);
    case "flag":
      return text === "true";
    case "json":
      try {
        return JSON.parse(text);
      } catch {
        return text;
      }
    default:
      return text;
  }
};

/** The texts of a form as the API takes them; empty ones are left out. */
export const settingsFrom = (
  texts: Readonly<Record<string, string>>,
  { settings }: Pick<Configurable, "settings">,
  kind: number,
): Record<string, unknown> => {
  const given = questionsOf({ settings }, kind).flatMap((question) => {
    const text = texts[question.name] ?? "";
    return text === "" ? [] : [[question.name, settingOf(question, text)] as const];
  });
  // Where there are several kinds of settings, what is constant in the chosen one tells it.
  const constant = kindsOf({ settings }).length > 1 ? (settings.oneOf?.[kind]?.properties ?? {}) : {};
  const told = Object.entries(constant).flatMap(([name, { const: value }]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return Object.fromEntries([...given, ...told]);
};

const textOf = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

/** Settings as the texts of a form. */
export const textsOf = (settings: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, textOf(value)]));

/** Which kind of settings these are, where there are several: the one whose constants they have. */
export const variantOf = (
  settings: Readonly<Record<string, unknown>>,
  of: Pick<Configurable, "settings"> | undefined,
): number => {
  const kinds = of?.settings.oneOf ?? [];
  const found = kinds.findIndex(({ properties = {} }) =>
    Object.entries(properties).every(([name, { const: value }]) => value === undefined || settings[name] === value),
  );
  return Math.max(0, found);
};
