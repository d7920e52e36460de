import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { synthesise } from "../../infra/local/synth.ts";
import { loadTemplate } from "../../infra/local/template.ts";
import { deploymentOf } from "./deployment.ts";
import { generate } from "./generate.ts";
import { judge } from "./oracle/judge.ts";
import { simulate } from "./world.ts";

const folder = process.env.HARBORLIGHT_TEST_ASSEMBLY ?? mkdtempSync(join(tmpdir(), "harborlight-simulation-"));
if (!process.env.HARBORLIGHT_TEST_ASSEMBLY) await synthesise(folder, { locations: [{ name: "local", kind: "local" }], alertSender: "x@example.com" });
const deployment = deploymentOf(loadTemplate(folder, { gatewayUrl: "http://127.0.0.1:1" }));
for (const seed of process.argv.slice(2)) {
  const started = performance.now();
  const run = await simulate(generate(seed), { deployment });
  const t1 = performance.now();
  const { violations, figures } = await judge(run);
  console.log(seed, ((t1 - started) / 1000).toFixed(1), ((performance.now() - t1) / 1000).toFixed(1), run.trace, JSON.stringify(figures), JSON.stringify(Object.fromEntries(run.journal.errors)));
  for (const { kind, id, at, text } of violations.slice(0, 12)) console.log("  ", kind, id.slice(0, 6), at, text);
  if (violations.length > 12) console.log("   and", violations.length - 12, JSON.stringify(Object.fromEntries([...Map.groupBy(violations, (v) => v.kind)].map(([k, v]) => [k, v.length]))));
}
process.exit(0);
