/** The machine's hosts file (hosts(5)): names that no name server knows. Read again at most every five seconds. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";

export const SYSTEM_HOSTS =
  process.platform === "win32" ? join("C:", "Windows", "System32", "drivers", "etc", "hosts") : "/etc/hosts";

const FRESH_MS = 5_000;

/** @returns a lookup of a name's addresses; empty for names that the file does not have. `localhost` is always there. */
export function createHosts(path: string | null): (name: string) => readonly string[] {
  if (path === null) return () => [];
  let table = new Map<string, string[]>();
  let readAt = Number.NEGATIVE_INFINITY;
  return (name) => {
    if (performance.now() - readAt > FRESH_MS) {
      readAt = performance.now();
      const text = readText(path);
      if (text !== undefined) table = parseHosts(text);
    }
    const bare = name.toLowerCase().replace(/\.$/, "");
    return table.get(bare) ?? (bare === "localhost" ? ["127.0.0.1", "::1"] : []);
  };
}

/** No hosts file is an empty one. @returns undefined when it cannot be read just now, so that what was read before holds */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "" : undefined;
  }
}

export function parseHosts(text: string): Map<string, string[]> {
  const table = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      const known = table.get(key);
      if (known) known.push(address);
      else table.set(key, [address]);
    }
  }
  return table;
}
