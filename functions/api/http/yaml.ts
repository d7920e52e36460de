/**
 * YAML (RFC 9512) as another spelling of JSON: YAML 1.2's core schema, no tags, no merge keys, names given once, few
 * aliases. Nesting and names have the limits of JSON.
 */
import { parseDocument, stringify } from "yaml";
import { InvalidInput } from "../../../shared/errors.ts";
import { parseJson, TOO_DEEP } from "./json.ts";

export const YAML = "application/yaml";
/** Content types of calls that take and give both, the default first. */
export const JSON_OR_YAML = ["application/json", YAML] as const;

/** Uses of aliases in a body; more are refused, because nested ones multiply ("billion laughs"). */
const MAX_ALIASES = 100;

/** Refuses what JSON cannot say, instead of turning it into null. */
const asInJson = (_name: string, value: unknown): unknown => {
  if (typeof value === "number" && !Number.isFinite(value)) throw new SyntaxError(`${value} is not a number of JSON`);
  return value;
};

/**
 * @throws SyntaxError if it is not YAML of this kind
 * @throws InvalidInput for what JSON has too: deep nesting, refused names, unpaired surrogates
 */
export const parseYaml = (text: string): unknown => {
  const document = parseDocument(text, {
    schema: "core",
    version: "1.2",
    uniqueKeys: true,
    stringKeys: true,
    merge: false,
  });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem?.message.includes("call stack")) throw new InvalidInput(TOO_DEEP);
  if (problem) throw new SyntaxError(problem.message.split("\n")[0]);
  return parseJson(JSON.stringify(document.toJS({ maxAliasCount: MAX_ALIASES }) ?? null, asInJson));
};

/** Texts stay on their lines, and what other schemas take for a boolean or a date is quoted. */
export const toYaml = (value: unknown): string =>
  stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" });
