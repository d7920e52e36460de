/**
 * WireGuard: open when the server finishes the handshake that we begin (WireGuard whitepaper, sections 5.3 and 5.4), or
 * answers with a cookie because it is under load.
 * A server answers only known peers, so a check needs its public key and the private key of one of its peers. Without keys
 * silence is normal and counts as `unknown`; a closed port is still detected by its ICMP error.
 * Configure a separate peer for the monitor, without allowed addresses: a handshake moves the peer's endpoint to the
 * checking location, and a server accepts only timestamps later than the peer's last.
 */
import { z } from "zod";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { type FieldError, InvalidInput } from "../errors.ts";
import { type Identity, INITIATION_BYTES, type Initiation, identity, initiate, RESPONSE_BYTES } from "../wire/noise.ts";
import { parseSettings } from "../wire/settings.ts";
import { udpFields, udpProbe } from "../wire/udp.ts";

const RESPONSE = 2;
const COOKIE_REPLY = 3;
const COOKIE_REPLY_BYTES = 64;

const key = z.string().regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, "must be 32 bytes in base64, as wg prints them");

const settings = z
  .strictObject({
    serverPublicKey: key.optional().describe("Public key of the server."),
    privateKey: key
      .meta({ writeOnly: true })
      .optional()
      .describe("Private key of a peer that the server knows; configure a separate peer for this monitor."),
    presharedKey: key.meta({ writeOnly: true }).optional().describe("Key that both share besides."),
    ...udpFields({ spacingMs: 300 }),
    silence: z
      .enum(["down", "up", "unknown"])
      .optional()
      .describe("What it means when nothing answers. Default: `down` with keys, `unknown` without."),
  })
  .superRefine(({ serverPublicKey, privateKey, presharedKey }, context) => {
    const missing = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (serverPublicKey && !privateKey)
      missing("privateKey", "is needed with serverPublicKey: servers answer known peers only");
    if (privateKey && !serverPublicKey) missing("serverPublicKey", "is needed with privateKey");
    if (presharedKey && !privateKey) missing("privateKey", "is needed with presharedKey");
  });

const identityOf = ({ serverPublicKey, privateKey, presharedKey }: z.infer<typeof settings>): Identity | undefined => {
  if (!serverPublicKey || !privateKey) return undefined;
  const [own, server] = [privateKey, serverPublicKey].map((text) => Buffer.from(text, "base64")) as [Buffer, Buffer];
  try {
    return identity(own, server, presharedKey ? Buffer.from(presharedKey, "base64") : undefined);
  } catch (cause) {
    const errors: FieldError[] = [{ path: "serverPublicKey", message: "must be a usable X25519 public key" }];
    throw new InvalidInput(errors, { cause });
  }
};

const understand = (datagram: Buffer, index: Buffer, initiation: Initiation | undefined): Finding | undefined => {
  const type = datagram.length >= 12 && datagram.readUIntBE(1, 3) === 0 ? datagram[0] : 0;
  const expectedBytes = type === RESPONSE ? RESPONSE_BYTES : type === COOKIE_REPLY ? COOKIE_REPLY_BYTES : 0;
  if (!expectedBytes)
    throw new ProbeFailure("wrong-protocol", "expected a WireGuard handshake response, got something else", {
      evidence: { firstBytes: datagram.subarray(0, 8).toString("hex") },
    });
  const receiver = type === RESPONSE ? datagram.subarray(8, 12) : datagram.subarray(4, 8);
  if (!receiver.equals(index)) return undefined;
  if (datagram.length < expectedBytes)
    throw new ProbeFailure(
      "incomplete-answer",
      `the WireGuard answer has ${datagram.length} of ${expectedBytes} bytes`,
    );
  const isGenuine = type === RESPONSE ? initiation?.isAnsweredBy(datagram) : initiation?.isPutOffBy(datagram);
  // Without keys no answer is possible: a server drops messages without a MAC made with its key, and sends no cookie.
  if (!isGenuine)
    throw new ProbeFailure("unexpected-answer", "the WireGuard answer was not made with the server's key and ours");
  if (type === COOKIE_REPLY)
    return {
      evidence: { answer: "cookie", verified: true },
      message: "the WireGuard server is under load and sends a cookie",
    };
  return { evidence: { answer: "response", verified: true }, message: "the WireGuard server finished the handshake" };
};

export const wireguard: Protocol = {
  title: "WireGuard",
  summary: "Open when the server finishes a handshake, which needs a peer's key; without one silence says nothing.",
  reference: "WireGuard: Next Generation Kernel Network Tunnel, sections 5.3 and 5.4",
  transports: ["udp"],
  defaultPort: 51820,
  settings,
  example: { settings: { silence: "unknown" } },
  prepare(input) {
    const given = parseSettings(settings, input);
    const who = identityOf(given);
    const wanted = { ...given, silence: given.silence ?? (who ? "down" : "unknown") };
    const begun = new Map<string, Initiation>();
    return udpProbe(wanted, {
      silenceMeans: who
        ? "a WireGuard server does not answer unknown keys, nor timestamps older than the last one of a key"
        : "a WireGuard server never answers without a peer's key",
      ask(n, random, target) {
        const index = random(4);
        if (!who) return Buffer.concat([Buffer.of(1, 0, 0, 0), index, random(INITIATION_BYTES - 24), Buffer.alloc(16)]);
        const initiation = initiate(who, index, target.now(), n);
        begun.set(index.toString("hex"), initiation);
        return initiation.message;
      },
      read(datagram, question) {
        const index = question.subarray(4, 8);
        return understand(datagram, index, begun.get(index.toString("hex")));
      },
    });
  },
};
