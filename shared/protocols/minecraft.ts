/**
 * Minecraft, Java edition: open when the server answers a status request (wiki.vg, "Server List Ping", since 1.7), as the
 * server list of every client sends it: we do not join the game.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol, type Target } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { parseSettings } from "../wire/settings.ts";

const settings = z.strictObject({});

/** The status contains an icon of some 10 KB and, on modded servers, a list of mods. */
const MAX_STATUS = 262_144;

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let left = value >>> 0;
  for (; left > 0x7f; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
  return Buffer.from([...bytes, left]);
};

const packet = (...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(body.length), body]);
};

const request = ({ host, port }: Target): Buffer => {
  const address = Buffer.from(host.slice(0, 255));
  const portBytes = Buffer.from([port >> 8, port & 0xff]);
  // Version -1: the client wants to find out which version to use.
  const handshake = packet(Buffer.from([0]), varint(-1), varint(address.length), address, portBytes, varint(1));
  return Buffer.concat([handshake, packet(Buffer.from([0]))]);
};

const readVarint = async (connection: Connection): Promise<{ value: number; size: number }> => {
  let value = 0;
  for (let size = 1; size <= 3; size += 1) {
    const byte = (await connection.read(1))[0]!;
    value += (byte & 0x7f) * 2 ** (7 * (size - 1));
    if (byte < 0x80) return { value, size };
  }
  throw new ProbeFailure("wrong-protocol", "expected a length of at most three bytes, as Minecraft has it");
};

const readStatus = async (connection: Connection): Promise<string> => {
  const { value: length } = await readVarint(connection);
  const { value: kind, size: kindSize } = await readVarint(connection);
  const { value: textLength, size } = await readVarint(connection);
  if (kind !== 0 || textLength !== length - size - kindSize || textLength > MAX_STATUS)
    throw new ProbeFailure("wrong-protocol", `expected a status, got packet ${kind} of ${length} bytes`);
  const parts: Buffer[] = [];
  for (let left = textLength; left > 0; left -= 65_536) parts.push(await connection.read(Math.min(left, 65_536)));
  return Buffer.concat(parts).toString("utf8");
};

const statusSchema = z.object({
  version: z.object({ name: z.string(), protocol: z.number() }),
  players: z.object({ max: z.number(), online: z.number() }).optional(),
  description: z.unknown().optional(),
});

/** The text of a chat component: a string, or an object with `text` and `extra`. */
const plainText = (component: unknown, depth = 0): string => {
  if (typeof component === "string") return component;
  if (typeof component !== "object" || component === null || depth > 4) return "";
  const { text, extra } = component as { text?: unknown; extra?: unknown };
  const rest = Array.isArray(extra) ? extra.slice(0, 20).map((part) => plainText(part, depth + 1)) : [];
  return [typeof text === "string" ? text : "", ...rest].join("");
};

const parseStatus = (text: string): z.output<typeof statusSchema> => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ProbeFailure("unexpected-answer", `the status is not JSON: ${printable(text)}`);
  }
  const parsed = statusSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ProbeFailure("unexpected-answer", `the status contains no version: ${printable(text)}`);
};

const talk = async (connection: Connection, target: Target): Promise<Finding> => {
  connection.write(request(target));
  const { version, players, description } = parseStatus(await readStatus(connection));
  const name = printable(version.name, 80);
  // Section signs start colour codes.
  const text = printable(plainText(description).replace(/§./g, ""));
  return {
    evidence: {
      version: name,
      protocol: version.protocol,
      ...(players && { players: `${players.online} of ${players.max}` }),
      ...(text && { description: text }),
    },
    message: `Minecraft ${name}${players ? `, ${players.online} of ${players.max} players` : ""}`,
    facts: { software: `Minecraft ${name}` },
  };
};

export const minecraft: Protocol = {
  title: "Minecraft (Java)",
  summary: "Open when the server answers a status request.",
  reference: "Minecraft protocol: Server List Ping",
  transports: ["tcp"],
  defaultPort: 25565,
  settings,
  example: { settings: {} },
  prepare: (given) => {
    parseSettings(settings, given);
    return { transport: "tcp", talk };
  },
};
