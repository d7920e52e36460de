import { appendFileSync, closeSync, ftruncateSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { appendAll, writeAtomically } from "./atomic-file.ts";
import { type Disk, refusalOf } from "./disk.ts";

/** The file is compacted when it has more lines than this, and most are obsolete. */
const STALE_LINES = 2_000;

type Entry<V> = [key: string, value: V] | [deletedKey: string];

/**
 * A map with an append-only log: each change is one line appended to a file before the call returns. A killed process loses
 * nothing (the kernel has the bytes); a power cut may lose the last seconds, because nothing waits for fsync. When most of
 * its lines are obsolete, the file is compacted: written anew beside the old one and renamed.
 *
 * A line is the CRC-32 of its JSON, a space, and the JSON. A damaged line is moved to
 * `<file>.unreadable`, with a warning; the others stay valid.
 */
export class DurableMap<V> {
  readonly #file: string;
  readonly #live = new Map<string, V>();
  readonly #disk: Disk | undefined;
  readonly #log: (line: string) => void;
  #descriptor: number;
  #bytes = 0;
  #lines = 0;
  /** Whether the file lacks changes that are in memory. */
  #isBehind = false;

  /**
   * @param options.disk gets failed writes; such a change is kept in memory and written once there is room. Without it, a
   * change that cannot be written throws and is not made.
   * @throws when the file exists but cannot be read or written
   */
  constructor(file: string, options: { readonly disk?: Disk | undefined; readonly log?: (line: string) => void } = {}) {
    this.#file = file;
    this.#disk = options.disk;
    this.#log = options.log ?? options.disk?.log ?? (() => {});
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    this.#descriptor = openSync(file, "a+", 0o600);
    this.#load();
    this.#disk?.onRoom(() => {
      if (this.#isBehind) this.#rewrite();
    });
  }

  get size(): number {
    return this.#live.size;
  }

  get(key: string): V | undefined {
    return this.#live.get(key);
  }

  has(key: string): boolean {
    return this.#live.has(key);
  }

  /** In the order in which the keys were first set; safe against changes while iterating. */
  entries(): [string, V][] {
    return [...this.#live];
  }

  values(): V[] {
    return [...this.#live.values()];
  }

  set(key: string, value: V): void {
    this.#append([key, value]);
    this.#live.set(key, value);
  }

  /** Changes memory only: for what a crash may lose, such as which consumer holds a message. */
  setUntilRestart(key: string, value: V): void {
    this.#live.set(key, value);
  }

  /** @returns whether the key was there. */
  delete(key: string): boolean {
    if (!this.#live.has(key)) return false;
    this.#append([key]);
    return this.#live.delete(key);
  }

  clear(): void {
    for (const key of [...this.#live.keys()]) this.delete(key);
    this.#shorten();
  }

  close(): void {
    try {
      if (this.#isBehind) this.#rewrite();
    } catch (error) {
      this.#log(`${this.#file} lacks its newest changes: ${(error as Error).message}`);
    }
    closeSync(this.#descriptor);
  }

  #load(): void {
    const content = readFileSync(this.#file);
    const end = content.lastIndexOf("\n") + 1;
    const unreadable: Buffer[] = [];
    for (let from = 0; from < end; ) {
      const next = content.indexOf("\n", from) + 1;
      const line = content.subarray(from, next);
      const entry = entryOf<V>(line.subarray(0, -1).toString());
      if (entry === undefined) unreadable.push(line);
      else if (entry.length === 2) this.#live.set(entry[0], entry[1]);
      else this.#live.delete(entry[0]);
      this.#lines += 1;
      from = next;
    }
    if (unreadable.length > 0) {
      const aside = `${this.#file}.unreadable`;
      appendFileSync(aside, Buffer.concat(unreadable), { mode: 0o600 });
      this.#log(`${unreadable.length} damaged lines of ${this.#file} were set aside in ${aside}; the others hold`);
      this.#rewrite();
      return;
    }
    this.#bytes = end;
    // A process killed while writing leaves half a line, whose call never returned.
    if (content.length > end) ftruncateSync(this.#descriptor, end);
  }

  #append(entry: Entry<V>): void {
    if (this.#isBehind) return;
    if (this.#lines > STALE_LINES && this.#lines > 2 * this.#live.size) this.#shorten();
    const line = Buffer.from(lineOf(entry));
    try {
      appendAll(this.#descriptor, this.#bytes, line);
    } catch (error) {
      if (this.#disk === undefined) throw error;
      this.#isBehind = true;
      this.#disk.refused(error as Error);
      return;
    }
    this.#bytes += line.length;
    this.#lines += 1;
  }

  /** Compacts the file; on a full disk it stays as it is. */
  #shorten(): void {
    try {
      this.#rewrite();
    } catch (error) {
      if (refusalOf(error) === undefined) throw error;
    }
  }

  #rewrite(): void {
    const text = this.entries().map(lineOf).join("");
    writeAtomically(this.#file, text);
    closeSync(this.#descriptor);
    this.#descriptor = openSync(this.#file, "a+", 0o600);
    this.#bytes = Buffer.byteLength(text);
    this.#lines = this.#live.size;
    this.#isBehind = false;
  }
}

const lineOf = <V>(entry: Entry<V>): string => {
  const json = JSON.stringify(entry);
  return `${checksumOf(json)} ${json}\n`;
};

const checksumOf = (json: string): string => crc32(json).toString(16).padStart(8, "0");

/** @returns undefined for a damaged line. Lines of earlier versions have no checksum. */
const entryOf = <V>(line: string): Entry<V> | undefined => {
  const [, checksum, json] = /^(?:([0-9a-f]{8}) )?(\[.*\])$/s.exec(line) ?? [];
  if (json === undefined || (checksum !== undefined && checksum !== checksumOf(json))) return undefined;
  try {
    const entry = JSON.parse(json) as Entry<V>;
    return typeof entry[0] === "string" && entry.length <= 2 ? entry : undefined;
  } catch {
    return undefined;
  }
};
