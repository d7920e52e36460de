/** The cloud assembly of a data folder: kept there, so that the next start needs no synthesis (a second of CPU). */
import { createHash, type Hash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { synthesise } from "./synth.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** What an assembly is made from, beside its context. The lockfile stands for everything in node_modules. */
const SOURCE_FOLDERS = ["functions", "infra", "shared"];
const SOURCE_FILES = ["cdk.json", "package.json", "package-lock.json", "tsconfig.json"];
const PREFIX = "assembly-";
const COMPILED = ".compiled";
/** In the assembly: the digest of all its other files. */
const DIGEST = "digest";

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();

const addFiles = (hash: Hash, files: readonly string[], root: string): Hash => {
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`${relative(root, file)} ${content.length}\n`).update(content);
  }
  return hash;
};

const nameOf = (context: Readonly<Record<string, unknown>>): string => {
  const sources = [
    ...SOURCE_FOLDERS.map((name) => join(ROOT, name)).flatMap(filesIn),
    ...SOURCE_FILES.map((name) => join(ROOT, name)),
  ];
  const hash = createHash("sha256").update(`${process.version} ${JSON.stringify(context)}\n`);
  return PREFIX + addFiles(hash, sources, ROOT).digest("hex").slice(0, 32);
};

const digestOf = (assembly: string): string => {
  const digest = join(assembly, DIGEST);
  const files = filesIn(assembly).filter((file) => file !== digest);
  return addFiles(createHash("sha256"), files, assembly).digest("hex");
};

/** Whether an assembly is there, and as it was written. */
const isSound = (assembly: string): boolean => {
  const digest = join(assembly, DIGEST);
  return existsSync(digest) && readFileSync(digest, "utf8") === digestOf(assembly);
};

/**
 * Synthesises the CDK app into the data folder, unless the assembly that these sources and this context make is there.
 * @returns the assembly's folder
 * @throws with the app's own message when it refuses its context or a function does not compile
 */
export async function prepareAssembly(dataFolder: string, context: Readonly<Record<string, unknown>>): Promise<string> {
  const assembly = join(dataFolder, nameOf(context));
  if (isSound(assembly)) return assembly;
  const fresh = mkdtempSync(join(dataFolder, PREFIX));
  try {
    await synthesise(fresh, context);
    writeFileSync(join(fresh, DIGEST), digestOf(fresh));
    rmSync(assembly, { recursive: true, force: true });
    renameSync(fresh, assembly);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return assembly;
}

/** Where Node keeps the compiled code of an assembly's functions: beside it, because an assembly never changes. */
export const compileCacheOf = (assembly: string): string => `${assembly}${COMPILED}`;

/** Removes what earlier versions, other contexts and killed starts have left. */
export const removeOldAssemblies = (dataFolder: string, current: string): void => {
  for (const name of readdirSync(dataFolder)) {
    const folder = join(dataFolder, name);
    if (name.startsWith(PREFIX) && folder !== current && folder !== compileCacheOf(current))
      rmSync(folder, { recursive: true, force: true });
  }
};
