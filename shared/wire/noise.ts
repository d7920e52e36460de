/**
 * WireGuard's handshake, initiator's side: Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s (WireGuard whitepaper, sections 5.4.1 to
 * 5.4.4 and 5.4.7; the Noise Protocol Framework, revision 34).
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { hchacha } from "@noble/ciphers/chacha.js";
import { blake2s } from "@noble/hashes/blake2.js";

const CONSTRUCTION = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
const IDENTIFIER = "WireGuard v1 zx2c4 Jason@zx2c4.com";
const MAC1_LABEL = "mac1----";
const COOKIE_LABEL = "cookie--";
/** DER around a bare X25519 key (RFC 8410). */
const PRIVATE_HEAD = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_HEAD = Buffer.from("302a300506032b656e032100", "hex");
export const INITIATION_BYTES = 148;
export const RESPONSE_BYTES = 92;

export const privateKey = (raw: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, raw]), format: "der", type: "pkcs8" });
export const publicKey = (raw: Buffer): KeyObject =>
  createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, raw]), format: "der", type: "spki" });
const rawPublic = (key: KeyObject): Buffer =>
  createPublicKey(key.export({ format: "pem", type: "pkcs8" }))
    .export({ format: "der", type: "spki" })
    .subarray(-32);

const hash = (...parts: readonly (Buffer | string)[]): Buffer => {
  const state = createHash("blake2s256");
  for (const part of parts) state.update(part);
  return state.digest();
};
const hmac = (key: Buffer, ...parts: readonly Buffer[]): Buffer =>
  createHmac("blake2s256", key).update(Buffer.concat(parts)).digest();

/** Derives `count` keys by HKDF (WireGuard whitepaper, section 5.4). */
const derive = (chain: Buffer, input: Buffer, count: number): Buffer[] => {
  const secret = hmac(chain, input);
  const keys: Buffer[] = [];
  for (let n = 1; n <= count; n += 1) keys.push(hmac(secret, keys.at(-1) ?? Buffer.alloc(0), Buffer.of(n)));
  return keys;
};

const NONCE = Buffer.alloc(12);
const seal = (key: Buffer, text: Buffer, extra: Buffer): Buffer => {
  const cipher = createCipheriv("chacha20-poly1305", key, NONCE, { authTagLength: 16 });
  cipher.setAAD(extra, { plaintextLength: text.length });
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
};
/** Whether `sealed` was encrypted and authenticated with this key. */
const opens = (key: Buffer, sealed: Buffer, extra: Buffer, nonce = NONCE): boolean => {
  const decipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  decipher.setAAD(extra, { plaintextLength: sealed.length - 16 });
  decipher.setAuthTag(sealed.subarray(-16));
  try {
    decipher.update(sealed.subarray(0, -16));
    decipher.final();
    return true;
  } catch {
    return false;
  }
};

/** WireGuard's MAC, keyed BLAKE2s of 16 bytes (RFC 7693): Node's crypto has only the unkeyed hash. */
export const mac = (key: Buffer, message: Buffer): Buffer => Buffer.from(blake2s(message, { key, dkLen: 16 }));

const words = (bytes: Uint8Array): Uint32Array => new Uint32Array(Uint8Array.from(bytes).buffer);
const SIGMA = words(Buffer.from("expand 32-byte k"));

/**
 * HChaCha20 (draft-irtf-cfrg-xchacha-03, section 2.2), the part of XChaCha20 that Node's crypto lacks. OpenSSL does the
 * rest: the library's complete XChaCha20-Poly1305 would add 10 KB to the bundle.
 * @param nonce 16 bytes
 */
export const hchacha20 = (key: Buffer, nonce: Buffer): Buffer => {
  const derived = new Uint32Array(8);
  hchacha(SIGMA, words(key), words(nonce), derived);
  return Buffer.from(derived.buffer);
};

/** TAI64N timestamp: seconds and nanoseconds. A peer accepts only later timestamps than it has seen (replay protection). */
const timestamp = (nowMs: number, n: number): Buffer => {
  const stamp = Buffer.alloc(12);
  stamp.writeBigUInt64BE(0x400000000000000an + BigInt(Math.floor(nowMs / 1000)), 0);
  stamp.writeUInt32BE(Math.floor((nowMs % 1000) * 1e6) + n, 8);
  return stamp;
};

export interface Identity {
  readonly own: KeyObject;
  readonly server: KeyObject;
  readonly serverRaw: Buffer;
  readonly preshared: Buffer;
  /** Diffie-Hellman result of the two static keys. */
  readonly shared: Buffer;
}

/** @throws what OpenSSL throws when one of the keys cannot be used */
export const identity = (own: Buffer, serverRaw: Buffer, preshared = Buffer.alloc(32)): Identity => {
  const keys = { own: privateKey(own), server: publicKey(serverRaw) };
  const shared = diffieHellman({ privateKey: keys.own, publicKey: keys.server });
  return { ...keys, serverRaw, preshared, shared };
};

export interface Initiation {
  readonly message: Buffer;
  /** Whether a response proves that its sender has the server's private key and knows our public key. */
  isAnsweredBy(response: Buffer): boolean;
  /** Whether a cookie reply answers this initiation and comes from a server with this public key. */
  isPutOffBy(cookieReply: Buffer): boolean;
}

/** @param index identifies the session in answers @param n makes timestamps of the same millisecond differ */
export const initiate = (who: Identity, index: Buffer, nowMs: number, n: number): Initiation => {
  const ephemeral = generateKeyPairSync("x25519");
  const ephemeralRaw = ephemeral.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const dh = (own: KeyObject, other: KeyObject) => diffieHellman({ privateKey: own, publicKey: other });
  const first = hash(CONSTRUCTION);
  let transcript = hash(hash(hash(first, IDENTIFIER), who.serverRaw), ephemeralRaw);
  let [chain, key] = derive(first, ephemeralRaw, 2) as [Buffer, Buffer];
  [chain, key] = derive(chain, dh(ephemeral.privateKey, who.server), 2) as [Buffer, Buffer];
  const sealedStatic = seal(key, rawPublic(who.own), transcript);
  transcript = hash(transcript, sealedStatic);
  [chain, key] = derive(chain, who.shared, 2) as [Buffer, Buffer];
  const sealedTime = seal(key, timestamp(nowMs, n), transcript);
  transcript = hash(transcript, sealedTime);
  const signed = Buffer.concat([Buffer.of(1, 0, 0, 0), index, ephemeralRaw, sealedStatic, sealedTime]);
  const mac1 = mac(hash(MAC1_LABEL, who.serverRaw), signed);
  return {
    message: Buffer.concat([signed, mac1, Buffer.alloc(16)]),
    isAnsweredBy(response) {
      const theirs = response.subarray(12, 44);
      let answer = derive(chain, theirs, 1)[0]!;
      const heard = hash(transcript, theirs);
      try {
        answer = derive(answer, dh(ephemeral.privateKey, publicKey(theirs)), 1)[0]!;
        answer = derive(answer, dh(who.own, publicKey(theirs)), 1)[0]!;
      } catch {
        return false; // a low-order point, which no honest server sends
      }
      const [, mixed, sealing] = derive(answer, who.preshared, 3) as [Buffer, Buffer, Buffer];
      return opens(sealing, response.subarray(44, 60), hash(heard, mixed));
    },
    isPutOffBy(cookieReply) {
      const nonce = cookieReply.subarray(8, 32);
      const sealing = hchacha20(hash(COOKIE_LABEL, who.serverRaw), nonce.subarray(0, 16));
      return opens(sealing, cookieReply.subarray(32, 64), mac1, Buffer.concat([Buffer.alloc(4), nonce.subarray(16)]));
    },
  };
};
