const ASCII = /^[\x20-\x7e]*$/;

/**
 * Escapes text of an untrusted source to one line: control characters become `\xNN`, and long text ends with an ellipsis.
 * To show text without escapes, use `printable` in `cursor.ts`, which drops control characters.
 * @param max characters, default 200
 */
export function escapeText(text: string | Uint8Array, max = 200): string {
  if (typeof text === "string" && text.length <= max && ASCII.test(text)) return text;
  const raw =
    typeof text === "string"
      ? text.slice(0, max + 1).toWellFormed()
      : Buffer.from(text.buffer, text.byteOffset, Math.min(text.length, max + 1)).toString("latin1");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  const escaped = raw.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, visible);
  return escaped.length > max || raw.length > max ? `${escaped.slice(0, max - 1)}…` : escaped;
}

const visible = (character: string) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
