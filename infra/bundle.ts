/**
 * Bundles all functions with esbuild in one go: `functions/<name>/index.ts` to `dist/<name>/index.js`. One call is ten
 * times faster than one bundling construct per function, and the result is the same bytes wherever it is made.
 * CommonJS, because it loads 12 to 25 ms faster than ESM with the SDK inside.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, version as esbuildVersion } from "esbuild";

export const FUNCTIONS = ["api", "compact", "dispatch", "probe", "state-change"] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Folder with a function's bundle. */
export const bundleOf = (name: FunctionName, root = ROOT) => join(root, "dist", name);

/**
 * Brings `dist/` up to date; does nothing when no input changed since the last time.
 * @throws when an entry is missing or does not compile; the message names the file.
 */
export const bundle = async (root = ROOT): Promise<void> => {
  const entries = Object.fromEntries(
    FUNCTIONS.map((name) => [`${name}/index`, join(root, "functions", name, "index.ts")]),
  );
  for (const entry of Object.values(entries)) {
    if (!existsSync(entry)) throw new Error(`cannot bundle: ${relative(root, entry)} does not exist`);
  }
  const stamp = join(root, "dist", "inputs.json");
  if (isCurrent(root, stamp)) return;
  const { metafile } = await build({
    entryPoints: entries,
    outdir: join(root, "dist"),
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    minify: true,
    // Names in stack traces and in error `name`s survive minification.
    keepNames: true,
    legalComments: "none",
    metafile: true,
    logLevel: "silent",
  });
  const inputs = new Set(Object.keys(metafile.inputs));
  for (const input of writeOpenApi(root)) inputs.add(input);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, JSON.stringify({ esbuildVersion, inputs: hashes(root, [...inputs].sort()) }));
};

/** The API's description, made from the schemas that validate. @returns the files it depends on beyond the bundle's */
const writeOpenApi = (root: string): string[] => {
  const source = "functions/api/openapi.ts";
  const target = join(bundleOf("api", root), "openapi.json");
  if (!existsSync(join(root, source))) {
    rmSync(target, { force: true });
    return [];
  }
  writeFileSync(target, execFileSync(process.execPath, [source], { cwd: root, maxBuffer: 16 * 1024 * 1024 }));
  return [source];
};

const isCurrent = (root: string, stamp: string): boolean => {
  if (!existsSync(stamp) || !FUNCTIONS.every((name) => existsSync(join(bundleOf(name, root), "index.js"))))
    return false;
  const last = JSON.parse(readFileSync(stamp, "utf8"));
  const now = hashes(root, Object.keys(last.inputs));
  return last.esbuildVersion === esbuildVersion && JSON.stringify(now) === JSON.stringify(last.inputs);
};

/** SHA-256 by file; a file that is gone has none. */
const hashes = (root: string, files: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    files.map((file) => {
      const path = join(root, file);
      return [file, existsSync(path) ? createHash("sha256").update(readFileSync(path)).digest("hex") : ""];
    }),
  );
