import { ftruncateSync, readdirSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Appends all bytes or none: a disk that fills up in the middle writes the first part without an error.
 * @param at the file's length before, to which a failure truncates it
 */
export const appendAll = (descriptor: number, at: number, bytes: Buffer): void => {
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
  } catch (error) {
    ftruncateSync(descriptor, at);
    throw error;
  }
};

/** Ending of a file's name while it is written. */
const HALF = ".half";

/** Writes a file atomically, readable by its owner only: readers see the old file or the new one, never half of it. */
export const writeAtomically = (file: string, content: string | Buffer): void => {
  const half = join(dirname(file), `.${basename(file)}${HALF}`);
  try {
    writeFileSync(half, content, { mode: 0o600 });
    renameSync(half, file);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
};

/** Removes files that a killed process had not finished. */
export const removePartialFiles = (folder: string): void => {
  for (const name of readdirSync(folder)) if (name.endsWith(HALF)) rmSync(join(folder, name), { force: true });
};
