/** Names this installation for good, so that the DNS record that allows it to sweep a name allows no other one: all have the same account here. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "./disk/atomic-file.ts";

const NAME = /^local-[0-9a-f]{32}$/;

export const installationIn = (dataFolder: string): string => {
  const file = join(dataFolder, "installation");
  const kept = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  if (NAME.test(kept)) return kept;
  const made = `local-${randomBytes(16).toString("hex")}`;
  writeAtomically(file, `${made}\n`);
  return made;
};
