/** The quorum, from ARCHITECTURE's words alone: it must not share a mistake with `shared/rules`. */

export type Health = "up" | "degraded" | "down" | "unknown";
/** `?`: what can be seen leaves more than one answer open. */
export type Truth = "up" | "degraded" | "down" | "?";

export type Quorum = "majority" | "any" | "all" | number;

/** How many of `n` locations have to agree. */
export function quorumOf(quorum: Quorum, n: number): number {
  switch (quorum) {
    case "majority":
      return Math.floor(n / 2) + 1;
    case "any":
      return 1;
    case "all":
      return n;
    default:
      return Math.min(Math.max(1, quorum), n);
  }
}

export interface Count {
  readonly up: number;
  readonly degraded: number;
  readonly down: number;
  /** Locations that cannot tell: cut off, or without a verdict. */
  readonly blind: number;
}

export const countOf = (healths: readonly Health[]): Count => {
  const count = (health: Health) => healths.filter((one) => one === health).length;
  return { up: count("up"), degraded: count("degraded"), down: count("down"), blind: count("unknown") };
};

/** What these healths prove, whatever the blind locations would have seen. */
export function truthOf({ degraded, down, blind }: Count, q: number): Truth {
  if (down >= q) return "down";
  if (down + blind >= q) return "?";
  if (down + degraded >= q) return "degraded";
  if (down + degraded + blind >= q) return "?";
  return "up";
}
