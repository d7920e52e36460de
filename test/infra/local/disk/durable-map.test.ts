import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DurableMap } from "../../../../infra/local/disk/durable-map.ts";
import { DueHeap } from "../../../../infra/local/sqs/due-heap.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "harborlight-map-"));
  file = join(folder, "map.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("what was set and deleted is so after opening again, without closing first", () => {
  const map = new DurableMap<number>(file);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  map.delete("b");
  expect(new DurableMap<number>(file).entries()).toEqual([["a", 3]]);
});

test("half a line at the end, as a kill leaves it, is cut off, and writing goes on behind the last whole one", () => {
  new DurableMap<number>(file).set("a", 1);
  appendFileSync(file, '["b",');
  const map = new DurableMap<number>(file);
  map.set("c", 3);
  expect(new DurableMap<number>(file).entries()).toEqual([
    ["a", 1],
    ["c", 3],
  ]);
});

test("a damaged line is set aside once, with a warning that names the file, and the others hold", () => {
  const map = new DurableMap<number>(file);
  for (const [index, key] of ["a", "b", "c"].entries()) map.set(key, index + 11);
  map.close();
  // Still JSON, and not what was written.
  writeFileSync(file, readFileSync(file, "utf8").replace("12]", "13]"));
  const lines: string[] = [];
  for (let start = 0; start < 2; start += 1) {
    const again = new DurableMap<number>(file, { log: (line) => lines.push(line) });
    expect(again.entries()).toEqual([
      ["a", 11],
      ["c", 13],
    ]);
    again.close();
  }
  expect(lines).toEqual([`1 damaged lines of ${file} were set aside in ${file}.unreadable; the others hold`]);
  expect(readFileSync(`${file}.unreadable`, "utf8")).toMatch(/^[0-9a-f]{8} \["b",13\]\n$/);
});

test("lines that an earlier version wrote, without checksums, are read", () => {
  writeFileSync(file, '["a",1]\nrubbish\n["b",2]\n["a"]\n');
  expect(new DurableMap<number>(file).entries()).toEqual([["b", 2]]);
});

test("the file does not grow with history", () => {
  const map = new DurableMap<string>(file);
  for (let round = 0; round < 10_000; round += 1) map.set(`key-${round % 10}`, "x".repeat(20));
  expect(statSync(file).size).toBeLessThan(200_000);
  expect(new DurableMap<string>(file).size).toBe(10);
  expect(readFileSync(file, "utf8").endsWith("\n")).toBe(true);
});

test("a heap gives back by time, and what came first first", () => {
  const heap = new DueHeap();
  const times = Array.from({ length: 500 }, (_, index) => (index * 7_919) % 97);
  for (const [index, atMs] of times.entries()) heap.push(atMs, String(index));
  const expected = times.map((atMs, index) => ({ atMs, index })).sort((a, b) => a.atMs - b.atMs || a.index - b.index);
  expect(expected.map(() => heap.pop()!.id)).toEqual(expected.map(({ index }) => String(index)));
  expect(heap.pop()).toBeUndefined();
});
