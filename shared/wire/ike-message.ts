/**
 * Encodes and decodes messages of the Internet Key Exchange (IKE): headers, payload chains and the proposals we send
 * (version 2: RFC 7296, section 3; version 1: RFC 2408, section 3, with RFC 2409, appendix A).
 */
import { createECDH, createHash } from "node:crypto";
import { ProbeFailure } from "../contract/protocol.ts";
import { Cursor, printable } from "./cursor.ts";

const HEADER_BYTES = 28;
const VERSION_1 = 0x10;
const VERSION_2 = 0x20;
export const EXCHANGES = { mainMode: 2, informational: 5, saInit: 34 } as const;
const FLAG_INITIATOR = 0x08;
const FLAG_RESPONSE = 0x20;

export interface Payload {
  readonly type: number;
  readonly body: Cursor;
}

export interface Message {
  readonly initiatorSpi: Buffer;
  readonly responderSpi: Buffer;
  readonly version: number;
  readonly exchange: number;
  readonly isEncrypted: boolean;
  /** Whether a responder sent it: version 2 has a flag, version 1 shows it by the responder's SPI or a notification. */
  readonly isResponse: boolean;
  readonly payloads: readonly Payload[];
}

const chain = (payloads: readonly (readonly [type: number, body: Buffer])[]): Buffer =>
  Buffer.concat(
    payloads.flatMap(([, body], n) => {
      const head = Buffer.of(payloads[n + 1]?.[0] ?? 0, 0, 0, 0);
      head.writeUInt16BE(body.length + 4, 2);
      return [head, body];
    }),
  );

const message = (spi: Buffer, version: 1 | 2, payloads: readonly (readonly [number, Buffer])[]): Buffer => {
  const content = chain(payloads);
  const head = Buffer.alloc(HEADER_BYTES);
  spi.copy(head, 0, 0, 8);
  head[16] = payloads[0]?.[0] ?? 0;
  head[17] = version === 1 ? VERSION_1 : VERSION_2;
  head[18] = version === 1 ? EXCHANGES.mainMode : EXCHANGES.saInit;
  head[19] = version === 1 ? 0 : FLAG_INITIATOR;
  head.writeUInt32BE(HEADER_BYTES + content.length, 24);
  return Buffer.concat([head, content]);
};

/** Concatenates a structure and writes its length to bytes 2 and 3. */
const sized = (head: readonly number[], ...parts: readonly Buffer[]): Buffer => {
  const all = Buffer.concat([Buffer.from(head), ...parts]);
  all.writeUInt16BE(all.length, 2);
  return all;
};

/** Version 2: [transform type, id, key bits]. Types: 1 encryption, 2 PRF, 3 integrity, 4 key exchange group. */
type Transform = readonly [type: number, id: number, keyBits?: number];
const GROUPS: readonly Transform[] = [19, 31, 14, 20, 2].map((id) => [4, id]);
const PRFS: readonly Transform[] = [5, 7, 2].map((id) => [2, id]);
const PROPOSALS: readonly (readonly Transform[])[] = [
  [[1, 12, 256], [1, 12, 128], [1, 3], [3, 12], [3, 14], [3, 2], ...PRFS, ...GROUPS],
  // Authenticated ciphers (AES-GCM with 16 bytes) need a separate proposal: RFC 5282, section 8.
  [[1, 20, 256], [1, 20, 128], ...PRFS, ...GROUPS],
];

const attribute = (type: number, value: number): Buffer => Buffer.of(0x80, type, value >> 8, value & 0xff);

const transform2 = ([type, id, keyBits]: Transform, isLast: boolean): Buffer =>
  sized([isLast ? 0 : 3, 0, 0, 0, type, 0, id >> 8, id & 0xff], ...(keyBits ? [attribute(14, keyBits)] : []));

/** Builds IKE_SA_INIT of version 2, with proposals, a fresh key share on P-256 and a nonce. */
export const saInit = (random: (bytes: number) => Buffer): Buffer => {
  const proposals = PROPOSALS.map((transforms, n) =>
    sized(
      [n === PROPOSALS.length - 1 ? 0 : 2, 0, 0, 0, n + 1, 1, 0, transforms.length],
      ...transforms.map((transform, at) => transform2(transform, at === transforms.length - 1)),
    ),
  );
  const share = createECDH("prime256v1").generateKeys().subarray(1);
  return message(random(8), 2, [
    [33, Buffer.concat(proposals)],
    [34, Buffer.concat([Buffer.of(0, 19, 0, 0), share])],
    [40, random(32)],
  ]);
};

/** Builds the first message of version 1's main mode: AES and 3DES, SHA-2 and SHA-1, groups 14 and 2, shared key and signature. */
export const mainMode = (random: (bytes: number) => Buffer): Buffer => {
  const ciphers = [attribute(1, 7), attribute(1, 5)];
  const choices = ciphers.flatMap((cipher) =>
    [4, 2].flatMap((hash) => [14, 2].flatMap((group) => [1, 3].map((auth) => ({ cipher, hash, group, auth })))),
  );
  const transforms = choices.map(({ cipher, hash, group, auth }, n) =>
    sized(
      [n === choices.length - 1 ? 0 : 3, 0, 0, 0, n + 1, 1, 0, 0],
      cipher,
      ...(cipher === ciphers[0] ? [attribute(14, 256)] : []),
      attribute(2, hash),
      attribute(4, group),
      attribute(3, auth),
      attribute(11, 1),
      attribute(12, 28_800),
    ),
  );
  const proposal = sized([0, 0, 0, 0, 1, 1, 0, transforms.length], ...transforms);
  return message(random(8), 1, [[1, Buffer.concat([Buffer.of(0, 0, 0, 1, 0, 0, 0, 1), proposal])]]);
};

/** @throws ProbeFailure when this is no IKE message, or only a part of one */
export const decode = (bytes: Buffer): Message => {
  const version = bytes.length > 17 ? bytes[17]! >> 4 : 0;
  if (bytes.length < HEADER_BYTES || (version !== 1 && version !== 2))
    throw new ProbeFailure("wrong-protocol", "expected an IKE message, got something else", {
      evidence: { firstBytes: bytes.subarray(0, 20).toString("hex") },
    });
  const announced = bytes.readUInt32BE(24);
  if (announced < HEADER_BYTES)
    throw new ProbeFailure("wrong-protocol", `the IKE answer announces ${announced} bytes, less than its own head`);
  const isEncrypted = version === 1 ? Boolean(bytes[19]! & 1) : bytes[16] === 46 || bytes[16] === 53;
  const content = new Cursor(bytes, "IKE answer", HEADER_BYTES).part(announced - HEADER_BYTES);
  const payloads: Payload[] = [];
  let type = bytes[16]!;
  while (type !== 0 && !isEncrypted) {
    const following = content.u8();
    content.u8();
    const length = content.u16();
    if (length < 4) throw new ProbeFailure("wrong-protocol", "the IKE answer has a payload shorter than its own head");
    payloads.push({ type, body: content.part(length - 4) });
    type = following;
  }
  return {
    initiatorSpi: bytes.subarray(0, 8),
    responderSpi: bytes.subarray(8, 16),
    version,
    exchange: bytes[18]!,
    isEncrypted,
    isResponse:
      version === 1
        ? bytes[18] === EXCHANGES.informational || !bytes.subarray(8, 16).equals(Buffer.alloc(8))
        : (bytes[19]! & (FLAG_RESPONSE | FLAG_INITIATOR)) === FLAG_RESPONSE,
    payloads,
  };
};

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
/** Known vendor ids: mostly MD5 sums of a text; RFC 3706 (dead peer detection) and XAUTH define fixed bytes. */
const VENDORS = new Map([
  [md5("strongSwan"), "strongSwan"],
  [md5("RFC 3947"), "NAT traversal"],
  [md5("FRAGMENTATION"), "fragmentation"],
  ["afcad71368a1f1c96b8696fc77570100", "dead peer detection"],
  ["09002689dfd6b712", "XAUTH"],
]);

/** Describes a vendor id: a known name, its text if it is printable, else its first bytes in hexadecimal. */
export const vendor = (id: Buffer): string => {
  const hex = id.toString("hex");
  for (const [known, name] of VENDORS) if (hex.startsWith(known)) return name;
  const text = id.toString("latin1");
  return /^[\x20-\x7e]{4,}$/.test(text) ? printable(text, 40) : hex.slice(0, 16);
};
