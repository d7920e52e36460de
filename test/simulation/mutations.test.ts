import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MUTANTS } from "./mutations.ts";

const read = (file: string) => readFileSync(new URL(`../..${file}`, import.meta.url), "utf8");

test("every mutation quotes text that stands in its file exactly once", () => {
  const stale = MUTANTS.flatMap(({ name, replacements }) =>
    replacements
      .filter(({ file, from }) => read(file).split(from).length !== 2)
      .map(({ file, from }) => ({ name, file, from, times: read(file).split(from).length - 1 })),
  );
  expect(stale).toEqual([]);
});
