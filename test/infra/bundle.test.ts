import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bundle, FUNCTIONS } from "../../infra/bundle.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "harborlight-bundle-"));
  write("shared/greeting.ts", 'export const greeting: string = "hello";');
  for (const name of FUNCTIONS) {
    write(
      `functions/${name}/index.ts`,
      `import { greeting } from "../../shared/greeting.ts"; export const handler = async () => greeting + "${name}";`,
    );
  }
  for (const file of ["package-lock.json", "tsconfig.json", "infra/bundle.ts"]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    cpSync(file, join(root, file));
  }
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (path: string, text: string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const output = (name: string) => join(root, "dist", name);

test("every function becomes one CommonJS file that runs", async () => {
  await bundle(root);
  for (const name of FUNCTIONS) {
    const { handler } = createRequire(import.meta.url)(output(`${name}/index.js`));
    expect(await handler()).toBe(`hello${name}`);
  }
});

test("nothing is written again while nothing changed; a changed import is noticed", async () => {
  await bundle(root);
  const files = [output("probe/index.js"), output("inputs.json")];
  const before = files.map((file) => statSync(file).mtimeMs);
  await bundle(root);
  expect(files.map((file) => statSync(file).mtimeMs)).toEqual(before);
  write("shared/greeting.ts", 'export const greeting: string = "good evening";');
  await bundle(root);
  expect(readFileSync(output("probe/index.js"), "utf8")).toContain("good evening");
});

test("a bundle that was removed is made again, byte for byte the same", async () => {
  await bundle(root);
  const first = readFileSync(output("api/index.js"));
  rmSync(output("api"), { recursive: true });
  await bundle(root);
  expect(readFileSync(output("api/index.js")).equals(first)).toBe(true);
});

test("the API's description is what openapi.ts prints, renewed when a schema changes, gone when it is", async () => {
  write("functions/api/schema.ts", 'export const title = "first";');
  write("functions/api/openapi.ts", 'import { title } from "./schema.ts"; console.log(JSON.stringify({ title }));');
  await bundle(root);
  const description = () => JSON.parse(readFileSync(output("api/openapi.json"), "utf8"));
  expect(description()).toEqual({ title: "first" });
  write("functions/api/schema.ts", 'export const title = "second";');
  await bundle(root);
  expect(description()).toEqual({ title: "second" });
  rmSync(join(root, "functions/api/openapi.ts"));
  await bundle(root);
  expect(description).toThrow("no such file");
});

test("a missing entry and one that does not compile are named", async () => {
  write("functions/compact/index.ts", "export const handler = (");
  await expect(bundle(root)).rejects.toThrow("functions/compact/index.ts");
  rmSync(join(root, "functions/dispatch/index.ts"));
  await expect(bundle(root)).rejects.toThrow("cannot bundle: functions/dispatch/index.ts does not exist");
});
