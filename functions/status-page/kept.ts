/**
 * Keeps what was made for a short while, so that a crowd costs what one reader costs. While the tables cannot be read,
 * what was made last is given out again.
 */
interface Known<T> {
  readonly atMs: number;
  readonly made: Promise<T>;
}

const MOST_KEPT = 200;

/**
 * @param keptMs how long what was made is good
 * @param failed called when something old is given out because nothing new could be made
 */
export function createKept<T>(keptMs: number, now: () => Date, failed: (error: Error) => void = () => {}) {
  const known = new Map<string, Known<T>>();
  return (key: string, make: () => Promise<T>): Promise<T> => {
    const atMs = now().getTime();
    const before = known.get(key);
    if (before && Math.abs(atMs - before.atMs) < keptMs) return before.made;
    if (known.size >= MOST_KEPT) known.clear();
    const made = make().catch((error) => {
      if (!before) {
        known.delete(key);
        throw error;
      }
      failed(error as Error);
      // Old as it is, so that the next reader tries again.
      known.set(key, before);
      return before.made;
    });
    known.set(key, { atMs, made });
    return made;
  };
}
