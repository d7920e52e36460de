/**
 * SNMP's User-based Security Model (USM): keys from passwords, authentication, privacy and the time window (RFC 3414;
 * HMAC-SHA-2: RFC 7860; AES-128: RFC 3826). AES-256 is in no RFC: its use follows draft-blumenthal-aes-usm-04, and a hash that
 * is shorter than its key is extended as in draft-reeder-snmpv3-usm-3desede-00, section 2.1, as Cisco and most agents do.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, timingSafeEqual } from "node:crypto";

/** The hash of each authentication protocol, and how many bytes of its HMAC a message carries. */
const HASHES = {
  "SHA-256": { hash: "sha256", macBytes: 24 },
  SHA: { hash: "sha1", macBytes: 12 },
  "SHA-224": { hash: "sha224", macBytes: 16 },
  "SHA-384": { hash: "sha384", macBytes: 32 },
  "SHA-512": { hash: "sha512", macBytes: 48 },
  MD5: { hash: "md5", macBytes: 12 },
} as const;
export type Authentication = keyof typeof HASHES;
export const AUTHENTICATIONS = Object.keys(HASHES) as [Authentication, ...Authentication[]];

const CIPHERS = {
  "AES-128": { cipher: "aes-128-cfb", keyBytes: 16 },
  "AES-256": { cipher: "aes-256-cfb", keyBytes: 32 },
} as const;
export type Privacy = keyof typeof CIPHERS;
export const PRIVACIES = Object.keys(CIPHERS) as [Privacy, ...Privacy[]];

/** Clock of an SNMP engine: how often it has started, and the seconds since the last start. */
export interface EngineTime {
  readonly boots: number;
  readonly time: number;
}

/** Bytes of the repeated password that are hashed: RFC 3414, appendix A.2. */
const EXPANDED_BYTES = 1_048_576;

const digest = (auth: Authentication, ...parts: readonly Buffer[]): Buffer => {
  const hash = createHash(HASHES[auth].hash);
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const expand = (auth: Authentication, password: string | Buffer): Buffer =>
  digest(auth, Buffer.alloc(EXPANDED_BYTES, password as string));

/** Localises a key: binds it to one engine, so that a key stolen from one agent is of no use at others (RFC 3414, section 2.6). */
const localise = (auth: Authentication, key: Buffer, engineId: Buffer): Buffer => digest(auth, key, engineId, key);

/** Passwords that the cache keeps keys of: those of a large fleet, at about 200 bytes each. */
const MAX_CACHED_PASSWORDS = 1000;
/** Cache of keys before they are localised: hashing a megabyte costs milliseconds, and many devices share a password. */
const passwordKeys = new Map<string, Buffer>();

const passwordKey = (auth: Authentication, password: string): Buffer => {
  const name = `${auth} ${password}`;
  const key = passwordKeys.get(name) ?? expand(auth, password);
  if (passwordKeys.size >= MAX_CACHED_PASSWORDS) passwordKeys.clear();
  passwordKeys.set(name, key);
  return key;
};

/** The key that authenticates messages to and from this engine. */
export const authenticationKey = (auth: Authentication, password: string, engineId: Buffer): Buffer =>
  localise(auth, passwordKey(auth, password), engineId);

/** The key that encrypts messages to and from this engine. It is made with the hash of the user's authentication. */
export const privacyKey = (auth: Authentication, priv: Privacy, password: string, engineId: Buffer): Buffer => {
  const { keyBytes } = CIPHERS[priv];
  let last = authenticationKey(auth, password, engineId);
  let key = last;
  while (key.length < keyBytes) {
    last = localise(auth, expand(auth, last), engineId);
    key = Buffer.concat([key, last]);
  }
  return key.subarray(0, keyBytes);
};

/** Placeholder for a message's HMAC while the HMAC is computed: as many zero bytes. */
export const emptyMac = (auth: Authentication): Buffer => Buffer.alloc(HASHES[auth].macBytes);

const macOf = (auth: Authentication, key: Buffer, message: Buffer): Buffer =>
  createHmac(HASHES[auth].hash, key).update(message).digest().subarray(0, HASHES[auth].macBytes);

/** Writes the HMAC of a message into it. @param macAt where its placeholder begins */
export const sign = (auth: Authentication, key: Buffer, message: Buffer, macAt: number): void =>
  void macOf(auth, key, message).copy(message, macAt);

/** Whether a message carries its HMAC with this key. @param mac the HMAC, as a view into the message */
export const isSigned = (auth: Authentication, key: Buffer, message: Buffer, mac: Buffer): boolean => {
  if (mac.length !== HASHES[auth].macBytes) return false;
  const unsigned = Buffer.from(message);
  const macAt = mac.byteOffset - message.byteOffset;
  unsigned.fill(0, macAt, macAt + mac.length);
  return timingSafeEqual(macOf(auth, key, unsigned), mac);
};

export const SALT_BYTES = 8;

/** Initial vector of AES: RFC 3826, section 3.1.2.1. */
const initialVector = ({ boots, time }: EngineTime, salt: Buffer): Buffer => {
  const vector = Buffer.alloc(8 + SALT_BYTES);
  vector.writeUInt32BE(boots, 0);
  vector.writeUInt32BE(time, 4);
  salt.copy(vector, 8);
  return vector;
};

/** @param salt 8 bytes that were not used with this key before: they are the message's privacy parameters */
export const encrypt = (priv: Privacy, key: Buffer, at: EngineTime, salt: Buffer, plain: Buffer): Buffer => {
  const cipher = createCipheriv(CIPHERS[priv].cipher, key, initialVector(at, salt));
  return Buffer.concat([cipher.update(plain), cipher.final()]);
};

export const decrypt = (priv: Privacy, key: Buffer, at: EngineTime, salt: Buffer, secret: Buffer): Buffer => {
  const decipher = createDecipheriv(CIPHERS[priv].cipher, key, initialVector(at, salt));
  return Buffer.concat([decipher.update(secret), decipher.final()]);
};

/** Largest number of starts and of seconds. An engine with so many starts must get new keys: RFC 3414, section 2.2.2. */
export const MAX_ENGINE_TIME = 2 ** 31 - 1;
/** Width of the time window: RFC 3414, section 2.2.3. */
const WINDOW_SECONDS = 150;

/** Whether two times of one engine are near enough to each other for a message not to be a replay. */
export const isInTimeWindow = (one: EngineTime, other: EngineTime): boolean =>
  one.boots === other.boots && one.boots < MAX_ENGINE_TIME && Math.abs(one.time - other.time) <= WINDOW_SECONDS;
