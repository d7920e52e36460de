/**
 * DTLS: open when the server answers a ClientHello of version 1.2 with a cookie (HelloVerifyRequest), a ServerHello or an
 * alert (RFC 6347, sections 4.1, 4.2.1 and 4.3.2; RFC 5246, section 7.4.1). We stop at the cookie, until which a server
 * keeps no state for us. One datagram per check, because a second one would only repeat the hello.
 */
import { isIP } from "node:net";
import { z } from "zod";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor } from "../wire/cursor.ts";
import { oneLine, parseSettings } from "../wire/settings.ts";
import { udpFields, udpProbe } from "../wire/udp.ts";

const ALERT = 21;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const HELLO_VERIFY_REQUEST = 3;
const DTLS_1_0 = 0xfeff;
const DTLS_1_2 = 0xfefd;
const RECORD_HEAD_BYTES = 13;

const settings = z.strictObject({
  serverName: oneLine(253)
    .optional()
    .describe("Name to ask for (SNI). Default: the monitor's host, unless an address."),
  ...udpFields({ count: 1, spacingMs: 1000 }),
});

/** Cipher suites by IANA's numbers: ECDHE and RSA with certificates, and pre-shared keys for constrained devices. */
const CIPHERS: Readonly<Record<number, string>> = {
  49195: "ECDHE-ECDSA-AES128-GCM-SHA256",
  49196: "ECDHE-ECDSA-AES256-GCM-SHA384",
  49199: "ECDHE-RSA-AES128-GCM-SHA256",
  49200: "ECDHE-RSA-AES256-GCM-SHA384",
  52392: "ECDHE-RSA-CHACHA20-POLY1305",
  52393: "ECDHE-ECDSA-CHACHA20-POLY1305",
  49326: "ECDHE-ECDSA-AES128-CCM8",
  49171: "ECDHE-RSA-AES128-SHA",
  49172: "ECDHE-RSA-AES256-SHA",
  156: "AES128-GCM-SHA256",
  157: "AES256-GCM-SHA384",
  47: "AES128-SHA",
  53: "AES256-SHA",
  168: "PSK-AES128-GCM-SHA256",
  49320: "PSK-AES128-CCM8",
};
const ALERTS: Readonly<Record<number, string>> = {
  0: "close_notify",
  10: "unexpected_message",
  40: "handshake_failure",
  47: "illegal_parameter",
  50: "decode_error",
  70: "protocol_version",
  71: "insufficient_security",
  80: "internal_error",
  109: "missing_extension",
  112: "unrecognized_name",
};
const INTERNAL_ERROR = 80;
/** Alert levels: warning and fatal. */
const LEVELS = [1, 2];

const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);
const listed = (...parts: readonly Buffer[]): Buffer => {
  const all = Buffer.concat(parts);
  return Buffer.concat([u16(all.length), all]);
};
const extension = (type: number, content: Buffer): Buffer => Buffer.concat([u16(type), listed(content)]);

const clientHello = (n: number, serverName: string | undefined, random: (bytes: number) => Buffer): Buffer => {
  const extensions = [
    extension(10, listed(...[29, 23, 24].map(u16))),
    extension(11, Buffer.of(1, 0)),
    extension(13, listed(...[0x0403, 0x0503, 0x0804, 0x0805, 0x0401, 0x0501, 0x0201].map(u16))),
    extension(23, Buffer.alloc(0)),
    extension(0xff01, Buffer.of(0)),
  ];
  if (serverName) extensions.unshift(extension(0, listed(Buffer.of(0), listed(Buffer.from(serverName)))));
  const body = Buffer.concat([
    u16(DTLS_1_2),
    random(32),
    // No session and no cookie yet.
    Buffer.alloc(2),
    listed(...Object.keys(CIPHERS).map((number) => u16(Number(number)))),
    Buffer.of(1, 0),
    listed(...extensions),
  ]);
  const head = Buffer.alloc(RECORD_HEAD_BYTES + 12);
  head[0] = HANDSHAKE;
  head.writeUInt16BE(DTLS_1_0, 1);
  head.writeUIntBE(n, 5, 6);
  head.writeUInt16BE(12 + body.length, 11);
  head[13] = CLIENT_HELLO;
  head.writeUIntBE(body.length, 14, 3);
  head.writeUIntBE(body.length, 22, 3);
  return Buffer.concat([head, body]);
};

const VERSIONS: Readonly<Record<number, string>> = {
  [DTLS_1_0]: "DTLS 1.0",
  [DTLS_1_2]: "DTLS 1.2",
  65276: "DTLS 1.3",
};

const hex = (number: number): string => `0x${number.toString(16).padStart(4, "0")}`;

const readHandshake = (record: Cursor): Finding | undefined => {
  const type = record.u8();
  record.take(3);
  const sequence = record.u16();
  record.take(3);
  const body = record.part(record.u24());
  if (type !== HELLO_VERIFY_REQUEST && type !== SERVER_HELLO) {
    // A later message of the same flight that arrived before the hello.
    if (sequence > 0) return undefined;
    throw new ProbeFailure("wrong-protocol", `expected a DTLS hello, got handshake message ${type}`);
  }
  const versionNumber = body.u16();
  if (type === HELLO_VERIFY_REQUEST) {
    // This message always has version 1.0, whichever version is negotiated later.
    const cookieBytes = body.take(body.u8()).length;
    return { evidence: { answer: "cookie", cookieBytes }, message: "the DTLS server sends a cookie" };
  }
  body.take(32);
  body.take(body.u8());
  const number = body.u16();
  const [version, cipher] = [VERSIONS[versionNumber], CIPHERS[number]];
  if (!version || !cipher)
    throw new ProbeFailure(
      "unexpected-answer",
      `expected a version and a cipher that we offer, got ${version ?? hex(versionNumber)} with ${cipher ?? hex(number)}`,
    );
  return {
    evidence: { answer: "hello", version, cipher },
    message: `${version} with ${cipher}`,
    facts: { "dtls.version": version, "dtls.cipher": cipher },
  };
};

const understand = (datagram: Buffer): Finding | undefined => {
  const type = datagram[0];
  const isRecord = datagram.length >= 3 && (type === ALERT || type === HANDSHAKE) && datagram[1] === 0xfe;
  if (!isRecord)
    throw new ProbeFailure("wrong-protocol", "expected a DTLS record, got something else", {
      evidence: { firstBytes: datagram.subarray(0, 8).toString("hex") },
    });
  const cursor = new Cursor(datagram, "DTLS answer", 3);
  cursor.take(8);
  const record = cursor.part(cursor.u16());
  if (type === HANDSHAKE) return readHandshake(record);
  const level = record.u8();
  const number = record.u8();
  if (!LEVELS.includes(level))
    throw new ProbeFailure("wrong-protocol", `expected a DTLS alert, got one of the unknown level ${level}`);
  const alert = ALERTS[number] ?? `alert ${number}`;
  if (number === INTERNAL_ERROR)
    throw new ProbeFailure("service-unavailable", `the DTLS server answers with ${alert}`, { evidence: { alert } });
  return { evidence: { answer: "alert", alert }, message: `the DTLS server answers with ${alert}` };
};

export const dtls: Protocol = {
  title: "DTLS",
  summary: "Open when the server answers a ClientHello: with a cookie, a ServerHello or an alert.",
  reference: "RFC 6347, sections 4.1, 4.2.1 and 4.3.2; RFC 5246, section 7.4.1",
  transports: ["udp"],
  defaultPort: null,
  settings,
  example: { port: 5684, settings: {} },
  prepare(input) {
    const wanted = parseSettings(settings, input);
    return udpProbe(wanted, {
      ask: (n, random, { host }) => clientHello(n, wanted.serverName ?? (isIP(host) ? undefined : host), random),
      read: understand,
    });
  },
};
