/** Looks up names in the machine's hosts file (hosts(5)), which contains names that no name server knows. */
import { isIP } from "node:net";
import { join } from "node:path";
import { freshFile } from "./fresh-file.ts";

export const SYSTEM_HOSTS =
  process.platform === "win32" ? join("C:", "Windows", "System32", "drivers", "etc", "hosts") : "/etc/hosts";

/** @returns a lookup of a name's addresses; empty for names not in the file. `localhost` and its subdomains (RFC 6761) always resolve. */
export function createHosts(path: string | null): (name: string) => readonly string[] {
  if (path === null) return () => [];
  const table = freshFile(path, parseHosts);
  return (name) => {
    const bare = name.toLowerCase().replace(/\.$/, "");
    return table().get(bare) ?? (/(^|\.)localhost$/.test(bare) ? ["127.0.0.1", "::1"] : []);
  };
}

function parseHosts(text: string): Map<string, string[]> {
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
