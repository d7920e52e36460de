/** Loaded before all else: gives modules another text, as the environment variable SIMULATION_MUTATION says. */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

export interface Replacement {
  /** How the module's path ends. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const replacements = JSON.parse(process.env.SIMULATION_MUTATION ?? "[]") as Replacement[];

registerHooks({
  load(url, context, next) {
    const own = replacements.filter(({ file }) => url.endsWith(file));
    if (own.length === 0) return next(url, context);
    let source = readFileSync(fileURLToPath(url), "utf8");
    for (const { from, to } of own) {
      if (!source.includes(from)) throw new Error(`the mutation does not apply to ${url}: ${from}`);
      source = source.replace(from, () => to);
    }
    return { format: "module-typescript", shortCircuit: true, source };
  },
});
