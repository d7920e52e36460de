/**
 * Reads LevelDB's table files to their ends, each in a folder of its own, and prints `<name> whole` or `<name> damaged`.
 * It runs as a separate process, because LevelDB does not check what it reads and crashes on some damage: a missing line
 * then shows the parent process which file caused the crash.
 *
 *   node check-tables.ts FOLDER FILE…
 *
 * Without files it opens the folder's tables instead, and prints `locked` where another process has them.
 */
import { copyFileSync, existsSync, linkSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ClassicLevel } from "classic-level";

const isWhole = async (folder: string): Promise<boolean> => {
  await ClassicLevel.repair(folder);
  const lost = join(folder, "lost");
  if (existsSync(lost) && readdirSync(lost).some((name) => name.endsWith(".ldb"))) return false;
  const level = new ClassicLevel(folder, { valueEncoding: "utf8" });
  await level.open();
  try {
    const values = level.values({});
    for (let page = await values.nextv(1_000); page.length > 0; page = await values.nextv(1_000))
      for (const text of page) JSON.parse(text);
    return true;
  } catch {
    return false;
  } finally {
    await level.close();
  }
};

/**
 * Puts a file at another path, as a hard link where the file system has links, otherwise as a copy.
 * @returns false for a file that no longer exists: another process has the tables open
 */
const place = (file: string, at: string): boolean => {
  if (!existsSync(file)) return false;
  try {
    linkSync(file, at);
  } catch {
    copyFileSync(file, at);
  }
  return true;
};

const [, , tables = "", ...names] = process.argv;
if (names.length === 0) {
  const level = new ClassicLevel(tables, { valueEncoding: "utf8" });
  await level.open().catch(({ cause }) => {
    if (cause?.code === "LEVEL_LOCKED") process.stdout.write("locked\n");
  });
  await level.close();
}
for (const name of names) {
  const alone = mkdtempSync(join(dirname(tables), ".check-"));
  try {
    const isThere = place(join(tables, name), join(alone, name));
    process.stdout.write(`${name} ${!isThere || (await isWhole(alone)) ? "whole" : "damaged"}\n`);
  } finally {
    rmSync(alone, { recursive: true, force: true });
  }
}
