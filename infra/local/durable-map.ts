import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

/** A file is rewritten once this many of its lines are history: enough that rewriting stays rare. */
const STALE_LINES = 2_000;

/**
 * A map whose every change is one line appended to a file before the call returns. A killed process loses nothing
 * (the kernel has the bytes); a power cut may lose the last seconds, because nothing waits for the disk.
 * The file is rewritten beside itself and renamed when most of its lines are history.
 */
export class DurableMap<V> {
  readonly #file: string;
  readonly #live = new Map<string, V>();
  #descriptor: number;
  #bytes = 0;
  #lines = 0;

  /** @throws when the file exists but cannot be read, or has a line in its middle that is not ours. */
  constructor(file: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    this.#descriptor = openSync(file, "a+", 0o600);
    this.#load();
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

  /** Changes memory only: for what may be forgotten by a crash, such as which consumer holds a message. */
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
    this.#live.clear();
    this.#rewrite();
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #load(): void {
    const text = readFileSync(this.#file, "utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    for (const line of whole.split("\n")) {
      if (line === "") continue;
      const entry = JSON.parse(line) as [string, V] | [string];
      if (entry.length === 2) this.#live.set(entry[0], entry[1]);
      else this.#live.delete(entry[0]);
      this.#lines += 1;
    }
    this.#bytes = Buffer.byteLength(whole);
    // A process killed while writing leaves half a line; nobody was told that it was stored.
    ftruncateSync(this.#descriptor, this.#bytes);
  }

  #append(entry: [string, V] | [string]): void {
    if (this.#lines > STALE_LINES && this.#lines > 2 * this.#live.size) this.#rewrite();
    const line = Buffer.from(`${JSON.stringify(entry)}\n`);
    try {
      writeSync(this.#descriptor, line);
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#bytes); // a full disk must not leave half a line before the next one
      throw error;
    }
    this.#bytes += line.length;
    this.#lines += 1;
  }

  #rewrite(): void {
    const text = [...this.#live].map((entry) => `${JSON.stringify(entry)}\n`).join("");
    writeFileSync(`${this.#file}.new`, text, { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
    closeSync(this.#descriptor);
    this.#descriptor = openSync(this.#file, "a+", 0o600);
    this.#bytes = Buffer.byteLength(text);
    this.#lines = this.#live.size;
  }
}
