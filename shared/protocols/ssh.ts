/**
 * SSH: open when the server sends its identification (RFC 4253, section 4.2) and, unless `hostKey` is off, its host key.
 * For the key it runs the key exchange up to the server's answer: KEXINIT (RFC 4253, section 7.1), then
 * curve25519-sha256 (RFC 8731), ecdh-sha2-nistp256 (RFC 5656) or diffie-hellman-group14 (RFC 8268), then a DISCONNECT.
 * The signature is not verified: this reports which key a server shows, not that it has the private key. No login, so no
 * account is needed and no failed login is logged, only a connection that closed before authentication.
 */
import { createECDH, createHash } from "node:crypto";
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol, type Target } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { parseSettings } from "../wire/settings.ts";

const settings = z.strictObject({
  hostKey: z.boolean().default(true).describe("Whether to run the key exchange; if not, the identification is enough."),
  fingerprint: z
    .string()
    .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "must look like SHA256:… as ssh-keygen -l prints it")
    .optional()
    .describe("Fingerprint that the host key must have, as `ssh-keygen -l` prints it."),
});

/** Limit of the lines before the identification. RFC 4253 sets none; real notices are shorter. */
const MAX_BYTES_BEFORE = 16_384;
/** Longest packet that every implementation must accept: RFC 4253, section 6.1. */
const MAX_PACKET = 35_000;
/** Limit of packets that are skipped (IGNORE, DEBUG, EXT_INFO). */
const MAX_PACKETS = 20;

const DISCONNECT = 1;
const KEXINIT = 20;
const KEX_INIT_MESSAGE = 30;
const KEX_REPLY = 31;

/** Supported key exchanges, preferred first, with the public value that each sends; no shared secret is derived. */
const EXCHANGES: Readonly<Record<string, (random: (bytes: number) => Buffer) => Buffer>> = {
  // Any 32 bytes are a public key on this curve.
  "curve25519-sha256": (random) => random(32),
  "curve25519-sha256@libssh.org": (random) => random(32),
  "ecdh-sha2-nistp256": () => createECDH("prime256v1").generateKeys(),
  // 255 bytes with a leading zero are positive and smaller than the 2048-bit prime.
  "diffie-hellman-group14-sha256": (random) => Buffer.concat([Buffer.from([0, 1]), random(254)]),
  "diffie-hellman-group14-sha1": (random) => Buffer.concat([Buffer.from([0, 1]), random(254)]),
};

const HOST_KEYS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
  "ssh-rsa",
  "ssh-dss",
];

/** The key type of a signature algorithm: RSA's newer signatures use the same keys (RFC 8332, section 3). */
const keyTypeOf = (algorithm: string): string => (algorithm.startsWith("rsa-sha2-") ? "ssh-rsa" : algorithm);

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const text = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([u32(bytes.length), bytes]);
};

/** Reads an unencrypted packet: RFC 4253, section 6. */
const packet = (payload: Buffer): Buffer => {
  const padding = 8 - ((payload.length + 5) % 8) + (8 - ((payload.length + 5) % 8) < 4 ? 8 : 0);
  return Buffer.concat([u32(payload.length + padding + 1), Buffer.from([padding]), payload, Buffer.alloc(padding)]);
};

const readString = (cursor: Cursor): Buffer => cursor.take(cursor.u32());

const readPacket = async (connection: Connection): Promise<Cursor> => {
  const head = await connection.read(5);
  const length = head.readUInt32BE();
  const padding = head[4]!;
  if (length > MAX_PACKET || length < padding + 2)
    throw new ProbeFailure("wrong-protocol", `an SSH packet cannot announce ${length} bytes and ${padding} of padding`);
  const rest = await connection.read(length - 1);
  return new Cursor(rest.subarray(0, length - 1 - padding), "SSH packet");
};

/** Reads up to the next packet of this kind. @throws ProbeFailure `service-unavailable` for a DISCONNECT instead */
const expectPacket = async (connection: Connection, kind: number): Promise<Cursor> => {
  for (let count = 0; count < MAX_PACKETS; count += 1) {
    const cursor = await readPacket(connection);
    const got = cursor.u8();
    if (got === kind) return cursor;
    if (got === DISCONNECT) {
      const code = cursor.u32();
      throw new ProbeFailure(
        "service-unavailable",
        `the SSH server disconnects with code ${code}: ${printable(readString(cursor).toString())}`,
      );
    }
  }
  throw new ProbeFailure("unexpected-answer", `no SSH message ${kind} among the first ${MAX_PACKETS}`);
};

/** Reads the identification, after any other lines, which may even look like another protocol's (RFC 4253, section 4.2). */
const readGreeting = async (connection: Connection): Promise<string> => {
  let first: string | undefined;
  const notSsh = () =>
    new ProbeFailure("wrong-protocol", `expected a line starting with SSH-, got: ${printable(first ?? "")}`);
  for (let bytes = 0; bytes < MAX_BYTES_BEFORE; ) {
    const line = await connection.readLine().catch((error: unknown) => {
      // The lines that came tell more than the timeout.
      throw error instanceof ProbeFailure && first !== undefined ? notSsh() : error;
    });
    if (line.startsWith("SSH-")) return line;
    // OpenSSH sends this instead of its identification under `MaxStartups` and `PerSourcePenalties`.
    if (/^(Exceeded MaxStartups|Not allowed at this time)/.test(line))
      throw new ProbeFailure("service-unavailable", `the SSH server refuses connections for now: ${printable(line)}`);
    first ??= line;
    bytes += line.length + 2;
  }
  throw notSsh();
};

interface HostKey {
  readonly type: string;
  readonly fingerprint: string;
  readonly bits?: number;
}

const describeKey = (blob: Buffer): HostKey => {
  const cursor = new Cursor(blob, "SSH host key");
  const type = printable(readString(cursor).toString("latin1"), 64);
  const fingerprint = `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
  if (type !== "ssh-rsa") return { type, fingerprint };
  readString(cursor); // the exponent
  const modulus = readString(cursor);
  return { type, fingerprint, bits: modulus.length === 0 ? 0 : (modulus.length - (modulus[0] === 0 ? 1 : 0)) * 8 };
};

interface Exchange {
  readonly algorithms: { readonly keyExchange: readonly string[]; readonly hostKeys: readonly string[] };
  /** Undefined when server and probe have no key exchange in common. */
  readonly key?: HostKey;
}

const exchangeKeys = async (connection: Connection, target: Target): Promise<Exchange> => {
  const init = await expectPacket(connection, KEXINIT);
  init.take(16); // cookie
  const lists = Array.from({ length: 10 }, () => readString(init));
  const names = (list: Buffer | undefined): string[] => (list?.toString("latin1") ?? "").split(",").slice(0, 100);
  const algorithms = { keyExchange: names(lists[0]), hostKeys: names(lists[1]) };

  const exchange = Object.keys(EXCHANGES).find((name) => algorithms.keyExchange.includes(name));
  const hostKeys = HOST_KEYS.filter((name) => algorithms.hostKeys.includes(name));
  const [negotiated] = hostKeys; // the first of the client's that the server has (RFC 4253, section 7.1)
  const makePublic = exchange === undefined ? undefined : EXCHANGES[exchange];
  if (exchange === undefined || makePublic === undefined || negotiated === undefined) return { algorithms };

  // We offer the server's own ciphers, MACs and compressions: they always match, and none is ever used.
  connection.write(
    packet(
      Buffer.concat([
        Buffer.from([KEXINIT]),
        target.random(16),
        text(exchange),
        text(hostKeys.join(",")),
        ...lists.slice(2, 8).map((list) => text(list)),
        text(""),
        text(""),
        Buffer.alloc(5), // no guessed packet follows; reserved
      ]),
    ),
  );
  connection.write(packet(Buffer.concat([Buffer.from([KEX_INIT_MESSAGE]), text(makePublic(target.random))])));
  const reply = await expectPacket(connection, KEX_REPLY);
  const [blob, theirPublic, signature] = [readString(reply), readString(reply), readString(reply)];
  const key = describeKey(blob);
  if (key.type !== keyTypeOf(negotiated))
    throw new ProbeFailure("unexpected-answer", `expected a host key for ${negotiated}, got one of type ${key.type}`);
  if (theirPublic.length === 0 || signature.length === 0)
    throw new ProbeFailure("unexpected-answer", "the SSH key exchange was answered without public value or signature");
  return { algorithms, key };
};

const goodbye = packet(Buffer.concat([Buffer.from([DISCONNECT]), u32(11), text("bye"), text("")]));

const talk = async (connection: Connection, target: Target, wanted: z.output<typeof settings>): Promise<Finding> => {
  const greeting = await readGreeting(connection);
  const [, version = "", software = ""] = /^SSH-([^-]+)-(.*)$/.exec(greeting) ?? [];
  const evidence = { version: printable(version, 16), software: printable(software) };
  if (version !== "2.0" && version !== "1.99")
    throw new ProbeFailure("unexpected-answer", `expected SSH 2.0, got ${printable(greeting)}`, { evidence });
  if (!wanted.hostKey && !wanted.fingerprint)
    return { evidence, message: printable(greeting), facts: { "ssh.software": evidence.software } };

  connection.write("SSH-2.0-Harborlight\r\n");
  const { algorithms, key } = await exchangeKeys(connection, target);
  connection.write(goodbye);
  const all = {
    ...evidence,
    hostKey: key ?? "not shown: no key exchange in common",
    keyExchange: algorithms.keyExchange.slice(0, 4).map((name) => printable(name, 48)),
    hostKeyAlgorithms: algorithms.hostKeys.slice(0, 6).map((name) => printable(name, 48)),
  };
  if (wanted.fingerprint && key?.fingerprint !== wanted.fingerprint)
    throw new ProbeFailure(
      "unexpected-answer",
      `expected the host key ${wanted.fingerprint}, got ${key?.fingerprint ?? "none"}`,
      { evidence: all },
    );
  return {
    evidence: all,
    message: key ? `${printable(greeting)}, ${key.type} ${key.fingerprint}` : printable(greeting),
    facts: { "ssh.software": evidence.software, ...(key && { [`ssh.hostKey.${key.type}`]: key.fingerprint }) },
  };
};

export const ssh: Protocol = {
  title: "SSH",
  summary: "Open when the server names itself and shows its host key, whose SHA-256 fingerprint it reports.",
  reference: "RFC 4253, RFC 8731, RFC 5656, RFC 8268",
  transports: ["tcp"],
  defaultPort: 22,
  settings,
  example: { settings: {} },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", talk: (connection, target) => talk(connection, target, wanted) };
  },
};
