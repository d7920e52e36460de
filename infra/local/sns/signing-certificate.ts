import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "../disk/atomic-file.ts";

export interface SigningKey {
  /** PEM, PKCS #8. */
  readonly privateKey: string;
  /** PEM, X.509, self-signed. */
  readonly certificate: string;
}

/** Distinguished encoding rules: tag, length, content. */
const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const length =
    content.length < 128
      ? Buffer.from([content.length])
      : content.length < 256
        ? Buffer.from([0x81, content.length])
        : Buffer.from([0x82, content.length >> 8, content.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, content]);
};
const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const generalizedTime = (at: Date) => der(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]|\.\d+/g, "")}`));

/** sha256WithRSAEncryption, 1.2.840.113549.1.1.11, with its NULL parameter. */
const SHA256_WITH_RSA = sequence(der(0x06, Buffer.from("2a864886f70d01010b", "hex")), der(0x05));
/** commonName, 2.5.4.3. */
const COMMON_NAME = der(0x06, Buffer.from("550403", "hex"));

/**
 * A key with a self-signed certificate (RFC 5280) in the data folder, made at the first start: subscribers check SNS
 * signatures with the certificate behind `SigningCertURL`. Node can read certificates but not make them; the encoding is by
 * hand because @peculiar/x509 brings 20 packages and a global polyfill (reflect-metadata) for this one certificate.
 */
export const openSigningKey = (folder: string, log: (line: string) => void = () => {}): SigningKey => {
  const file = join(folder, "signing-key.json");
  if (existsSync(file)) {
    const kept = read(file);
    if (kept) return kept;
    log(`${file} is damaged: a new key was made, and subscribers find its certificate in the next message`);
  }
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from("Harborlight on one machine")))));
  // As long as RFC 5280 allows: a subscriber that checks a signature may have another time than this machine.
  const validity = sequence(
    generalizedTime(new Date("2000-01-01T00:00:00Z")),
    generalizedTime(new Date("9999-12-31T23:59:59Z")),
  );
  const serial = der(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(8)]));
  const spki = createPublicKey(publicKey).export({ type: "spki", format: "der" });
  const version3 = der(0xa0, der(0x02, Buffer.from([2])));
  const body = sequence(version3, serial, SHA256_WITH_RSA, name, validity, name, spki);
  const signature = der(0x03, Buffer.from([0]), sign("sha256", body, privateKey));
  const base64 = sequence(body, SHA256_WITH_RSA, signature).toString("base64");
  const lines = base64.match(/.{1,64}/g)!.join("\n");
  const key: SigningKey = {
    privateKey,
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeAtomically(file, JSON.stringify(key));
  return key;
};

/** @returns undefined for a file that is damaged */
const read = (file: string): SigningKey | undefined => {
  try {
    const key = JSON.parse(readFileSync(file, "utf8")) as SigningKey;
    const certificate = new X509Certificate(key.certificate);
    const belong = certificate.checkPrivateKey(createPrivateKey(key.privateKey));
    return belong && certificate.verify(certificate.publicKey) ? key : undefined;
  } catch {
    return undefined;
  }
};
