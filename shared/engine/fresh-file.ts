/** A configuration file of the machine, read again at most every five seconds: DHCP, a VPN or its owner may change it at any time. */
import { readFileSync } from "node:fs";

const FRESH_MS = 5_000;

/** @returns a function that returns the parsed file: a missing file counts as empty, an unreadable one as unchanged */
export function freshFile<T>(path: string, parse: (text: string) => T): () => T {
  let text = "";
  let parsed = parse(text);
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() - readAt > FRESH_MS) {
      readAt = performance.now();
      const now = readText(path);
      // Unchanged text returns the same object, so that callers detect a change by comparing identities.
      if (now !== undefined && now !== text) {
        text = now;
        parsed = parse(now);
      }
    }
    return parsed;
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "" : undefined;
  }
}
