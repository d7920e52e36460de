/**
 * CoAP: open when the server answers an empty message (a ping) with a reset, or answers a GET (RFC 7252, sections 3, 4.2,
 * 4.3 and 5.2; the default path lists a server's resources: RFC 6690, section 4). Message ids and tokens are matched.
 */
import { z } from "zod";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { parseSettings } from "../wire/settings.ts";
import { udpFields, udpProbe } from "../wire/udp.ts";

const ACKNOWLEDGEMENT = 2;
const RESET = 3;
const GET = 1;
const TOKEN_BYTES = 4;
const URI_PATH = 11;
const URI_QUERY = 15;

const settings = z.strictObject({
  method: z.enum(["ping", "get"]).default("ping").describe("What to ask."),
  path: z
    .string()
    .max(255)
    .regex(/^\/([\x21-\x24\x26-\x7e]|%[2-7][0-9a-fA-F])*$/, "must be a path in ASCII that begins with /")
    .default("/.well-known/core")
    .describe("What to GET, with its query; not used by `ping`."),
  code: z
    .array(z.string().regex(/^[245]\.\d\d$/, 'must be a response code like "2.05"'))
    .min(1)
    .optional()
    .describe("Expected response codes of `get`. Default: any but class 5."),
  // Servers answer only some of the pings that come at short intervals (libcoap 4.3.1: seen with 200 ms).
  ...udpFields({ spacingMs: 500 }),
});
type Settings = z.infer<typeof settings>;

const option = (delta: number, value: Buffer): Buffer => {
  const nibble = (n: number) => (n < 13 ? n : 13);
  const more = (n: number) => (n < 13 ? [] : [n - 13]);
  return Buffer.concat([
    Buffer.of((nibble(delta) << 4) | nibble(value.length), ...more(delta), ...more(value.length)),
    value,
  ]);
};

const request = ({ method, path }: Settings, random: (bytes: number) => Buffer): Buffer => {
  if (method === "ping") return Buffer.concat([Buffer.of(0x40, 0), random(2)]);
  return Buffer.concat([Buffer.of(0x40 | TOKEN_BYTES, GET), random(2 + TOKEN_BYTES), ...uriOptions(path)]);
};

/** One option for each path segment, also for an empty last one, and for each argument of the query (RFC 7252, section 6.4). */
const uriOptions = (path: string): readonly Buffer[] => {
  const [, segments = "", query] = /^\/([^?]*)(?:\?(.*))?$/.exec(path) ?? [];
  const values = [
    ...(segments === "" ? [] : segments.split("/").map((segment) => [URI_PATH, segment] as const)),
    ...(query === undefined ? [] : query.split("&").map((argument) => [URI_QUERY, argument] as const)),
  ];
  return values.map(([number, value], n) =>
    option(number - (values[n - 1]?.[0] ?? 0), Buffer.from(decodeURIComponent(value))),
  );
};

/** Reads an option's number or length: values from 13 on are in further bytes. */
const extended = (cursor: Cursor, nibble: number): number => {
  if (nibble === 15) throw new ProbeFailure("wrong-protocol", "the CoAP answer has an invalid option");
  return nibble === 13 ? cursor.u8() + 13 : nibble === 14 ? cursor.u16() + 269 : nibble;
};

/** Skips the options and returns the payload, which follows the marker 0xff. */
const payloadOf = (cursor: Cursor): Buffer => {
  while (cursor.left > 0) {
    const first = cursor.u8();
    if (first === 0xff) {
      if (cursor.left === 0)
        throw new ProbeFailure("incomplete-answer", "the CoAP answer announces a payload and ends there");
      return cursor.take(cursor.left);
    }
    extended(cursor, first >> 4);
    cursor.take(extended(cursor, first & 15));
  }
  return Buffer.alloc(0);
};

interface Message {
  readonly type: number;
  /** "2.05": class and detail (RFC 7252, section 3). */
  readonly code: string;
  readonly bytes: Buffer;
  readonly token: Buffer;
  /** Options and payload, after the token. */
  readonly rest: Cursor;
}

/** @throws ProbeFailure when this is no CoAP message, or one cut off in its token */
const decode = (bytes: Buffer): Message => {
  const first = bytes[0] ?? 0;
  const tokenBytes = first & 15;
  if (bytes.length < 4 || first >> 6 !== 1 || tokenBytes > 8)
    throw new ProbeFailure("wrong-protocol", "expected a CoAP message, got something else", {
      evidence: { firstBytes: bytes.subarray(0, 8).toString("hex") },
    });
  const code = `${bytes[1]! >> 5}.${String(bytes[1]! & 31).padStart(2, "0")}`;
  const rest = new Cursor(bytes, "CoAP answer", 4);
  return { type: (first >> 4) & 3, code, bytes, token: rest.take(tokenBytes), rest };
};

const hasSameId = (answer: Message, question: Buffer): boolean =>
  answer.bytes.subarray(2, 4).equals(question.subarray(2, 4));

/** The answer to a ping, or a reset. @returns undefined for another message's */
const readReset = (answer: Message, question: Buffer, { method, path }: Settings): Finding | undefined => {
  const { type, code, bytes } = answer;
  if (!hasSameId(answer, question) || type < ACKNOWLEDGEMENT) return undefined;
  if (method === "get") throw new ProbeFailure("unexpected-answer", `the CoAP server resets our GET of ${path}`);
  // RFC 7252, section 4.1: an empty message ends with its id.
  if (code !== "0.00" || bytes.length > 4)
    throw new ProbeFailure(
      "unexpected-answer",
      `expected an empty message for our ping, got ${bytes.length} bytes of code ${code}`,
    );
  return {
    evidence: { answer: type === RESET ? "reset" : "acknowledgement" },
    message: "the CoAP server answers our ping",
  };
};

/** @returns undefined for the response to another request, and for an acknowledgement whose response is still to come */
const readResponse = (answer: Message, question: Buffer, wanted: Settings): Finding | undefined => {
  const { type, code } = answer;
  // Anything but an empty message has to be a response: classes 2, 4 and 5 (section 12.1.2).
  if (code !== "0.00" && !/^[245]/.test(code))
    throw new ProbeFailure("wrong-protocol", `expected a CoAP response, got a message of code ${code}`);
  // After an empty acknowledgement the response comes as a separate message, with our token and the server's id.
  if (code === "0.00" || (type === ACKNOWLEDGEMENT && !hasSameId(answer, question))) return undefined;
  if (!answer.token.equals(question.subarray(4, 4 + TOKEN_BYTES))) return undefined;
  const payload = printable(payloadOf(answer.rest).toString("utf8"), 300);
  const evidence = { code, ...(payload && { payload }) };
  if (wanted.code && !wanted.code.includes(code)) {
    const message = `expected ${wanted.code.join(" or ")} for ${wanted.path}, got ${code}`;
    throw new ProbeFailure("unexpected-answer", message, { evidence });
  }
  if (code.startsWith("5") && !wanted.code)
    throw new ProbeFailure("service-unavailable", `the CoAP server answers ${code} for ${wanted.path}`, { evidence });
  return { evidence, message: `${code} for ${wanted.path}` };
};

const understand = (datagram: Buffer, question: Buffer, wanted: Settings): Finding | undefined => {
  const answer = decode(datagram);
  const read = wanted.method === "ping" || answer.type === RESET ? readReset : readResponse;
  return read(answer, question, wanted);
};

export const coap: Protocol = {
  title: "CoAP",
  summary: "Open when the server resets our ping or answers our GET.",
  reference: "RFC 7252, sections 3, 4.2, 4.3 and 5.2; RFC 6690, section 4",
  transports: ["udp"],
  defaultPort: 5683,
  settings,
  example: { settings: { method: "get", path: "/.well-known/core" } },
  prepare(input) {
    const wanted = parseSettings(settings, input);
    return udpProbe(wanted, {
      ask: (_n, random) => request(wanted, random),
      read: (datagram, question) => understand(datagram, question, wanted),
    });
  },
};
