/**
 * RDP: open when the server confirms the connection (X.224 Connection Confirm in a TPKT, RFC 1006; [MS-RDPBCGR] sections
 * 2.2.1.1 and 2.2.1.2) and names the security protocol it chooses. We send no user name and begin no session.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { parseSettings, starttlsSetting, tlsSettings } from "../wire/settings.ts";
import { upgradeToTls } from "../wire/starttls.ts";

const settings = z
  .strictObject({
    /** Whether to go on to TLS for the certificate. Most servers have a self-signed one: set `tls.verify` to false then. */
    starttls: starttlsSetting.default("off"),
    tls: tlsSettings.optional(),
  })
  .refine(({ tls, starttls }) => tls === undefined || starttls !== "off", {
    path: ["tls"],
    message: 'only with starttls "if-offered" or "required": RDP starts TLS after its own first messages',
  });

/** Types of negotiation data: [MS-RDPBCGR] 2.2.1.2.1 and 2.2.1.2.2. */
const NEGOTIATION_RESPONSE = 2;
const NEGOTIATION_FAILURE = 3;

const TLS = 1;
const CREDSSP = 2;
const CREDSSP_EARLY_AUTH = 8;

const PROTOCOLS: Readonly<Record<number, string>> = {
  0: "standard RDP security",
  1: "TLS",
  2: "CredSSP (network level authentication)",
  4: "RDSTLS",
  8: "CredSSP with early user authorization",
  16: "RDSAAD",
};

/** Why a server refuses the security asked for: [MS-RDPBCGR] 2.2.1.2.2. */
const FAILURES: Readonly<Record<number, string>> = {
  1: "TLS required by the server",
  2: "TLS not allowed by the server",
  3: "no certificate on the server",
  4: "inconsistent flags",
  5: "CredSSP required by the server",
  6: "TLS with user authentication required by the server",
};
const NO_CERTIFICATE = 3;

const request = (protocols: number): Buffer =>
  Buffer.from([3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, protocols, 0, 0, 0]);

const readConfirm = async (connection: Connection): Promise<Cursor> => {
  const head = await connection.read(4);
  const length = head.readUInt16BE(2);
  if (head[0] !== 3 || head[1] !== 0 || length < 11 || length > 512)
    throw new ProbeFailure(
      "wrong-protocol",
      `expected a TPKT, got: ${printable(head.toString("latin1")) || `0x${head.toString("hex")}`}`,
    );
  const cursor = new Cursor(await connection.read(length - 4), "X.224 answer");
  cursor.u8(); // length indicator
  const kind = cursor.u8() & 0xf0;
  if (kind !== 0xd0)
    throw new ProbeFailure("wrong-protocol", `expected an X.224 Connection Confirm (0xd0), got 0x${kind.toString(16)}`);
  cursor.take(5); // references and class
  return cursor;
};

const talk = async (connection: Connection, wanted: z.output<typeof settings>): Promise<Finding> => {
  connection.write(request(TLS | CREDSSP | CREDSSP_EARLY_AUTH));
  const confirm = await readConfirm(connection);
  // Servers older than the negotiation answer without it.
  const negotiates = confirm.left > 0;
  const kind = negotiates ? confirm.u8() : NEGOTIATION_RESPONSE;
  const flags = negotiates ? confirm.u8() : 0;
  const value = negotiates ? confirm.take(6).readUInt32LE(2) : 0;
  if (kind === NEGOTIATION_FAILURE) {
    const refusal = FAILURES[value] ?? `code ${value}`;
    if (value === NO_CERTIFICATE) throw new ProbeFailure("service-unavailable", `the RDP server has ${refusal}`);
    await upgradeToTls(connection, wanted, false, () => Promise.resolve(refusal));
    return { evidence: { refused: refusal }, message: `RDP answers: ${refusal}`, facts: { "rdp.security": refusal } };
  }
  if (kind !== NEGOTIATION_RESPONSE)
    throw new ProbeFailure("unexpected-answer", `expected a negotiation response, got one of type ${kind}`);
  const security = PROTOCOLS[value] ?? `protocol ${value}`;
  const isInsideTls = await upgradeToTls(connection, wanted, value !== 0, () => Promise.resolve(undefined));
  return {
    evidence: {
      security,
      negotiates,
      ...((flags & 0x01) !== 0 && { extendedClientData: true }),
      ...((flags & 0x08) !== 0 && { restrictedAdmin: true }),
      ...(isInsideTls && { starttls: true }),
    },
    message: `RDP with ${security}`,
    facts: { "rdp.security": security },
  };
};

export const rdp: Protocol = {
  title: "RDP",
  summary: "Open when the server confirms the connection and says which security it chooses.",
  reference: "[MS-RDPBCGR], RFC 1006, ITU-T X.224",
  transports: ["tcp"],
  defaultPort: 3389,
  settings,
  example: { settings: { starttls: "if-offered", tls: { verify: false } } },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", talk: (connection) => talk(connection, wanted) };
  },
};
