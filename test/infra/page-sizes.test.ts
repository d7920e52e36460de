/** How much a browser loads of the dashboard, compressed. Times are measured by `npm run bench -- web`. */
import { expect, test } from "vitest";
import { buildPage } from "../../infra/bundle-page.ts";
import type { WebFiles } from "../../shared/web-files.ts";

const { content } = await buildPage(process.cwd());
const { files }: WebFiles = JSON.parse(content!.toString());
const sizeOf = (path: string) => Buffer.from(files[path]!.gzip, "base64").length;
const shell = Buffer.from(files["/index.html"]!.identity, "base64").toString();
const scripts = Object.keys(files).filter((path) => path.endsWith(".js"));
const sum = (paths: readonly string[]) => paths.reduce((total, path) => total + sizeOf(path), 0);

test("the first page needs 45 KB of script at most, all pages together 80 KB", () => {
  const first = scripts.filter((path) => shell.includes(path));
  expect(first).toHaveLength(3);
  expect(sum(first)).toBeLessThan(45_000);
  expect(sum(scripts)).toBeLessThan(80_000);
});

test("the shell, with all styles, is smaller than 9 KB; everything is smaller than 100 KB", () => {
  expect(sizeOf("/index.html")).toBeLessThan(9_000);
  expect(sum(Object.keys(files))).toBeLessThan(100_000);
});
