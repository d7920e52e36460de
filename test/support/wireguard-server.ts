/** WireGuard's responder (whitepaper, section 5.4), as far as the handshake goes. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
} from "node:crypto";
import { mac, privateKey, publicKey } from "../../shared/wire/noise.ts";

const hash = (...parts: readonly (Buffer | string)[]) =>
  parts.reduce((state, part) => state.update(part), createHash("blake2s256")).digest();
const hmac = (key: Buffer, ...parts: readonly Buffer[]) =>
  createHmac("blake2s256", key).update(Buffer.concat(parts)).digest();
const derive = (chain: Buffer, input: Buffer) => {
  const secret = hmac(chain, input);
  const one = hmac(secret, Buffer.of(1));
  const two = hmac(secret, one, Buffer.of(2));
  return [one, two, hmac(secret, two, Buffer.of(3))] as const;
};
const unseal = (key: Buffer, sealed: Buffer, extra: Buffer) => {
  const decipher = createDecipheriv("chacha20-poly1305", key, Buffer.alloc(12), { authTagLength: 16 });
  decipher.setAAD(extra, { plaintextLength: sealed.length - 16 });
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
};

export interface KeyPair {
  readonly secret: Buffer;
  readonly open: Buffer;
}
export const keyPair = (): KeyPair => {
  const pair = generateKeyPairSync("x25519");
  return {
    secret: pair.privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32),
    open: pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32),
  };
};

/** Answers initiations of the one peer it knows; says nothing to anybody else. */
export const responder = (own: KeyPair, peer: Buffer, preshared = Buffer.alloc(32)) => {
  const dh = (secret: Buffer, open: Buffer) =>
    diffieHellman({ privateKey: privateKey(secret), publicKey: publicKey(open) });
  let last = Buffer.alloc(12);
  return (message: Buffer): Buffer | undefined => {
    if (message.length !== 148 || message[0] !== 1) return undefined;
    if (!mac(hash("mac1----", own.open), message.subarray(0, 116)).equals(message.subarray(116, 132))) return undefined;
    const theirs = message.subarray(8, 40);
    const first = hash("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s");
    let transcript = hash(hash(hash(first, "WireGuard v1 zx2c4 Jason@zx2c4.com"), own.open), theirs);
    let [chain, key] = derive(derive(first, theirs)[0], dh(own.secret, theirs));
    const claimed = unseal(key, message.subarray(40, 88), transcript);
    if (!claimed.equals(peer)) return undefined;
    transcript = hash(transcript, message.subarray(40, 88));
    [chain, key] = derive(chain, dh(own.secret, peer));
    const time = unseal(key, message.subarray(88, 116), transcript);
    transcript = hash(transcript, message.subarray(88, 116));
    if (Buffer.compare(time, last) <= 0) return undefined;
    last = time;
    const ephemeral = keyPair();
    chain = derive(chain, ephemeral.open)[0];
    chain = derive(chain, dh(ephemeral.secret, theirs))[0];
    chain = derive(chain, dh(ephemeral.secret, peer))[0];
    const [, mixed, sealing] = derive(chain, preshared);
    transcript = hash(hash(transcript, ephemeral.open), mixed);
    const sealed = sealNothing(sealing, transcript);
    const signed = Buffer.concat([
      Buffer.of(2, 0, 0, 0),
      randomBytes(4),
      message.subarray(4, 8),
      ephemeral.open,
      sealed,
    ]);
    return Buffer.concat([signed, mac(hash("mac1----", peer), signed), Buffer.alloc(16)]);
  };
};

const sealNothing = (key: Buffer, extra: Buffer) => {
  const cipher = createCipheriv("chacha20-poly1305", key, Buffer.alloc(12), { authTagLength: 16 });
  cipher.setAAD(extra, { plaintextLength: 0 });
  cipher.final();
  return cipher.getAuthTag();
};
