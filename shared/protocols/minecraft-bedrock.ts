/**
 * Minecraft, Bedrock edition: open when the server answers RakNet's unconnected ping with our time (RakNet's source,
 * MessageIdentifiers.h and RakPeer.cpp; the fields of the text as documented by the Bedrock community at wiki.vg).
 */
import { z } from "zod";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { parseSettings } from "../wire/settings.ts";
import { udpFields, udpProbe } from "../wire/udp.ts";

const UNCONNECTED_PING = 0x01;
const UNCONNECTED_PONG = 0x1c;
/** RakNet's offline message id, which is in every message outside a connection. */
const OFFLINE = Buffer.from("00ffff00fefefefefdfdfdfd12345678", "hex");

const settings = z.strictObject({ ...udpFields() });

/** The server only sends the time field back, so it serves as an id. */
const request = (random: (bytes: number) => Buffer): Buffer =>
  Buffer.concat([Buffer.of(UNCONNECTED_PING), random(8), OFFLINE, random(8)]);

/** Splits at semicolons, except those escaped by a backslash, and drops colours (a section sign and one more character). */
const fieldsOf = (text: string): string[] =>
  text.split(/(?<!\\);/).map((field) => printable(field.replaceAll("\\;", ";").replace(/§./gu, ""), 80));

/** Undefined where the field has another meaning, because the server did not escape a semicolon before it. */
const countOf = (field: string | undefined): number | undefined =>
  field !== undefined && /^\d{1,9}$/.test(field) ? Number(field) : undefined;

const understand = (datagram: Buffer, question: Buffer): Finding | undefined => {
  if (datagram[0] !== UNCONNECTED_PONG || (datagram.length >= 33 && !datagram.subarray(17, 33).equals(OFFLINE)))
    throw new ProbeFailure("wrong-protocol", "expected a RakNet pong, got something else", {
      evidence: { firstBytes: datagram.subarray(0, 8).toString("hex") },
    });
  const cursor = new Cursor(datagram, "RakNet pong", 1);
  if (!cursor.take(8).equals(question.subarray(1, 9))) return undefined;
  cursor.take(8 + OFFLINE.length);
  // A plain RakNet server sends no text; Minecraft always does.
  if (cursor.left === 0) return { message: "a RakNet server that does not describe itself" };
  const text = cursor.take(cursor.u16()).toString("utf8");
  const [edition = "", motd = "", protocol = "", version = "", ...rest] = fieldsOf(text);
  const [players, maxPlayers] = [countOf(rest[0]), countOf(rest[1])];
  const [, , , world = "", mode = ""] = rest;
  const isCounted = players !== undefined && maxPlayers !== undefined;
  return {
    evidence: { edition, motd, protocol, version, ...(isCounted && { players, maxPlayers }), world, mode },
    message: `${motd || edition} ${version}${isCounted ? `: ${players}/${maxPlayers} players` : ""}`,
    facts: { software: `${edition} ${version}`.trim() },
  };
};

export const minecraftBedrock: Protocol = {
  title: "Minecraft (Bedrock edition)",
  summary: "Open when the server answers an unconnected ping with our time.",
  reference: "RakNet source (MessageIdentifiers.h, RakPeer.cpp); wiki.vg, Bedrock: unconnected ping and pong",
  transports: ["udp"],
  defaultPort: 19132,
  settings,
  example: { settings: {} },
  prepare(input) {
    return udpProbe(parseSettings(settings, input), { ask: (_n, random) => request(random), read: understand });
  },
};
