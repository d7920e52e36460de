import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileCacheOf, prepareAssembly, removeOldAssemblies } from "../../../../infra/local/template/assembly.ts";

let folder: string;
let assembly: string;
const CONTEXT = { locations: [{ name: "here", kind: "local" }] };
const manifestOf = (path: string) => join(path, "manifest.json");
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "harborlight-assembly-test-"));
  assembly = await prepareAssembly(folder, CONTEXT);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("is made once for the same sources and context", async () => {
  const { ino } = statSync(assembly);
  expect(await prepareAssembly(folder, CONTEXT)).toBe(assembly);
  expect(statSync(assembly).ino).toBe(ino);
});

test("that was damaged is made anew, byte for byte", async () => {
  const { size } = statSync(manifestOf(assembly));
  appendFileSync(manifestOf(assembly), "x");
  expect(await prepareAssembly(folder, CONTEXT)).toBe(assembly);
  expect(statSync(manifestOf(assembly)).size).toBe(size);
});

test("of another context is another, and the old one is removed", async () => {
  const other = await prepareAssembly(folder, { locations: [{ name: "there", kind: "local" }] });
  expect(other).not.toBe(assembly);
  for (const one of [assembly, other]) mkdirSync(compileCacheOf(one));
  removeOldAssemblies(folder, other);
  expect(readdirSync(folder)).toEqual([basename(other), basename(compileCacheOf(other))]);
});

test("that cannot be made leaves nothing, and says why", async () => {
  const before = readdirSync(folder);
  await expect(prepareAssembly(folder, { locations: [] })).rejects.toThrow(/locations/);
  expect(readdirSync(folder)).toEqual(before);
});
