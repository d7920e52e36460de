/** The schema of a monitor's `changeWatch`: what changes of what its service says of itself mean. */
import { z } from "zod";
import { expecting } from "../issues.ts";
import { MOST_VALUES } from "../rules/baseline.ts";
import { FACT_KEY } from "../rules/fact-names.ts";
import { FACT_RULES } from "../rules/fact-significance.ts";
import { list, oneOf } from "../schema.ts";

const MAX_FACT_RULES = 20;
const factRules = z
  .record(
    z.string().regex(new RegExp(FACT_KEY.source.replace("$", "\\*?$")), {
      error: expecting("the key of a fact, or its beginning and *"),
    }),
    oneOf(FACT_RULES).meta({ id: "FactRule", description: "What a change of a fact means." }),
    { error: expecting('an object of keys and rules, such as {"http.server": "ignore"}') },
  )
  .refine((rules) => Object.keys(rules).length <= MAX_FACT_RULES, {
    error: expecting(`at most ${MAX_FACT_RULES} rules`),
  })
  .describe(
    "What changes of single facts mean, by key, or by its beginning and `*`: `alert`, `record` (expected from then on, and listed) or `ignore`. Default none.",
  );

const MAX_VALUE_CHARACTERS = 200;
/** Values of one fact. */
const factValues = () =>
  list(
    z
      .string({ error: expecting("text") })
      .max(MAX_VALUE_CHARACTERS, { error: expecting(`text of at most ${MAX_VALUE_CHARACTERS} characters`) }),
    MOST_VALUES,
    "values",
  );

const MAX_EXPECTED_BYTES = 4_096;
/** What a service is expected to say of itself, by fact. */
export const factExpectations = () =>
  z
    .record(
      z.string().regex(FACT_KEY, { error: expecting("the key of a fact") }),
      factValues().min(1, { error: expecting("at least one value; an empty text where the fact may be missing") }),
      { error: expecting('an object of keys and lists of values, such as {"ssh.software": ["OpenSSH_9.2p1"]}') },
    )
    .refine((values) => Buffer.byteLength(JSON.stringify(values)) <= MAX_EXPECTED_BYTES, {
      error: expecting(`at most ${MAX_EXPECTED_BYTES} bytes of JSON`),
    });

export const changeWatchShape = {
  mode: oneOf(["learn", "expect", "off"]).meta({
    id: "ChangeWatchMode",
    description:
      "`learn`: what the service says of itself at the first checks is expected from then on. `expect`: of the facts that `expect` names, only its values are; others are learned. `off`: changes are not watched. Default `expect` where there is such a list, else `learn`.",
  }),
  expect: factExpectations().describe(
    "With mode `expect`: the values that are right, by fact, so that they can be kept under version control. `GET /v1/monitors/{id}/baseline` has them in this form. Default none.",
  ),
  severity: oneOf(["critical", "warning", "info"]).meta({
    id: "ChangeSeverity",
    description: "Severity of the alert about a change. Default `warning`.",
  }),
  rules: factRules,
};
