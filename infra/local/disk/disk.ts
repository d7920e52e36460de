import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AwsError } from "../http-server/aws-error.ts";

/** A disk counts as having room again when a file of this size can be written. */
const ROOM_BYTES = 1024 * 1024;
const LOOK_AGAIN_MS = 1_000;

/**
 * System errors of a disk that cannot be written: full, over quota, over the size limit of a file, mounted read-only,
 * broken. All of them can end while the process runs.
 */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOSPC: "it is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "a file has reached the largest size allowed",
  EROFS: "it is mounted read-only",
  EIO: "it reports input/output errors",
};

/** @returns why the disk refused a write, in words; undefined for an error that is not the disk's */
export const refusalOf = (error: unknown): string | undefined =>
  REFUSALS[(error as NodeJS.ErrnoException | undefined)?.code ?? ""];

/** The error of every service while its data cannot be written. SDK clients retry it, as any server error. */
export const insufficientStorage = (error: Error): AwsError =>
  new AwsError("InternalFailure", `nothing was stored: ${refusalOf(error) ?? error.message}`, { status: 507 });

export interface DiskOptions {
  /** The data folder, in which a trial file is written. */
  readonly folder: string;
  readonly log: (line: string) => void;
}

/**
 * State of the data folder's disk: whether it can be written, and what to do when it can again. Writers report failed writes
 * here; while there was one, a trial file is written each second to find out whether there is room again.
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

  /** Reports a failed write. Logs one line, however many follow until there is room. */
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

  /** @param work runs each time the disk can be written again; if it throws, the disk counts as full still */
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
