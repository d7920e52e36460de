/** X.509 certificates made while the test runs: a few dozen lines of DER, so that no openssl has to be installed. */
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { HOUR_MS } from "../../shared/durations.ts";

export interface Certificate {
  /** PEM, this certificate alone. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
  readonly subject: string;
  readonly privateKey: KeyObject;
}

export interface CertificateOptions {
  /** Common name. Default `localhost`. */
  readonly subject?: string;
  /** DNS names. Default `localhost`. */
  readonly names?: readonly string[];
  /** IPv4 addresses. Default 127.0.0.1. */
  readonly addresses?: readonly string[];
  /** Default an hour ago. */
  readonly validFrom?: Date;
  /** Default in 90 days. */
  readonly validTo?: Date;
  /** Default: signed by itself. */
  readonly issuer?: Certificate;
  readonly isAuthority?: boolean;
  /** RSA with so many bits; default an EC key on P-256. */
  readonly rsaBits?: number;
  /** Default sha256. */
  readonly digest?: "sha256" | "sha1";
}

export function makeCertificate(options: CertificateOptions = {}): Certificate {
  const { subject = "localhost", names = ["localhost"], addresses = ["127.0.0.1"], digest = "sha256" } = options;
  const { validFrom = new Date(Date.now() - HOUR_MS), validTo = new Date(Date.now() + 90 * 24 * HOUR_MS) } = options;
  const { privateKey, publicKey } = options.rsaBits
    ? generateKeyPairSync("rsa", { modulusLength: options.rsaBits })
    : generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const signer = options.issuer?.privateKey ?? privateKey;
  const algorithm = signatureAlgorithm(signer, digest);
  const alternatives = sequence(
    ...names.map((name) => tagged(0x82, Buffer.from(name))),
    ...addresses.map((address) => tagged(0x87, Buffer.from(address.split(".").map(Number)))),
  );
  const extensions = [
    extension("2.5.29.19", options.isAuthority ? sequence(tagged(0x01, Buffer.from([0xff]))) : sequence(), true),
    ...(names.length + addresses.length > 0 ? [extension("2.5.29.17", alternatives, false)] : []),
  ];
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))), // version 3
    tagged(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    name(options.issuer?.subject ?? subject),
    sequence(time(validFrom), time(validTo)),
    name(subject),
    createPublicKey(publicKey.export({ type: "spki", format: "pem" })).export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = tagged(0x03, Buffer.concat([Buffer.from([0]), sign(digest, body, signer)]));
  return {
    certificate: pem("CERTIFICATE", sequence(body, algorithm, signature)),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    subject,
    privateKey,
  };
}

function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from(body.length.toString(16).padStart(body.length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

const sequence = (...parts: Buffer[]) => tagged(0x30, ...parts);
const name = (commonName: string) =>
  sequence(tagged(0x31, sequence(objectId("2.5.4.3"), tagged(0x0c, Buffer.from(commonName)))));
const extension = (id: string, value: Buffer, isCritical: boolean) =>
  sequence(objectId(id), ...(isCritical ? [tagged(0x01, Buffer.from([0xff]))] : []), tagged(0x04, value));
const time = (date: Date) => tagged(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, "")));

function signatureAlgorithm(signer: KeyObject, digest: "sha256" | "sha1"): Buffer {
  if (signer.asymmetricKeyType === "rsa")
    return sequence(objectId(digest === "sha1" ? "1.2.840.113549.1.1.5" : "1.2.840.113549.1.1.11"), tagged(0x05));
  return sequence(objectId(digest === "sha1" ? "1.2.840.10045.4.1" : "1.2.840.10045.4.3.2"));
}

function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [40 * first + second, ...rest].flatMap((part) => {
    const groups = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return tagged(0x06, Buffer.from(bytes));
}

const pem = (label: string, der: Buffer) =>
  `-----BEGIN ${label}-----\n${der.toString("base64").replace(/(.{64})(?!$)/g, "$1\n")}\n-----END ${label}-----\n`;
