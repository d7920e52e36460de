/**
 * BGP-4: open when the speaker answers our OPEN with its own, or with a NOTIFICATION (RFC 4271, sections 4.2 and 4.5;
 * capabilities: RFC 5492, RFC 9072), by which it refuses to peer with us. Many speakers close the connection of an
 * unknown neighbour without an answer, which counts as down: configure the probe's address there.
 * We announce no routes and leave with Cease (RFC 4486).
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { parseSettings } from "../wire/settings.ts";

const settings = z.strictObject({
  asn: z
    .int()
    .min(1)
    .max(4_294_967_294)
    .default(64_496)
    .describe("Our autonomous system; by default one reserved for documentation (RFC 5398)."),
  routerId: z
    .ipv4()
    .refine((address) => address !== "0.0.0.0", "must not be 0.0.0.0")
    .default("192.0.2.1")
    .describe("Our BGP identifier; by default an address reserved for documentation (RFC 5737)."),
  answer: z
    .enum(["any", "open"])
    .default("any")
    .describe("`open`: a NOTIFICATION is not enough, the speaker must accept us as a peer."),
});

const MARKER = Buffer.alloc(16, 0xff);
/** RFC 4271, section 4.1. */
const MAX_MESSAGE = 4096;
const VERSION = 4;
const HOLD_SECONDS = 90;
/** Shortest valid hold time, except 0, which means no keepalives: RFC 4271, section 4.2. */
const MIN_HOLD_SECONDS = 3;
/** As the type of the first parameter it means that lengths have two octets: RFC 9072, section 2. */
const EXTENDED_LENGTH = 255;
const AS_TRANS = 23_456;

const OPEN = 1;
const NOTIFICATION = 3;

const message = (type: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(3);
  head.writeUInt16BE(19 + body.length, 0);
  head[2] = type;
  return Buffer.concat([MARKER, head, body]);
};

/**
 * Capabilities that we announce, though we never use them: a speaker whose address family is missing from our OPEN treats
 * that as an error, and BIRD then refuses the neighbour for a minute. Multiprotocol IPv4 and IPv6 unicast (RFC 4760),
 * route refresh (RFC 2918) and four-octet AS numbers (RFC 6793).
 */
const CAPABILITIES_OURS = [1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1, 2, 0, 65, 4] as const;

const open = (asn: number, routerId: string): Buffer => {
  const longAs = Buffer.alloc(4);
  longAs.writeUInt32BE(asn);
  const capabilities = [...CAPABILITIES_OURS, ...longAs];
  const head = Buffer.alloc(5);
  head[0] = VERSION;
  head.writeUInt16BE(asn > 0xffff ? AS_TRANS : asn, 1);
  head.writeUInt16BE(HOLD_SECONDS, 3);
  const parameter = [2, capabilities.length, ...capabilities];
  const body = [...head, ...routerId.split(".").map(Number), parameter.length, ...parameter];
  return message(OPEN, Buffer.from(body));
};

/** Cease, peer de-configured (RFC 4486): tells the speaker not to expect us back as a neighbour. */
const CEASE = message(NOTIFICATION, Buffer.from([6, 3]));

const ERRORS: Readonly<Record<number, string>> = {
  1: "message header error",
  2: "OPEN message error",
  3: "UPDATE message error",
  4: "hold timer expired",
  5: "finite state machine error",
  6: "cease",
};
const SUBCODES: Readonly<Record<string, string>> = {
  "2.1": "unsupported version",
  "2.2": "bad peer AS",
  "2.3": "bad BGP identifier",
  "2.4": "unsupported optional parameter",
  "2.6": "unacceptable hold time",
  "2.7": "unsupported capability",
  "6.1": "maximum number of prefixes reached",
  "6.2": "administrative shutdown",
  "6.3": "peer de-configured",
  "6.4": "administrative reset",
  "6.5": "connection rejected",
  "6.6": "other configuration change",
  "6.7": "connection collision resolution",
  "6.8": "out of resources",
};

const CAPABILITIES: Readonly<Record<number, string>> = {
  1: "multiprotocol",
  2: "route refresh",
  5: "extended next hop",
  6: "extended message",
  9: "role",
  64: "graceful restart",
  65: "four-octet AS",
  69: "add-path",
  70: "enhanced route refresh",
  71: "long-lived graceful restart",
  73: "FQDN",
};

const readMessage = async (connection: Connection): Promise<{ type: number; body: Cursor }> => {
  const head = await connection.read(19);
  const length = head.readUInt16BE(16);
  if (!head.subarray(0, 16).equals(MARKER) || length < 19 || length > MAX_MESSAGE)
    throw new ProbeFailure(
      "wrong-protocol",
      `expected a BGP message, got: ${printable(head.toString("latin1")) || "bytes"}`,
    );
  return { type: head[18]!, body: new Cursor(await connection.read(length - 19), "BGP message") };
};

/** Reads the optional parameters, which end an OPEN, and returns the capabilities in them by code. */
const readCapabilities = (body: Cursor): ReadonlyMap<number, Buffer> => {
  const shortLength = body.u8();
  const isExtended = shortLength > 0 && body.bytes[body.offset] === EXTENDED_LENGTH;
  if (isExtended) body.u8();
  const parameters = body.part(isExtended ? body.u16() : shortLength, "BGP OPEN");
  const capabilities = new Map<number, Buffer>();
  while (parameters.left > 0) {
    const type = parameters.u8();
    const parameter = parameters.part(isExtended ? parameters.u16() : parameters.u8());
    while (type === 2 && parameter.left > 0) capabilities.set(parameter.u8(), parameter.take(parameter.u8()));
  }
  return capabilities;
};

/** Reads the speaker's OPEN. @throws ProbeFailure for invalid values (RFC 4271, section 6.2; RFC 6286, section 2.2) */
const describeOpen = (body: Cursor, ours: z.output<typeof settings>): Finding => {
  const version = body.u8();
  if (version !== VERSION) throw new ProbeFailure("wrong-protocol", `expected BGP-${VERSION}, got BGP-${version}`);
  const shortAs = body.u16();
  const holdSeconds = body.u16();
  const routerId = [...body.take(4)].join(".");
  const capabilities = readCapabilities(body);
  const longAs = capabilities.get(65);
  const asn = longAs?.length === 4 ? longAs.readUInt32BE() : shortAs;
  if (asn === ours.asn && routerId === ours.routerId)
    throw new ProbeFailure("wrong-protocol", `expected another speaker's OPEN, got our own: ${routerId} in AS ${asn}`);
  if (holdSeconds > 0 && holdSeconds < MIN_HOLD_SECONDS)
    throw new ProbeFailure(
      "unexpected-answer",
      `expected a hold time of 0 or at least ${MIN_HOLD_SECONDS} s, got ${holdSeconds}`,
    );
  const names = [...capabilities.keys()].map((code) => CAPABILITIES[code] ?? `capability ${code}`);
  const fqdn = capabilities.get(73);
  const hostname = fqdn && fqdn.length > 0 ? printable(fqdn.toString("utf8", 1, 1 + fqdn[0]!), 64) : undefined;
  return {
    evidence: { version, asn, routerId, holdSeconds, capabilities: names.slice(0, 12), ...(hostname && { hostname }) },
    message: `BGP-${version} speaker ${routerId} in AS ${asn}`,
    facts: { "bgp.as": String(asn), "bgp.routerId": routerId },
  };
};

const describeNotification = (body: Cursor): Finding => {
  const code = body.u8();
  const subcode = body.u8();
  const text = [ERRORS[code] ?? `error ${code}`, SUBCODES[`${code}.${subcode}`] ?? `subcode ${subcode}`].join(", ");
  if (code === 6 && subcode === 8) throw new ProbeFailure("service-unavailable", `the speaker answers: ${text}`);
  return {
    evidence: { notification: `${code}.${subcode} ${text}` },
    message: `BGP NOTIFICATION: ${text}`,
    facts: { "bgp.notification": text },
  };
};

const talk = async (connection: Connection, wanted: z.output<typeof settings>): Promise<Finding> => {
  connection.write(open(wanted.asn, wanted.routerId));
  const { type, body } = await readMessage(connection);
  if (type === OPEN) {
    const finding = describeOpen(body, wanted);
    connection.write(CEASE);
    return finding;
  }
  if (type !== NOTIFICATION)
    throw new ProbeFailure("unexpected-answer", `expected OPEN or NOTIFICATION, got type ${type}`);
  const finding = describeNotification(body);
  if (wanted.answer === "any") return finding;
  throw new ProbeFailure("unexpected-answer", `expected OPEN, got ${finding.message}`, {
    evidence: finding.evidence ?? {},
  });
};

export const bgp: Protocol = {
  title: "BGP",
  summary: "Open when the speaker answers OPEN with OPEN or NOTIFICATION.",
  reference: "RFC 4271, RFC 5492, RFC 6286, RFC 6793, RFC 9072, RFC 4486",
  transports: ["tcp"],
  defaultPort: 179,
  settings,
  example: { settings: { asn: 64_496 } },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", talk: (connection) => talk(connection, wanted) };
  },
};
