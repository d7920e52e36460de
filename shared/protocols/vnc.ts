/**
 * VNC: open when the server names its version of RFB and offers its security types (RFC 6143, sections 7.1.1 and 7.1.2). No
 * password is tried.
 *
 * Servers count clients that do not authenticate and block them for a while ("Too many security failures"). A monitor is
 * such a client, so this answer counts as open: our checks cause it, not a failure of the server.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { parseSettings } from "../wire/settings.ts";

const settings = z.strictObject({});

const MAX_REASON = 1024;
const NONE = 1;

/** UltraVNC's type; the only one too large for the single byte of later versions. */
const MS_LOGON = 0xfffffffa;

const SECURITY_TYPES: Readonly<Record<number, string>> = {
  1: "none",
  2: "VNC password",
  5: "RA2",
  6: "RA2ne",
  16: "Tight",
  17: "Ultra",
  18: "TLS",
  19: "VeNCrypt",
  20: "SASL",
  21: "MD5",
  30: "Apple",
  129: "RA2 256",
  130: "RA2ne 256",
  [MS_LOGON]: "MS-Logon",
};

/** Reads why a server refuses the connection. */
const readReason = async (connection: Connection): Promise<string> => {
  const length = (await connection.read(4)).readUInt32BE();
  if (length > MAX_REASON) throw new ProbeFailure("answer-too-long", `a reason of ${length} bytes`);
  return printable((await connection.read(length)).toString("utf8"), 200);
};

const judgeRefusal = (reason: string): Finding => {
  if (!/too many (security|authentication) failures/i.test(reason))
    throw new ProbeFailure("service-unavailable", `the server refuses: ${reason}`);
  // No facts: servers send this in the oldest version, whichever they support.
  return { evidence: { shutOut: reason }, message: `RFB, blocked for a while: ${reason}` };
};

/** RFB 3.3: the server chooses one type. RFC 6143 defines only 1 and 2; servers have more. */
const readDecided = async (connection: Connection): Promise<readonly number[]> => {
  const type = (await connection.read(4)).readUInt32BE();
  if (type > 255 && type !== MS_LOGON)
    throw new ProbeFailure("unexpected-answer", `expected a security type of RFB 3.3, got 0x${type.toString(16)}`);
  return type === 0 ? [] : [type];
};

const readOffered = async (connection: Connection): Promise<readonly number[]> => {
  const count = (await connection.read(1))[0]!;
  return count === 0 ? [] : [...(await connection.read(count))];
};

const talk = async (connection: Connection): Promise<Finding> => {
  const greeting = (await connection.read(12)).toString("latin1");
  const [, major, minor] = /^RFB (\d{3})\.(\d{3})\n$/.exec(greeting) ?? [];
  if (major === undefined || minor === undefined)
    throw new ProbeFailure("wrong-protocol", `expected RFB and a version, got: ${printable(greeting)}`);
  const version = `${Number(major)}.${Number(minor)}`;
  // 3.5 is not a real version, and servers above 3.8 (Apple's 3.889, RealVNC's 4 and 5) accept 3.8.
  const spoken = Number(major) > 3 || Number(minor) >= 8 ? "003.008" : Number(minor) === 7 ? "003.007" : "003.003";
  connection.write(`RFB ${spoken}\n`);
  const types = await (spoken === "003.003" ? readDecided(connection) : readOffered(connection));
  if (types.length === 0) return judgeRefusal(await readReason(connection));
  const security = types.slice(0, 16).map((type) => SECURITY_TYPES[type] ?? `type ${type}`);
  // Choose the type "none" where it is offered: the connection then counts as authenticated. From 3.8 on the server confirms it.
  if (types.includes(NONE) && spoken !== "003.003") connection.write(Buffer.from([NONE]));
  return {
    evidence: { version, security },
    message: `RFB ${version}, security: ${security.join(", ")}`,
    facts: { "vnc.version": version, "vnc.security": security.join(", ") },
  };
};

export const vnc: Protocol = {
  title: "VNC",
  summary: "Open when the server names its version and offers its security types.",
  reference: "RFC 6143",
  transports: ["tcp"],
  defaultPort: 5900,
  settings,
  example: { settings: {} },
  prepare: (given) => {
    parseSettings(settings, given);
    return { transport: "tcp", talk };
  },
};
