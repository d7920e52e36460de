/**
 * SSH: open when the server names itself (RFC 4253, section 4.2) and, unless `hostKey` is off, shows its host key.
 * For the key it runs the key exchange up to the server's answer: KEXINIT (RFC 4253, section 7.1), then
 * curve25519-sha256 (RFC 8731), ecdh-sha2-nistp256 (RFC 5656) or diffie-hellman-group14 (RFC 8268), then a DISCONNECT.
 * The signature is not verified: this says which key a server shows, not that it holds it. No login, so no account and
 * no failed login behind; the server logs a connection that left before authentication.
 */
import { createECDH, createHash } from "node:crypto";
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol, type Target } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { parseSettings } from "../wire/settings.ts";

const settings = z.strictObject({
  /** Whether to exchange keys; off, the greeting is enough. */
  hostKey: z.boolean().default(true),
  /** The fingerprint the host key must have, as `ssh-keygen -l` prints it. */
  fingerprint: z
    .string()
    .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "must look like SHA256:… as ssh-keygen -l prints it")
    .optional(),
});

/** Of lines before the server names itself. RFC 4253 sets no limit; no notice that people read is longer. */
const MAX_BYTES_BEFORE = 16_384;
/** RFC 4253, section 6.1: the packets that everyone must be able to take. */
const MAX_PACKET = 35_000;
/** Packets of no interest (IGNORE, DEBUG, EXT_INFO) that may come in between. */
const MAX_PACKETS = 20;

const DISCONNECT = 1;
const KEXINIT = 20;
const KEX_INIT_MESSAGE = 30;
const KEX_REPLY = 31;

/** Key exchanges spoken here, best first, and the public value each sends: nothing is ever derived from it. */
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

/** The type of key that an algorithm signs with: RSA's newer signatures are made with the same keys (RFC 8332, section 3). */
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

/** A packet in the clear: RFC 4253, section 6. */
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

/** The next packet of this kind; a DISCONNECT instead is the server's word that it does not want us now. */
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

/** The server's line, past whatever it says before: any line, be it like another protocol's (RFC 4253, section 4.2). */
const readGreeting = async (connection: Connection): Promise<string> => {
  let first: string | undefined;
  const notSsh = () =>
    new ProbeFailure("wrong-protocol", `expected a line starting with SSH-, got: ${printable(first ?? "")}`);
  for (let bytes = 0; bytes < MAX_BYTES_BEFORE; ) {
    const line = await connection.readLine().catch((error: unknown) => {
      // What did come says more than that its name did not.
      throw error instanceof ProbeFailure && first !== undefined ? notSsh() : error;
    });
    if (line.startsWith("SSH-")) return line;
    // What OpenSSH says under `MaxStartups` and `PerSourcePenalties`, instead of its name.
    if (/^(Exceeded MaxStartups|Not allowed at this time)/.test(line))
      throw new ProbeFailure("service-unavailable", `the SSH server turns connections away: ${printable(line)}`);
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

  // The server's own ciphers, MACs and compressions are sent back to it: none of them is ever used.
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
    return { evidence, message: printable(greeting), fingerprint: evidence.software };

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
    fingerprint: key ? `${evidence.software} ${key.fingerprint}` : evidence.software,
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
