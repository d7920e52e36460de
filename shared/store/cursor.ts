/**
 * Pagination cursors: encode where the next page begins, opaque to callers and bound to the query that they came from.
 * The checksum is no secret, because a cursor grants nothing beyond the query itself; it rejects cursors that are
 * truncated, made up or from another query.
 */
import { createHash } from "node:crypto";
import { type FieldError, InvalidInput } from "../errors.ts";

const checksum = (payload: string, question: string) =>
  createHash("sha256").update(`${question}\n${payload}`).digest("base64url").slice(0, 12);

/** @param question the query with its filters; decoding needs the same */
export const encodeCursor = (position: string, question: string) => {
  const payload = Buffer.from(position).toString("base64url");
  return `${payload}.${checksum(payload, question)}`;
};

const WRONG_CURSOR: FieldError = {
  path: "cursor",
  message: "must be the nextCursor of the page before, sent with the same filters; start again without a cursor",
};

/**
 * @param wrong what is wrong if it is none
 * @returns the position that was encoded
 * @throws InvalidInput
 */
export const decodeCursor = (cursor: string, question: string, wrong = WRONG_CURSOR): string => {
  const [payload = "", sum, ...rest] = cursor.split(".");
  if (rest.length > 0 || sum !== checksum(payload, question)) throw new InvalidInput([wrong]);
  return Buffer.from(payload, "base64url").toString();
};

/** One page of a list. A page may hold fewer items than asked for and still have a next one. */
export interface Page<T> {
  readonly items: T[];
  /** Position after the last item; null when the list has ended. */
  readonly next: string | null;
}
