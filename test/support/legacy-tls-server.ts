/**
 * A TLS 1.2 server from before RFC 5746, as NetScalers, UPSes and printers have it: its hello carries no extension at all.
 * OpenSSL's own servers cannot be told to leave it out, so this is RFC 5246 by hand, with TLS_RSA_WITH_AES_128_GCM_SHA256.
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  privateDecrypt,
  randomBytes,
} from "node:crypto";
import type { Socket } from "node:net";
import { makeCertificate } from "./certificates.ts";
import { serve } from "./servers.ts";

const [CHANGE_CIPHER_SPEC, HANDSHAKE, DATA] = [20, 22, 23];
const TLS_1_2 = Buffer.from("0303", "hex");

const u16 = (value: number) => Buffer.of(value >> 8, value & 255);
const u24 = (value: number) => Buffer.concat([Buffer.of(value >> 16), u16(value & 0xffff)]);
const record = (type: number, content: Buffer) =>
  Buffer.concat([Buffer.of(type), TLS_1_2, u16(content.length), content]);
const message = (type: number, content: Buffer) => Buffer.concat([Buffer.of(type), u24(content.length), content]);

/** The pseudorandom function of RFC 5246, section 5. */
const prf = (secret: Buffer, label: string, seed: Buffer, length: number): Buffer => {
  const hmac = (data: Buffer) => createHmac("sha256", secret).update(data).digest();
  const start = Buffer.concat([Buffer.from(label), seed]);
  let [a, output] = [start, Buffer.alloc(0)];
  while (output.length < length) {
    a = hmac(a);
    output = Buffer.concat([output, hmac(Buffer.concat([a, start]))]);
  }
  return output.subarray(0, length);
};

/** AES-GCM of RFC 5288: the same for both directions, each with its key, its part of the nonce and its count of records. */
const sealing = (key: Buffer, salt: Buffer) => {
  let sequence = 0n;
  const parts = (type: number, length: number) => {
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(sequence++);
    return { number, aad: Buffer.concat([number, Buffer.of(type), TLS_1_2, u16(length)]) };
  };
  return {
    seal(type: number, content: Buffer): Buffer {
      const { number, aad } = parts(type, content.length);
      const cipher = createCipheriv("aes-128-gcm", key, Buffer.concat([salt, number])).setAAD(aad);
      const sealed = Buffer.concat([cipher.update(content), cipher.final()]);
      return record(type, Buffer.concat([number, sealed, cipher.getAuthTag()]));
    },
    open(type: number, content: Buffer): Buffer {
      const { aad } = parts(type, content.length - 24);
      const nonce = Buffer.concat([salt, content.subarray(0, 8)]);
      const decipher = createDecipheriv("aes-128-gcm", key, nonce).setAAD(aad).setAuthTag(content.subarray(-16));
      return Buffer.concat([decipher.update(content.subarray(8, -16)), decipher.final()]);
    },
  };
};

/** Records of one connection, in order. */
async function* recordsOf(socket: Socket): AsyncGenerator<{ type: number; content: Buffer }> {
  let pending = Buffer.alloc(0);
  for await (const chunk of socket) {
    pending = Buffer.concat([pending, chunk as Buffer]);
    while (pending.length >= 5 && pending.length >= 5 + pending.readUInt16BE(3)) {
      const end = 5 + pending.readUInt16BE(3);
      yield { type: pending[0]!, content: pending.subarray(5, end) };
      pending = pending.subarray(end);
    }
  }
}

/** @param greeting said inside TLS, once the handshake is done */
export async function serveLegacyTls(greeting: string) {
  const { certificate, key } = makeCertificate({ rsaBits: 2048 });
  const der = Buffer.from(certificate.replace(/-----.*-----/g, ""), "base64");
  const talk = async (socket: Socket) => {
    const transcript: Buffer[] = [];
    const say = (type: number, content: Buffer) => {
      const said = message(type, content);
      transcript.push(said);
      socket.write(record(HANDSHAKE, said));
    };
    const records = recordsOf(socket);
    const next = async () => (await records.next()).value as { type: number; content: Buffer };
    const finished = (label: string, master: Buffer) =>
      prf(master, label, createHash("sha256").update(Buffer.concat(transcript)).digest(), 12);

    const hello = (await next()).content;
    transcript.push(hello);
    const [clientRandom, serverRandom] = [hello.subarray(6, 38), randomBytes(32)];
    say(2, Buffer.concat([TLS_1_2, serverRandom, Buffer.from("00009c00", "hex")]));
    say(11, Buffer.concat([u24(der.length + 3), u24(der.length), der]));
    say(14, Buffer.alloc(0));
    const exchange = await next();
    if (exchange?.type !== HANDSHAKE) return; // a client that refuses us says so by an alert
    transcript.push(exchange.content);
    const encrypted = exchange.content.subarray(6);
    const premaster = privateDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, encrypted);
    const master = prf(premaster, "master secret", Buffer.concat([clientRandom, serverRandom]), 48);
    const block = prf(master, "key expansion", Buffer.concat([serverRandom, clientRandom]), 40);
    const theirs = sealing(block.subarray(0, 16), block.subarray(32, 36));
    const ours = sealing(block.subarray(16, 32), block.subarray(36, 40));
    await next(); // change cipher spec
    transcript.push(theirs.open(HANDSHAKE, (await next()).content));
    socket.write(record(CHANGE_CIPHER_SPEC, Buffer.of(1)));
    socket.write(ours.seal(HANDSHAKE, message(20, finished("server finished", master))));
    socket.write(ours.seal(DATA, Buffer.from(greeting)));
    await next();
  };
  return serve((socket) => void talk(socket).catch(() => socket.destroy()));
}
