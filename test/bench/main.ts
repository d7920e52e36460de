/** `npm run bench -- <name> [arguments]` runs the benchmark of that name beside this file. */
import { readdirSync } from "node:fs";

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && file !== "main.ts" && !file.endsWith(".test.ts"))
  .map((file) => file.slice(0, -3));
// So that what a benchmark has started ends with it, however it ends.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
const [name = ""] = process.argv.slice(2);
if (names.includes(name)) await import(`./${name}.ts`);
else {
  console.error(`usage: npm run bench -- ${names.join(" | ")}`);
  process.exitCode = 1;
}
