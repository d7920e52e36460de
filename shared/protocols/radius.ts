/**
 * RADIUS: open when the server answers Status-Server and its answer is signed with the shared secret (RFC 5997, sections 2
 * and 3; RFC 2865, section 3; RFC 3579, section 3.2). Needs no account, but the secret of a client that the server knows:
 * by design a server does not answer unknown addresses or wrong secrets.
 */
import { createHash, createHmac } from "node:crypto";
import { z } from "zod";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { oneLine, parseSettings } from "../wire/settings.ts";
import { udpFields, udpProbe } from "../wire/udp.ts";

const STATUS_SERVER = 12;
const CODES: Readonly<Record<number, string>> = {
  2: "Access-Accept",
  3: "Access-Reject",
  5: "Accounting-Response",
  11: "Access-Challenge",
  52: "Protocol-Error",
};
const REPLY_MESSAGE = 18;
const NAS_IDENTIFIER = 32;
const MESSAGE_AUTHENTICATOR = 80;
const HEADER_BYTES = 20;

const settings = z.strictObject({
  secret: oneLine(128)
    .meta({ writeOnly: true })
    .describe("The secret that the server shares with this location's address."),
  nasIdentifier: oneLine(64).default("harborlight").describe("Name that the probe gives itself."),
  ...udpFields({ spacingMs: 250 }),
});

const attribute = (type: number, value: Buffer): Buffer => Buffer.concat([Buffer.of(type, value.length + 2), value]);

const request = (id: number, authenticator: Buffer, secret: string, nasIdentifier: string): Buffer => {
  const head = Buffer.of(STATUS_SERVER, id, 0, 0);
  const signature = attribute(MESSAGE_AUTHENTICATOR, Buffer.alloc(16));
  const packet = Buffer.concat([head, authenticator, signature, attribute(NAS_IDENTIFIER, Buffer.from(nasIdentifier))]);
  packet.writeUInt16BE(packet.length, 2);
  createHmac("md5", secret)
    .update(packet)
    .digest()
    .copy(packet, HEADER_BYTES + 2);
  return packet;
};

/** The answer with the request's authenticator in place of its own: both signatures of an answer cover this form. */
const isSigned = (packet: Buffer, question: Buffer, secret: string, signatureAt: number | undefined): boolean => {
  const asked = Buffer.from(packet);
  question.copy(asked, 4, 4, HEADER_BYTES);
  const response = createHash("md5").update(asked).update(secret).digest();
  if (!response.equals(packet.subarray(4, HEADER_BYTES))) return false;
  if (signatureAt === undefined) return true;
  asked.fill(0, signatureAt, signatureAt + 16);
  return createHmac("md5", secret)
    .update(asked)
    .digest()
    .equals(packet.subarray(signatureAt, signatureAt + 16));
};

const understand = (datagram: Buffer, question: Buffer, secret: string): Finding | undefined => {
  const code = CODES[datagram[0] ?? 0];
  const length = datagram.length >= HEADER_BYTES ? datagram.readUInt16BE(2) : 0;
  if (!code || length < HEADER_BYTES || length > 4096)
    throw new ProbeFailure("wrong-protocol", "expected a RADIUS answer, got something else", {
      evidence: { firstBytes: datagram.subarray(0, 8).toString("hex") },
    });
  if (datagram[1] !== question[1]) return undefined;
  const packet = new Cursor(datagram, "RADIUS answer").take(length);
  const attributes = new Cursor(packet, "RADIUS answer", HEADER_BYTES);
  const messages: string[] = [];
  let signatureAt: number | undefined;
  while (attributes.left > 0) {
    const type = attributes.u8();
    const value = attributes.part(attributes.u8() - 2).bytes;
    if (type === REPLY_MESSAGE) messages.push(printable(value.toString("utf8")));
    if (type === MESSAGE_AUTHENTICATOR && value.length === 16) signatureAt = attributes.offset - 16;
  }
  const evidence = {
    code,
    ...(messages.length && { message: messages.join(" ") }),
    messageAuthenticator: signatureAt !== undefined,
  };
  if (!isSigned(packet, question, secret, signatureAt))
    throw new ProbeFailure("unexpected-answer", `the RADIUS server's ${code} is not signed with this secret`, {
      evidence,
    });
  if (code === "Protocol-Error")
    throw new ProbeFailure("service-unavailable", "the RADIUS server answers Protocol-Error", { evidence });
  return { evidence, message: `${code}${messages.length ? `: ${messages.join(" ")}` : ""}` };
};

export const radius: Protocol = {
  title: "RADIUS",
  summary: "Open when the server answers Status-Server, signed with the shared secret.",
  reference: "RFC 5997, sections 2 and 3; RFC 2865, section 3; RFC 3579, section 3.2",
  transports: ["udp"],
  defaultPort: 1812,
  settings,
  example: { settings: { secret: "the secret shared with this location" } },
  prepare(input) {
    const wanted = parseSettings(settings, input);
    const { secret, nasIdentifier } = wanted;
    let firstId = 0;
    return udpProbe(wanted, {
      silenceMeans: "a RADIUS server is silent to a wrong secret and to addresses it does not know",
      ask(n, random) {
        if (n === 0) firstId = random(1)[0]!;
        return request((firstId + n) & 0xff, random(16), secret, nasIdentifier);
      },
      read: (datagram, question) => understand(datagram, question, secret),
    });
  },
};
