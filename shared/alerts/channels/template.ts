/**
 * Body templates of webhooks: a JSON document whose texts may name values of the alert, as in
 * `{"text": "{{monitor.name}} is {{status}}", "port": "{{monitor.port}}"}`. A text that is one name and nothing else
 * becomes the value itself (a number, a list, null); within other text the value is inserted. The result is made by
 * `JSON.stringify`, so that no value can break out of its place. There are no conditions, loops or functions.
 */
import type { Alert } from "../../model.ts";
import { details, title } from "../text.ts";

const NAME = /\{\{\s*([\w.-]+)\s*\}\}/g;
const WHOLE = new RegExp(`^${NAME.source}$`);

/** What a template may name. */
const valuesOf = (alert: Alert): Readonly<Record<string, unknown>> => {
  const { monitor, ...others } = alert;
  const fields = Object.entries(monitor).map(([name, value]) => [`monitor.${name}`, value]);
  return { ...others, ...Object.fromEntries(fields), alert, title: title(alert), text: details(alert).join("\n") };
};

/** Tags are named `monitor.tags.<name>`; a monitor without the tag has null there. */
const TAG = "monitor.tags.";

const valueNamed = (values: Readonly<Record<string, unknown>>, name: string): unknown => {
  if (!name.startsWith(TAG)) return values[name];
  const tags = values["monitor.tags"] as Readonly<Record<string, string>>;
  const tag = name.slice(TAG.length);
  return Object.hasOwn(tags, tag) ? tags[tag] : null;
};

const insert = (text: string, values: Readonly<Record<string, unknown>>): unknown => {
  const [, whole] = WHOLE.exec(text) ?? [];
  if (whole) return valueNamed(values, whole);
  return text.replace(NAME, (_, name: string) => {
    const value = valueNamed(values, name);
    return typeof value === "string" ? value : value === null ? "" : JSON.stringify(value);
  });
};

const fill = (template: unknown, values: Readonly<Record<string, unknown>>): unknown => {
  if (typeof template === "string") return insert(template, values);
  if (Array.isArray(template)) return template.map((inner) => fill(inner, values));
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([name, inner]) => [name, fill(inner, values)]));
};

/** @param template valid, as `templateError` says */
export const renderTemplate = (template: string, alert: Alert): string =>
  JSON.stringify(fill(JSON.parse(template), valuesOf(alert)));

/** Deepest nesting; rendering is recursive, and would exhaust the stack on far more. */
const MAX_DEPTH = 32;

const depthOf = (json: string): number => {
  let [depth, deepest] = [0, 0];
  for (const [token] of json.matchAll(/"(\\.|[^"\\])*"|[{}[\]]/g)) {
    if (token === "{" || token === "[") deepest = Math.max(deepest, ++depth);
    else if (token === "}" || token === "]") depth--;
  }
  return deepest;
};

/** All texts of a JSON document with the paths to them. */
const textsIn = (value: unknown, path: string): (readonly [path: string, text: string])[] => {
  if (typeof value === "string") return [[path, value]];
  if (typeof value !== "object" || value === null) return [];
  const step = (name: string) => (Array.isArray(value) ? `${path}[${name}]` : path ? `${path}.${name}` : name);
  return Object.entries(value).flatMap(([name, inner]) => textsIn(inner, step(name)));
};

/** @returns what is wrong with a template and where; undefined if it can be rendered. @param example any alert */
export const templateError = (template: string, example: Alert): string | undefined => {
  let document: unknown;
  try {
    document = JSON.parse(template);
  } catch (error) {
    return `must be JSON: ${(error as Error).message}`;
  }
  if (depthOf(template) > MAX_DEPTH) return `must be nested at most ${MAX_DEPTH} levels deep`;
  const values = valuesOf(example);
  for (const [path, text] of textsIn(document, "")) {
    const place = `at ${path || "the top"}`;
    for (const [, name = ""] of text.matchAll(NAME))
      if (!Object.hasOwn(values, name) && !name.startsWith(TAG))
        return `names {{${name}}} ${place}, which does not exist; there are ${Object.keys(values).join(", ")}`;
    if (/\{\{|\}\}/.test(text.replace(NAME, ""))) return `has {{ or }} ${place} that is no {{name}}`;
  }
  return undefined;
};
