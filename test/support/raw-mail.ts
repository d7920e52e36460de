/** Reads the mails that channel `email` gives to SES: the reverse of `shared/alerts/mime.ts`. */
import type { SendRawEmailCommandInput } from "@aws-sdk/client-ses";

const unquoted = (text: string) =>
  Buffer.from(
    text.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  )
    .toString()
    .replaceAll("\r\n", "\n");

const decodedWords = (text: string) =>
  text
    .replace(/\?=\r\n =\?UTF-8\?B\?/g, "?==?UTF-8?B?")
    .replace(/=\?UTF-8\?B\?([^?]*)\?=/g, (_, word) => Buffer.from(word, "base64").toString());

export const readMail = ({ Destinations = [], RawMessage }: SendRawEmailCommandInput) => {
  const raw = Buffer.from(RawMessage?.Data ?? "").toString("latin1");
  const [head = ""] = raw.split("\r\n\r\n");
  const header = (name: string) => decodedWords(new RegExp(`^${name}: (.*(?:\r\n .*)*)`, "m").exec(head)?.[1] ?? "");
  const part = (type: string) =>
    unquoted(new RegExp(`Content-Type: ${type};[\\s\\S]*?\r\n\r\n([\\s\\S]*?)\r\n--=_`).exec(raw)?.[1] ?? "");
  return {
    to: Destinations[0] ?? "",
    from: header("From"),
    subject: header("Subject"),
    references: header("References"),
    raw,
    text: part("text/plain"),
    html: part("text/html"),
  };
};
