import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AwsError } from "../http-server/aws-error.ts";

/** A disk counts as having room again once it takes this much. */
const ROOM_BYTES = 1024 * 1024;
const LOOK_AGAIN_MS = 1_000;

/**
 * What the system answers when a disk takes no more: full, over quota, over the size limit of a file, mounted
 * read-only, broken. All of them can pass while the process runs.
 */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOSPC: "it is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "a file has reached the largest size allowed",
  EROFS: "it is mounted read-only",
  EIO: "it reports input/output errors",
};

/** @returns in words why a write failed; undefined for an error that is not the disk's. */
export const refusalOf = (error: unknown): string | undefined =>
  REFUSALS[(error as NodeJS.ErrnoException | undefined)?.code ?? ""];

/** The answer of every service here while its data cannot be written. Clients try again, as with any failure of a server. */
export const insufficientStorage = (error: Error): AwsError =>
  new AwsError("InternalFailure", `nothing was stored: ${refusalOf(error) ?? error.message}`, { status: 507 });

export interface DiskOptions {
  /** Where room is looked for. */
  readonly folder: string;
  readonly log: (line: string) => void;
}

/**
 * The disk of the data folder: whether it refuses to be written, and what has to be done once it takes data again. What
 * was refused is reported here by whoever wrote; whether there is room again is found out by writing a file.
 */
export class Disk {
  readonly #options: DiskOptions;
  readonly #onRoom: (() => unknown)[] = [];
  readonly #onChange: ((isRefusing: boolean, why: string) => void)[] = [];
  #why: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #toldLast = "";

  constructor(options: DiskOptions) {
    this.#options = options;
  }

  get isRefusing(): boolean {
    return this.#why !== undefined;
  }

  get log(): (line: string) => void {
    return this.#options.log;
  }

  /** Something could not be written. Logs once, however often it is told until there is room. */
  refused(error: Error): void {
    if (this.#why !== undefined || this.#stopped) return;
    const why = refusalOf(error) ?? error.message;
    this.#why = why;
    this.log(
      `the disk of ${this.#options.folder} takes no data: ${why}; checks go on, changes are refused until it does`,
    );
    this.#wait();
    for (const tell of this.#onChange) tell(true, why);
  }

  /** @param work is done each time the disk takes data again; where it throws, the disk still refuses. */
  onRoom(work: () => unknown): void {
    this.#onRoom.push(work);
  }

  onChange(tell: (isRefusing: boolean, why: string) => void): void {
    this.#onChange.push(tell);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#look(), LOOK_AGAIN_MS).unref();
  }

  async #look(): Promise<void> {
    try {
      this.#tryRoom();
      for (const work of this.#onRoom) await work();
    } catch (error) {
      const { message } = error as Error;
      if (refusalOf(error) === undefined && message !== this.#toldLast) this.log(message);
      this.#toldLast = message;
      return this.#wait();
    }
    if (this.#stopped) return;
    const why = this.#why!;
    this.#why = undefined;
    this.log(`the disk of ${this.#options.folder} takes data again`);
    for (const tell of this.#onChange) tell(false, why);
  }

  #tryRoom(): void {
    const file = join(this.#options.folder, ".room");
    try {
      writeFileSync(file, Buffer.alloc(ROOM_BYTES, 1), { mode: 0o600 });
    } finally {
      rmSync(file, { force: true });
    }
  }
}
