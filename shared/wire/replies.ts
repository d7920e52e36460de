/** Reads replies with a three-digit code and one or several lines: RFC 5321, section 4.2.1 (SMTP) and RFC 959, section 4.2 (FTP). */

import type { Connection } from "../contract/connection.ts";
import { ProbeFailure } from "../contract/protocol.ts";
import { printable } from "./cursor.ts";

export interface Reply {
  readonly code: number;
  /** The text of each line, without the code. */
  readonly lines: readonly string[];
}

/** Lines per reply; a long FEAT answer has some forty. */
const MAX_LINES = 200;

const CODE = /^([1-5]\d\d)(?:([ -])(.*))?$/s;

/** Reads one whole reply. @throws ProbeFailure `wrong-protocol` when a line is no reply */
export const readReply = async (connection: Connection, what: "SMTP" | "FTP"): Promise<Reply> =>
  readFrom(connection, what, await connection.readLine());

const readFrom = async (connection: Connection, what: "SMTP" | "FTP", first: string): Promise<Reply> => {
  const [, code, separator, text = ""] = CODE.exec(first) ?? [];
  if (code === undefined)
    throw new ProbeFailure(
      "wrong-protocol",
      `expected an ${what} reply with a three-digit code, got: ${printable(first)}`,
    );
  const lines = [text];
  if (separator !== "-") return { code: Number(code), lines };
  while (lines.length < MAX_LINES) {
    const line = await connection.readLine();
    const isLast = line === code || line.startsWith(`${code} `);
    const isMore = line.startsWith(`${code}-`);
    // SMTP repeats the code on every line; a different code begins another reply: the server gave up in the middle.
    if (what === "SMTP" && !isLast && !isMore) return readFrom(connection, what, line);
    lines.push(isLast || isMore ? line.slice(4) : line);
    if (isLast) return { code: Number(code), lines };
  }
  throw new ProbeFailure("answer-too-long", `one ${what} reply had more than ${MAX_LINES} lines`);
};

/** The code and first line, for people. */
export const replyText = ({ code, lines }: Reply): string => printable(`${code} ${lines[0] ?? ""}`);
