/**
 * Telnet: open when the server negotiates options (RFC 854, RFC 855) and then prints text. We refuse every option, each
 * once, as RFC 1143 demands; the text, mostly a login prompt, is the evidence. We send no input.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";

const settings = z.strictObject({
  text: z
    .enum(["required", "ignored"])
    .default("required")
    .describe(
      "`ignored`: negotiation is enough. A server that negotiates and then never prompts is broken for its users.",
    ),
  tls: tlsSettings.optional(),
});

/** Bytes read at most while waiting for text. */
const MAX_BYTES = 16_384;

const IAC = 255;
const DONT = 254;
const DO = 253;
const WONT = 252;
const WILL = 251;
const SB = 250;
const SE = 240;

const OPTION_NAMES: Readonly<Record<number, string>> = {
  0: "binary",
  1: "echo",
  3: "suppress-go-ahead",
  5: "status",
  6: "timing-mark",
  24: "terminal-type",
  31: "window-size",
  32: "terminal-speed",
  33: "remote-flow-control",
  34: "line-mode",
  35: "x-display-location",
  36: "environment",
  37: "authentication",
  38: "encryption",
  39: "new-environment",
};

/** Parses the stream byte by byte into text and commands, which may come anywhere. */
const createListener = () => {
  let state: "text" | "iac" | "option" | "subnegotiation" | "subnegotiation-iac" = "text";
  let command = 0;
  const text: number[] = [];
  const answered = new Set<number>();
  const options = new Set<string>();

  /** @returns what to send back */
  const hear = (bytes: Buffer): Buffer => {
    const replies: number[] = [];
    for (const byte of bytes) {
      if (state === "text") {
        if (byte === IAC) state = "iac";
        else text.push(byte);
      } else if (state === "iac") {
        if (byte === IAC) text.push(byte);
        command = byte;
        state = byte >= WILL && byte < IAC ? "option" : byte === SB ? "subnegotiation" : "text";
      } else if (state === "option") {
        state = "text";
        if (options.size < 40) options.add(OPTION_NAMES[byte] ?? String(byte));
        const refusal = command === DO ? WONT : command === WILL ? DONT : undefined;
        const key = command * 256 + byte;
        if (refusal !== undefined && !answered.has(key)) replies.push(IAC, refusal, byte);
        answered.add(key);
      } else if (state === "subnegotiation") {
        if (byte === IAC) state = "subnegotiation-iac";
      } else state = byte === SE ? "text" : "subnegotiation";
    }
    return Buffer.from(replies);
  };
  return {
    hear,
    options,
    /** Whether the server has negotiated anything yet. */
    get negotiates() {
      return answered.size > 0;
    },
    get text() {
      return printable(Buffer.from(text.slice(0, 1024)).toString("utf8"), 300);
    },
  };
};

const talk = async (connection: Connection, wanted: z.output<typeof settings>): Promise<Finding> => {
  const server = createListener();
  let received = 0;
  const isDone = () => server.negotiates && (wanted.text === "ignored" || server.text !== "");
  while (!isDone()) {
    const bytes = await connection.readSome().catch((error: unknown) => {
      // The bytes that came tell more than the timeout.
      if (error instanceof ProbeFailure && received > 0) return null;
      throw error;
    });
    if (bytes === null || received + bytes.length > MAX_BYTES) break;
    received += bytes.length;
    const replies = server.hear(bytes);
    if (replies.length > 0) connection.write(replies);
  }
  const evidence = { text: server.text, options: [...server.options] };
  if (!server.negotiates)
    throw new ProbeFailure("wrong-protocol", `expected Telnet options, got: ${server.text || "nothing"}`, { evidence });
  if (!isDone())
    throw new ProbeFailure("incomplete-answer", "the server negotiated options, but sent no text", {
      evidence,
    });
  return {
    evidence,
    message: server.text || `negotiates ${evidence.options.slice(0, 6).join(", ")}`,
    facts: { "telnet.options": evidence.options.toSorted().join(",") },
  };
};

export const telnet: Protocol = {
  title: "Telnet",
  summary: "Open when the server negotiates options and then prints text; every option is refused.",
  reference: "RFC 854, RFC 855, RFC 1143",
  transports: ["tcp"],
  defaultPort: 23,
  settings,
  example: { settings: {} },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", ...(wanted.tls && { tls: wanted.tls }), talk: (connection) => talk(connection, wanted) };
  },
};
