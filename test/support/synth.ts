/** Runs once before all tests: bundles the functions and synthesises the template that every test builds from. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const ROOT = join(import.meta.dirname, "../..");

/** What `npm start` gives the app too: one location, on this machine. */
const CONTEXT = {
  local: true,
  locations: [{ name: "local", kind: "local" }],
  alertSender: "harborlight@localhost",
};

/**
 * Sets HARBORLIGHT_TEST_ASSEMBLY to the folder, or HARBORLIGHT_TEST_ASSEMBLY_FAILURE to the reason there is none:
 * then only the tests that need the template fail.
 */
export default async function setup() {
  const folder = mkdtempSync(join(tmpdir(), "harborlight-assembly-"));
  const unlock = await lock();
  try {
    await promisify(execFile)(process.execPath, ["infra/app.ts"], {
      cwd: ROOT,
      env: { ...process.env, CDK_OUTDIR: folder, CDK_CONTEXT_JSON: JSON.stringify(CONTEXT) },
    });
    process.env.HARBORLIGHT_TEST_ASSEMBLY = folder;
  } catch (error) {
    const reason = `the app could not be synthesised:\n${(error as { stderr?: string }).stderr || String(error)}`;
    console.error(reason);
    process.env.HARBORLIGHT_TEST_ASSEMBLY_FAILURE = reason;
  } finally {
    unlock();
  }
  return () => rmSync(folder, { recursive: true, force: true });
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
