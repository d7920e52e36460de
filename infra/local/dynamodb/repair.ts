/** Detection and repair of corrupt LevelDB files. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeAtomically } from "../disk/atomic-file.ts";
import { beginningWith } from "./item-keys.ts";
import type { DiskStore } from "./store.ts";

const DAMAGE = new Set(["LEVEL_CORRUPTION", "LEVEL_DECODE_ERROR"]);
/** Messages about a file that is missing, is truncated, or has a name with NUL bytes, at which the text ends. */
const DAMAGED_FILE = /No such file|Invalid argument|truncated|^IO error: [^:]*$/;

/** Whether the error means corrupt files. A full disk or missing rights do not: a repair would then cause damage. */
export const isDamage = (error: unknown): boolean => {
  const { code = "", message = "" } = (error ?? {}) as { code?: string; message?: string };
  return DAMAGE.has(code) || (code === "LEVEL_IO_ERROR" && DAMAGED_FILE.test(message));
};

/**
 * Rebuilds the tables from what is readable in the closed files, and opens them. The caller must rebuild the indexes and
 * the order of expiry.
 * @throws when that is not possible, with what to do; the disk's error, with nothing changed, when there is no room
 */
export async function repair(
  store: DiskStore,
  path: string,
  damage: Error,
  log: (line: string) => void = () => {},
): Promise<void> {
  assertRoom(path); // without room LevelDB would set its log aside, and lose what was written last
  try {
    await store.repair();
    await store.open();
    await removeUnreadable(store);
    for (const prefix of ["table~", "expiry-attribute~"]) await store.clear(beginningWith(prefix));
  } catch (error) {
    await store.close();
    throw new Error(
      `the tables in ${path} are damaged and could not be repaired: put a backup in their place, or move the folder away to begin anew (${damage.message})`,
      { cause: error },
    );
  }
  log(
    `the tables in ${path} were damaged and have been repaired (${damage.message}): what could not be read is in ${join(path, "lost")}`,
  );
}

/** @throws when the disk lacks room for a copy of LevelDB's logs, which a repair turns into tables. */
function assertRoom(path: string): void {
  const logs = readdirSync(path).filter((name) => name.endsWith(".log"));
  const bytes = logs.reduce((sum, name) => sum + statSync(join(path, name)).size, MARGIN_BYTES);
  const trial = join(path, ".room");
  try {
    writeFileSync(trial, Buffer.alloc(bytes, 1), { mode: 0o600 });
  } finally {
    rmSync(trial, { force: true });
  }
}

const MARGIN_BYTES = 1024 * 1024;

/** Removes values that are not JSON: LevelDB keeps values of corrupt blocks without notice, and every reader would fail. */
async function removeUnreadable(store: DiskStore): Promise<void> {
  for await (const page of store.textPages()) {
    const bad = page.filter(([, text]) => !isJson(text));
    await store.batch(bad.map(([key]) => ({ type: "del", key })));
  }
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const CHECK = fileURLToPath(new URL("./check-tables.ts", import.meta.url));

export interface Damage {
  readonly damaged: readonly string[];
  /** Those of them that crash LevelDB. */
  readonly fatal: readonly string[];
}

const tablesIn = (path: string): string[] => readdirSync(path).filter((name) => name.endsWith(".ldb"));

/** Size and time of each table file. LevelDB never changes one, so that equal marks mean an equal file. */
const marksOf = (path: string): Record<string, string> =>
  Object.fromEntries(
    tablesIn(path).map((name) => {
      const found = statSync(join(path, name), { throwIfNoEntry: false }); // another process may have them open
      return [name, `${found?.size} ${found?.mtimeMs}`];
    }),
  );

const notesOf = (path: string): string => join(path, "whole.json");

/** Notes the files as intact, after a clean close: the next start need not read them, at some 100 MB a second. */
export function noteWhole(path: string): void {
  writeAtomically(notesOf(path), JSON.stringify(marksOf(path)));
}

/** Reads the notes and deletes them, so that none are left when this process does not close cleanly. */
function takeNotes(path: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(notesOf(path), "utf8"));
  } catch {
    return {};
  } finally {
    rmSync(notesOf(path), { force: true });
  }
}

/** Finds corrupt table files by reading all that are not noted as intact. Call it before the tables are opened. */
export async function findDamage(path: string): Promise<Damage> {
  const [damaged, fatals]: [string[], string[]] = [[], []];
  const [marks, noted] = [marksOf(path), takeNotes(path)];
  let left = Object.keys(marks).filter((name) => marks[name] !== noted[name]);
  while (left.length > 0) {
    const found = await check(path, left);
    damaged.push(...found.filter(({ isWhole }) => !isWhole).map(({ name }) => name));
    const fatal = left[found.length];
    if (fatal !== undefined) {
      damaged.push(fatal);
      fatals.push(fatal);
    }
    left = left.slice(found.length + 1);
  }
  for (const name of readdirSync(dirname(path)))
    if (name.startsWith(".check-")) rmSync(join(dirname(path), name), { recursive: true, force: true });
  return { damaged, fatal: fatals };
}

/** Whether another process has the tables open. A child process tries it, because damage may crash it. */
export async function isLocked(path: string): Promise<boolean> {
  return (await run([path])).text.includes("locked");
}

/** Moves files to `lost`, where LevelDB's repair puts what it cannot read. */
export function setAside(path: string, names: readonly string[]): void {
  if (names.length > 0) mkdirSync(join(path, "lost"), { recursive: true, mode: 0o700 });
  for (const name of names) renameSync(join(path, name), join(path, "lost", name));
}

/** Signals of a crash: LevelDB aborts, or reads invalid memory. */
const FATAL = new Set<string | null>(["SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGTRAP"]);

/**
 * Checks files in a child process.
 * @returns results in the order of the names, up to the file that crashed the process
 * @throws when the process ended for another reason, which says nothing about the files
 */
async function check(path: string, names: readonly string[]): Promise<{ name: string; isWhole: boolean }[]> {
  const { text, errors, code, signal } = await run([path, ...names]);
  if (code !== 0 && !FATAL.has(signal)) {
    const why = /^\w*Error.*$/m.exec(errors)?.[0] ?? signal ?? `exit code ${code}`;
    throw new Error(`the tables in ${path} could not be checked: ${why}`);
  }
  return [...text.matchAll(/^(\S+) (whole|damaged)$/gm)].map(([, name = "", verdict]) => ({
    name,
    isWhole: verdict === "whole",
  }));
}

async function run(args: readonly string[]) {
  const child = spawn(process.execPath, [CHECK, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [text, errors, [code, signal]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, "close") as Promise<[number | null, string | null]>,
  ]);
  return { text, errors, code, signal };
}

const textOf = async (stream: AsyncIterable<Buffer>): Promise<string> =>
  Buffer.concat(await Array.fromAsync(stream)).toString();
