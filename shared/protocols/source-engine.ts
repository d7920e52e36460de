/**
 * Game servers with the Source query protocol: open when A2S_INFO is answered (Valve Developer Community, "Server
 * queries"). A server may first send a challenge, which we return with the same query. The protocol has no ids.
 * One query per check: servers answer only few queries per second from one address and ignore the rest.
 */
import { z } from "zod";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { parseSettings } from "../wire/settings.ts";
import { udpFields, udpProbe } from "../wire/udp.ts";

const SINGLE = 0xffffffff;
/** -2 in little endian; the header of a part takes 12 bytes. */
const SPLIT = 0xfeffffff;
const SPLIT_HEADER_BYTES = 12;
const QUESTION = Buffer.concat([Buffer.from("ffffffff54", "hex"), Buffer.from("Source Engine Query\0")]);
const CHALLENGE = 0x41;
const INFO = 0x49;
/** Answer of servers older than the Source engine (GoldSrc). */
const OLD_INFO = 0x6d;

const settings = z.strictObject({ ...udpFields({ count: 1, spacingMs: 1000 }) });

const KINDS: Readonly<Record<string, string>> = { d: "dedicated", l: "listen", p: "relay" };
const SYSTEMS: Readonly<Record<string, string>> = { l: "Linux", w: "Windows", m: "macOS", o: "macOS" };

interface Info {
  readonly name: string;
  readonly map: string;
  readonly game: string;
  readonly players: number;
  readonly maxPlayers: number;
  readonly protocol: number;
  readonly version?: string;
  readonly [more: string]: unknown;
}

const finding = (evidence: Info): Finding => ({
  evidence,
  message: `${evidence.name}: ${evidence.players}/${evidence.maxPlayers} players on ${evidence.map}`,
  facts: { software: [evidence.game, evidence.version ?? evidence.protocol].join(" ") },
});

/**
 * The complete application id, which the answer's fixed field cuts to 16 bits: the low 24 bits of the game id. The game id
 * is the last of the optional fields after the version, each announced by a flag; undefined if it is missing.
 */
const longAppId = (cursor: Cursor): number | undefined => {
  const flags = cursor.left > 0 ? cursor.u8() : 0;
  if ((flags & 0x01) === 0) return undefined;
  try {
    if (flags & 0x80) cursor.take(2); // the game's port
    if (flags & 0x10) cursor.take(8); // the server's SteamID
    if (flags & 0x40) {
      cursor.take(2); // SourceTV's port and name
      cursor.text();
    }
    if (flags & 0x20) cursor.text(); // keywords
    return cursor.take(8).readUIntLE(0, 3);
  } catch (error) {
    if (error instanceof ProbeFailure) return undefined; // truncated optional fields are no failure
    throw error;
  }
};

const info = (cursor: Cursor): Finding => {
  const protocol = cursor.u8();
  const [name = "", map = "", folder = "", game = ""] = Array.from({ length: 4 }, () => printable(cursor.text(), 80));
  const appId = cursor.take(2).readUInt16LE();
  const [players, maxPlayers, bots] = [cursor.u8(), cursor.u8(), cursor.u8()];
  const kind = cursor.take(1).toString("latin1").toLowerCase();
  const system = cursor.take(1).toString("latin1").toLowerCase();
  const isPrivate = cursor.u8() === 1;
  const isSecured = cursor.u8() === 1;
  // Only "The Ship" has three more bytes here.
  if (appId === 2400) cursor.take(3);
  const version = printable(cursor.text(), 40);
  return finding({
    name,
    map,
    game,
    folder,
    appId: longAppId(cursor) ?? appId,
    players,
    maxPlayers,
    bots,
    protocol,
    version,
    kind: KINDS[kind] ?? kind,
    system: SYSTEMS[system] ?? system,
    password: isPrivate,
    antiCheat: isSecured,
  });
};

const oldInfo = (cursor: Cursor): Finding => {
  const [, name = "", map = "", folder = "", game = ""] = Array.from({ length: 5 }, () => printable(cursor.text(), 80));
  const [players, maxPlayers, protocol] = [cursor.u8(), cursor.u8(), cursor.u8()];
  return finding({ name, map, game, folder, players, maxPlayers, protocol });
};

const understand = (datagram: Buffer, question: Buffer): Finding | { readonly followUp: Buffer } => {
  const start = datagram.length >= 5 ? datagram.readUInt32BE() : 0;
  const cursor = new Cursor(datagram, "server's answer", 4);
  const type = start === SINGLE ? cursor.u8() : -1;
  if (type === CHALLENGE) return { followUp: Buffer.concat([question.subarray(0, QUESTION.length), cursor.take(4)]) };
  if (type === INFO) return info(cursor);
  if (type === OLD_INFO) return oldInfo(cursor);
  if (start === SPLIT && datagram.length > SPLIT_HEADER_BYTES)
    return { evidence: { split: true }, message: "the server answers in several parts" };
  throw new ProbeFailure("wrong-protocol", "expected an answer to A2S_INFO, got something else", {
    evidence: { firstBytes: datagram.subarray(0, 8).toString("hex") },
  });
};

export const sourceEngine: Protocol = {
  title: "Source engine game server",
  summary: "Open when the server answers A2S_INFO, with a challenge on the way where it wants one.",
  reference: "Valve Developer Community, Server queries: A2S_INFO",
  transports: ["udp"],
  defaultPort: 27015,
  settings,
  example: { settings: {} },
  prepare(input) {
    return udpProbe(parseSettings(settings, input), { ask: () => QUESTION, read: understand });
  },
};
