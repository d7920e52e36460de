/** Runs once before all tests: bundles the functions and synthesises the template that every test builds from. */
import { createHash } from "node:crypto";
import { linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compileCacheOf } from "../../infra/local/template/assembly.ts";
import { DEFAULT_SENDER, synthesise } from "../../infra/local/template/synth.ts";

const ROOT = join(import.meta.dirname, "../..");

/**
 * Sets HARBORLIGHT_TEST_ASSEMBLY to the folder, or HARBORLIGHT_TEST_ASSEMBLY_FAILURE to the reason there is none:
 * then only the tests that need the template fail.
 */
export default async function setup() {
  const folder = mkdtempSync(join(tmpdir(), "harborlight-assembly-"));
  const unlock = await lock();
  try {
    await synthesise(folder, { locations: [{ name: "local", kind: "local" }], alertSender: DEFAULT_SENDER });
    process.env.HARBORLIGHT_TEST_ASSEMBLY = folder;
  } catch (error) {
    const { message } = error as Error;
    console.error(message);
    process.env.HARBORLIGHT_TEST_ASSEMBLY_FAILURE = message;
  } finally {
    unlock();
  }
  return () => {
    for (const one of [folder, compileCacheOf(folder)]) rmSync(one, { recursive: true, force: true });
  };
}

/** One synthesis at a time per checkout: all of them bundle into the same `dist/`. A dead holder's lock is taken over. */
async function lock(): Promise<() => void> {
  const path = join(tmpdir(), `harborlight-synth-${createHash("sha256").update(ROOT).digest("hex").slice(0, 12)}.pid`);
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    for (;;) {
      try {
        // Linking makes the lock with its owner's number in it at once; a reader never finds it empty.
        linkSync(mine, path);
        return () => rmSync(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      if (!isHeld(path)) rmSync(path, { force: true });
      await sleep(100);
    }
  } finally {
    rmSync(mine);
  }
}

/** Whether the process whose number the lock holds is there. */
function isHeld(path: string): boolean {
  try {
    process.kill(Number(readFileSync(path, "utf8")), 0);
    return true;
  } catch (error) {
    // EPERM: a process of another user is a process.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
