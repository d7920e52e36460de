import { ftruncateSync, readdirSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Appends all of it or nothing: a disk that fills up in the middle takes the first part without an error.
 * @param at the file's length before
 */
export const appendWhole = (descriptor: number, at: number, bytes: Buffer): void => {
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
  } catch (error) {
    ftruncateSync(descriptor, at);
    throw error;
  }
};

/** How the name of a file ends while it is written. */
const HALF = ".half";

/** Makes or replaces a file that only the owner can read. Nobody ever sees half of it, and a failure leaves the old one. */
export const writeWhole = (file: string, content: string | Buffer): void => {
  const half = join(dirname(file), `.${basename(file)}${HALF}`);
  try {
    writeFileSync(half, content, { mode: 0o600 });
    renameSync(half, file);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
};

/** Removes what a killed process had not written to the end. */
export const removeHalves = (folder: string): void => {
  for (const name of readdirSync(folder)) if (name.endsWith(HALF)) rmSync(join(folder, name), { force: true });
};
