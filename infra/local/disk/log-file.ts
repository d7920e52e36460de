import { closeSync, fstatSync, mkdirSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { appendAll } from "./atomic-file.ts";
import type { Disk } from "./disk.ts";

/** Size at which the log is rotated. One older file is kept. */
const MAX_BYTES = 10_000_000;

/**
 * Log of one function's output, with rotation: `<file>.1` holds what came before. Output that the disk does not take is
 * dropped.
 */
export class LogFile {
  readonly #file: string;
  readonly #maxBytes: number;
  readonly #disk: Disk | undefined;
  #descriptor: number;
  #bytes: number;

  constructor(file: string, { maxBytes = MAX_BYTES, disk }: { maxBytes?: number; disk?: Disk | undefined } = {}) {
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#disk = disk;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    this.#descriptor = openSync(file, "a", 0o600);
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  write(text: string): void {
    try {
      if (this.#bytes > this.#maxBytes) this.#beginAnew();
      const bytes = Buffer.from(text);
      appendAll(this.#descriptor, this.#bytes, bytes);
      this.#bytes += bytes.length;
    } catch (error) {
      this.#disk?.refused(error as Error);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #beginAnew(): void {
    renameSync(this.#file, `${this.#file}.1`);
    const descriptor = openSync(this.#file, "a", 0o600);
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#bytes = 0;
  }
}
