/** The schema of a monitor's `changeWatch`: what changes of what its service says of itself mean. */
import { z } from "zod";
import { expecting } from "../issues.ts";
import { FACT_RULES } from "../rules/fact-significance.ts";
import { oneOf } from "../schema.ts";

const MAX_FACT_RULES = 20;
const factRules = z
  .record(
    z
      .string()
      .regex(/^[a-z][A-Za-z0-9.-]{0,59}\*?$/, { error: expecting("the key of a fact, or its beginning and *") }),
    oneOf(FACT_RULES).meta({ id: "FactRule", description: "What a change of a fact means." }),
    { error: expecting('an object of keys and rules, such as {"http.server": "ignore"}') },
  )
  .refine((rules) => Object.keys(rules).length <= MAX_FACT_RULES, {
    error: expecting(`at most ${MAX_FACT_RULES} rules`),
  })
  .describe(
    "What changes of single facts mean, by key, or by its beginning and `*`: `alert`, `record` (expected from then on, and listed) or `ignore`. Default none.",
  );

export const changeWatchShape = {
  mode: oneOf(["learn", "off"]).meta({
    id: "ChangeWatchMode",
    description:
      "`learn`: what the service says of itself at the first checks is expected from then on. `off`: changes are not watched. Default `learn`.",
  }),
  severity: oneOf(["critical", "warning", "info"]).meta({
    id: "ChangeSeverity",
    description: "Severity of the alert about a change. Default `warning`.",
  }),
  rules: factRules,
};
