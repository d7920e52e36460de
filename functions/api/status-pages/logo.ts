/** The logo of a status page: a `data:` URL of a PNG, JPEG or WebP picture. What it is, its first bytes decide. */
import { z } from "zod";
import { expecting } from "../../../shared/issues.ts";

const MAX_LOGO_BYTES = 64 * 1024;

/** Bytes of each kind (registered signatures of the formats), by position. */
const SIGNATURES: Readonly<Record<string, readonly (readonly [at: number, bytes: string])[]>> = {
  "image/png": [[0, "\x89PNG\r\n\x1a\n"]],
  "image/jpeg": [[0, "\xff\xd8\xff"]],
  "image/webp": [
    [0, "RIFF"],
    [8, "WEBP"],
  ],
};
const KINDS = Object.keys(SIGNATURES).join(", ");

const bytesIn = (base64: string) => Buffer.from(base64, "base64");

/** @returns what is wrong with a logo; undefined if nothing is */
function problemOf(url: string): string | undefined {
  const [, type = "", base64 = ""] = /^data:([\w/+.-]+);base64,([A-Za-z0-9+/]+={0,2})$/.exec(url) ?? [];
  const signature = SIGNATURES[type];
  if (!signature) return `must be a data: URL in base64 of one of ${KINDS}`;
  const bytes = bytesIn(base64);
  if (bytes.length > MAX_LOGO_BYTES) return `must be at most ${MAX_LOGO_BYTES} bytes, got ${bytes.length}`;
  const isSo = signature.every(([at, wanted]) => bytes.toString("latin1", at, at + wanted.length) === wanted);
  return isSo ? undefined : `must be what it says it is: this is no ${type}`;
}

export const logo = z.string({ error: expecting(`a data: URL of one of ${KINDS}`) }).superRefine((url, context) => {
  const message = problemOf(url);
  if (message) context.addIssue({ code: "custom", message });
});
