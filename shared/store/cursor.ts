/**
 * Cursors of lists: where the next page begins, opaque to callers and bound to the question they came from.
 * The checksum is no secret: a cursor grants nothing that the query itself would not. It makes a made-up, cut or
 * borrowed cursor a clean refusal instead of a strange page.
 */
import { createHash } from "node:crypto";
import { InvalidInput } from "../errors.ts";

const checksum = (payload: string, question: string) =>
  createHash("sha256").update(`${question}\n${payload}`).digest("base64url").slice(0, 12);

/** @param question what was asked, filters included: the same words must come with the cursor again */
export const encodeCursor = (position: string, question: string) => {
  const payload = Buffer.from(position).toString("base64url");
  return `${payload}.${checksum(payload, question)}`;
};

/**
 * @returns the position that was encoded
 * @throws InvalidInput for path `cursor`
 */
export const decodeCursor = (cursor: string, question: string): string => {
  const [payload = "", sum, ...rest] = cursor.split(".");
  if (rest.length > 0 || sum !== checksum(payload, question))
    throw new InvalidInput([
      {
        path: "cursor",
        message: "must be the nextCursor of the page before, sent with the same filters; start again without a cursor",
      },
    ]);
  return Buffer.from(payload, "base64url").toString();
};

/** One page of a list. A page may hold fewer items than asked for and still have a next one. */
export interface Page<T> {
  readonly items: T[];
  /** Position after the last item; null when the list has ended. */
  readonly next: string | null;
}
