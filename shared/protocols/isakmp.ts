/**
 * IKE (ISAKMP): open when the responder answers under our SPI (RFC 7296, sections 1.2 and 2.6; main mode of version 1:
 * RFC 2409, section 5). Refusals count as answers: NO_PROPOSAL_CHOSEN, INVALID_KE_PAYLOAD and COOKIE prove a responder.
 * One datagram per check: for each first message a responder keeps a half-open association for some seconds, and several
 * from one address look like an attack, after which it stops answering.
 */
import { z } from "zod";
import { type Finding, ProbeFailure, type Protocol, type Target } from "../contract/protocol.ts";
import type { Cursor } from "../wire/cursor.ts";
import { decode, EXCHANGES, type Message, mainMode, saInit, vendor } from "../wire/ike-message.ts";
import { parseSettings } from "../wire/settings.ts";
import { udpFields, udpProbe } from "../wire/udp.ts";

/** On this port, shared with ESP, IKE messages begin with four zero bytes (RFC 3948, section 2.2). */
const NAT_TRAVERSAL_PORT = 4500;
const MARKER = Buffer.alloc(4);

const settings = z.strictObject({
  version: z.enum(["2", "1"]).default("2").describe("Version of IKE to speak."),
  nonEspMarker: z
    .enum(["auto", "always", "never"])
    .default("auto")
    .describe("Four zero bytes before each message; `auto`: on port 4500 only."),
  refused: z
    .enum(["up", "degraded", "down"])
    .default("up")
    .describe("What it means when the responder takes none of our proposals (NO_PROPOSAL_CHOSEN)."),
  ...udpFields({ count: 1, spacingMs: 1000 }),
});
type Settings = z.infer<typeof settings>;

/** Error and status types of notifications; where IANA's registries for versions 1 and 2 share a number, they agree. */
const NOTIFICATIONS: Readonly<Record<number, string>> = {
  1: "UNSUPPORTED_CRITICAL_PAYLOAD",
  5: "INVALID_MAJOR_VERSION",
  7: "INVALID_SYNTAX",
  9: "INVALID_MESSAGE_ID",
  11: "INVALID_SPI",
  14: "NO_PROPOSAL_CHOSEN",
  17: "INVALID_KE_PAYLOAD",
  24: "AUTHENTICATION_FAILED",
  43: "TEMPORARY_FAILURE",
  16388: "NAT_DETECTION_SOURCE_IP",
  16389: "NAT_DETECTION_DESTINATION_IP",
  16390: "COOKIE",
  16404: "MULTIPLE_AUTH_SUPPORTED",
  16406: "REDIRECT_SUPPORTED",
  16407: "REDIRECT",
  16418: "CHILDLESS_IKEV2_SUPPORTED",
  16430: "IKEV2_FRAGMENTATION_SUPPORTED",
  16431: "SIGNATURE_HASH_ALGORITHMS",
};
const NO_PROPOSAL_CHOSEN = 14;
const INVALID_KE_PAYLOAD = 17;
const FIRST_STATUS_TYPE = 16_384;

/** Transforms that we offer in version 2, and NONE, which responders may choose as integrity for an authenticated cipher. */
const TRANSFORMS: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  1: { 3: "3DES", 12: "AES-CBC", 20: "AES-GCM" },
  2: { 2: "PRF-SHA1", 5: "PRF-SHA256", 7: "PRF-SHA512" },
  3: { 0: "NONE", 2: "SHA1", 12: "SHA256", 14: "SHA512" },
  4: { 2: "MODP-1024", 14: "MODP-2048", 19: "P-256", 20: "P-384", 31: "X25519" },
};

/** Payloads that accompany the chosen proposal in version 2: RFC 7296, section 1.2. */
const KEY_EXCHANGE = 34;
const NONCE = 40;

/**
 * Reads the proposal that a responder of version 2 chose.
 * @throws ProbeFailure when we did not offer it (RFC 7296, section 3.3.6)
 */
const chosen = (body: Cursor): string => {
  body.take(6);
  const spiBytes = body.u8();
  const count = body.u8();
  body.take(spiBytes);
  const names: string[] = [];
  for (let n = 0; n < count; n += 1) {
    body.take(2);
    const transform = body.part(Math.max(0, body.u16() - 4));
    const type = transform.u8();
    transform.u8();
    const id = transform.u16();
    const bits = transform.left >= 4 ? `-${transform.bytes.readUInt16BE(6)}` : "";
    const name = TRANSFORMS[type]?.[id];
    if (!name)
      throw new ProbeFailure("unexpected-answer", `the IKE responder chose ${type}/${id}, which we do not offer`);
    names.push(`${name}${bits}`);
  }
  return names.join(" ");
};

/** Reads the transform that a responder of version 1 chose: attribute 1 is the cipher, 2 the hash, 3 the authentication, 4 the group. */
const chosen1 = (body: Cursor): string => {
  body.take(8 + 6);
  const spiBytes = body.u8();
  body.u8();
  body.take(spiBytes + 8);
  const found = new Map<number, number>();
  while (body.left >= 4) {
    const type = body.u16();
    const value = body.u16();
    if (type & 0x8000) found.set(type & 0x7fff, value);
    else body.take(value);
  }
  const cipher = { 5: "3DES", 7: "AES-CBC" }[found.get(1) ?? 0] ?? `cipher ${found.get(1)}`;
  const hash = { 2: "SHA1", 4: "SHA256" }[found.get(2) ?? 0] ?? `hash ${found.get(2)}`;
  const auth = { 1: "shared key", 3: "RSA signatures" }[found.get(3) ?? 0] ?? `authentication ${found.get(3)}`;
  return `${cipher}${found.has(14) ? `-${found.get(14)}` : ""} ${hash} group ${found.get(4)}, ${auth}`;
};

const notification = (body: Cursor, version: number): { type: number; data: Buffer } => {
  if (version === 1) body.take(4);
  body.u8();
  const spiBytes = body.u8();
  const type = body.u16();
  body.take(spiBytes);
  return { type, data: body.take(body.left) };
};

const isNotification = (type: number, version: number) => type === 41 || (type === 11 && version === 1);
const isVendorId = (type: number, version: number) => type === 43 || (type === 13 && version === 1);

/** The proposal that the responder chose: the SA payload of either version. */
const proposalOf = ({ version, payloads }: Message): string | undefined => {
  const choices = payloads.filter(({ type }) => type === (version === 2 ? 33 : 1));
  return choices.map(({ body }) => (version === 2 ? chosen(body) : chosen1(body))).at(-1);
};

const describe = (message: Message) => {
  const { version, payloads } = message;
  const proposal = proposalOf(message);
  let refusal: { type: number; name: string } | undefined;
  let wantedGroup: number | undefined;
  const supports: string[] = [];
  const vendors = payloads.filter(({ type }) => isVendorId(type, version)).map(({ body }) => vendor(body.bytes));
  for (const { type: payload, body } of payloads) {
    if (!isNotification(payload, version)) continue;
    const { type, data } = notification(body, version);
    const name = NOTIFICATIONS[type] ?? `notification ${type}`;
    if (type < FIRST_STATUS_TYPE || name === "COOKIE" || name === "REDIRECT") refusal ??= { type, name };
    else supports.push(name);
    if (type === INVALID_KE_PAYLOAD && data.length >= 2) wantedGroup = data.readUInt16BE();
  }
  const evidence = {
    version: `IKEv${version}`,
    ...(proposal && { proposal }),
    ...(refusal && { notification: refusal.name }),
    ...(wantedGroup && { wantedGroup: TRANSFORMS[4]?.[wantedGroup] ?? wantedGroup }),
    ...(vendors.length && { vendors }),
    ...(supports.length && { supports }),
  };
  return { proposal, refusal, vendors, supports, evidence };
};

const judge = (message: Message, wanted: Settings): Finding => {
  const { proposal, refusal, vendors, supports, evidence } = describe(message);
  const wrong = (text: string) => new ProbeFailure("unexpected-answer", text, { evidence });
  if (!proposal && !refusal) throw wrong("the IKE responder neither chose a proposal nor said why not");
  if (proposal && message.version === 2 && !hasKeyExchange(message))
    throw wrong("the IKE responder chose a proposal without key exchange or nonce");
  if (String(message.version) !== wanted.version && refusal === undefined)
    throw wrong(`expected IKEv${wanted.version}, got IKEv${message.version}`);
  const refused = `the IKE responder refuses: ${refusal?.name}`;
  const isRefused = refusal?.type === NO_PROPOSAL_CHOSEN;
  if (isRefused && wanted.refused === "down") throw wrong(refused);
  const says = [...vendors, ...supports].toSorted().join(", ");
  return {
    evidence,
    message: proposal ? `IKEv${message.version} chose ${proposal}` : `IKEv${message.version} answers ${refusal?.name}`,
    ...(says && { facts: { "isakmp.vendors": says } }),
    ...(isRefused && wanted.refused === "degraded" && { degraded: { reason: "poor-quality", message: refused } }),
  };
};

const hasKeyExchange = ({ payloads }: Message): boolean =>
  [KEY_EXCHANGE, NONCE].every((wanted) => payloads.some(({ type }) => type === wanted));

const hasMarker = ({ nonEspMarker }: Settings, { port }: Target): boolean =>
  nonEspMarker === "always" || (nonEspMarker === "auto" && port === NAT_TRAVERSAL_PORT);

const read = (wanted: Settings, datagram: Buffer, question: Buffer, target: Target): Finding | undefined => {
  const start = hasMarker(wanted, target) ? MARKER.length : 0;
  if (start && !datagram.subarray(0, start).equals(MARKER)) return undefined;
  const message = decode(datagram.subarray(start));
  if (!message.initiatorSpi.equals(question.subarray(start, start + 8))) return undefined;
  if (!message.isResponse)
    throw new ProbeFailure("wrong-protocol", "expected an IKE response, got our own request or another's");
  const ours: readonly number[] = [EXCHANGES.saInit, EXCHANGES.mainMode, EXCHANGES.informational];
  if (!ours.includes(message.exchange))
    throw new ProbeFailure("wrong-protocol", `expected an answer to our exchange, got exchange ${message.exchange}`);
  return judge(message, wanted);
};

export const isakmp: Protocol = {
  title: "IKE (ISAKMP)",
  summary: "Open when the responder chooses one of our proposals or says why not.",
  reference: "RFC 7296, sections 1.2, 2.6 and 3; RFC 2408, section 3; RFC 2409, section 5; RFC 3948, section 2.2",
  transports: ["udp"],
  defaultPort: 500,
  settings,
  example: { settings: { version: "2" } },
  prepare(input) {
    const wanted = parseSettings(settings, input);
    return udpProbe(wanted, {
      ask(_n, random, target) {
        const message = wanted.version === "2" ? saInit(random) : mainMode(random);
        return hasMarker(wanted, target) ? Buffer.concat([MARKER, message]) : message;
      },
      read: (datagram, question, target) => read(wanted, datagram, question, target),
    });
  },
};
