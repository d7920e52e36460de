/** Writes a mail as text with headers (RFC 5322, MIME), because SES takes headers for threads in such mails alone. Pure. */

export interface Mail {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly date: Date;
  /** Unique, such as `a.1@example.com`. SES puts its own in its place. */
  readonly id: string;
  /** What all mails of one thread have in common, in the form of an id; undefined: a thread of its own. */
  readonly thread?: string | undefined;
  /** Address that unsubscribes by a POST, without a question (RFC 8058). */
  readonly unsubscribeUrl?: string | undefined;
}

/** Cannot occur in a part, where quoted-printable writes each `=` as `=3D`. */
const BOUNDARY = "=_harborlight";
/** Longest line of quoted-printable without the mark that it goes on (RFC 2045, section 6.7). */
const MAX_LINE = 75;
/** Bytes in an encoded word: its line, with the header's name, has at most 76 characters (RFC 2047, section 2). */
const WORD_BYTES = 39;

const escaped = (byte: number) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;

function quotedLine(line: string): string {
  const bytes = Buffer.from(line);
  let [written, column] = ["", 0];
  for (const [place, byte] of bytes.entries()) {
    const isPlain = byte >= 32 && byte <= 126 && byte !== 61 && !(byte === 32 && place === bytes.length - 1);
    const unit = isPlain ? String.fromCharCode(byte) : escaped(byte);
    if (column + unit.length > MAX_LINE) {
      written += "=\r\n";
      column = 0;
    }
    written += unit;
    column += unit.length;
  }
  return written;
}
const quotedPrintable = (text: string) => text.split("\n").map(quotedLine).join("\r\n");

/** Text for a header: as it is if it is short ASCII, else as encoded words, a line each. */
function headerText(text: string): string {
  if (/^[\x20-\x7e]{0,60}$/.test(text) && !text.includes("=?")) return text;
  const words: string[] = [""];
  for (const char of text) {
    if (Buffer.byteLength(words.at(-1)! + char) > WORD_BYTES) words.push("");
    words[words.length - 1] += char;
  }
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString("base64")}?=`).join("\r\n ");
}

const part = (type: string, content: string) =>
  `--${BOUNDARY}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${quotedPrintable(content)}\r\n`;

export function writeMail({ from, to, subject, text, html, date, id, thread, unsubscribeUrl }: Mail): string {
  const headers = [
    ["From", from],
    ["To", to],
    ["Subject", headerText(subject)],
    ["Date", date.toUTCString().replace("GMT", "+0000")],
    ["Message-ID", `<${id}>`],
    ...(thread === undefined ? [] : [["References", `<${thread}>`]]),
    ...(unsubscribeUrl === undefined
      ? []
      : [
          ["List-Unsubscribe", `<${unsubscribeUrl}>`],
          ["List-Unsubscribe-Post", "List-Unsubscribe=One-Click"],
        ]),
    ["MIME-Version", "1.0"],
    ["Content-Type", `multipart/alternative; boundary="${BOUNDARY}"`],
  ];
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `${head}\r\n${part("text/plain", text)}${part("text/html", html)}--${BOUNDARY}--\r\n`;
}
