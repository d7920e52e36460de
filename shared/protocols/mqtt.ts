/**
 * MQTT: open when the broker answers CONNECT with CONNACK (OASIS MQTT 3.1.1, section 3.2; MQTT 5.0, section 3.2), whether it
 * accepts us or demands a login. We use a clean session and a random client id, subscribe and publish nothing, and send
 * DISCONNECT at the end.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol, type Target } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";

const settings = z.strictObject({
  version: z.enum(["3.1.1", "5.0"]).default("3.1.1").describe("Version to speak."),
  tls: tlsSettings.optional(),
});

/** CONNACK has 2 bytes in 3.1.1; in 5.0 its properties make it longer, rarely above 200. */
const MAX_CONNACK = 1024;
/** A broker that knows only 5.0 refuses our 3.1.1 with this code and in the form of 5.0. */
const MAX_REFUSAL = 64;
const DISCONNECT = Buffer.from([0xe0, 0]);
const CLEAN_SESSION = 2;
const KEEP_ALIVE_SECONDS = 30;

const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);

const connect = (level: number, clientId: string): Buffer => {
  const body = Buffer.concat([
    text("MQTT"),
    Buffer.from([level, CLEAN_SESSION, 0, KEEP_ALIVE_SECONDS]),
    level === 5 ? Buffer.from([0]) : Buffer.alloc(0), // no properties
    text(clientId),
  ]);
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
};

type Meaning = "accepted" | "login needed" | "unwell" | "refused";

const RETURN_CODES: Readonly<Record<number, readonly [Meaning, string]>> = {
  0: ["accepted", "accepted"],
  1: ["refused", "protocol version not accepted"],
  2: ["refused", "client id not accepted"],
  3: ["unwell", "server unavailable"],
  4: ["login needed", "bad user name or password"],
  5: ["login needed", "not authorized"],
};

/** Of MQTT 5.0, section 3.2.2.2. */
const REASON_CODES: Readonly<Record<number, readonly [Meaning, string]>> = {
  0: ["accepted", "accepted"],
  128: ["unwell", "unspecified error"],
  131: ["unwell", "implementation specific error"],
  132: ["refused", "protocol version not supported"],
  133: ["refused", "client id not valid"],
  134: ["login needed", "bad user name or password"],
  135: ["login needed", "not authorized"],
  136: ["unwell", "server unavailable"],
  137: ["unwell", "server busy"],
  138: ["login needed", "banned"],
  140: ["login needed", "bad authentication method"],
  151: ["unwell", "quota exceeded"],
  156: ["refused", "use another server"],
  157: ["refused", "server moved"],
  159: ["unwell", "connection rate exceeded"],
};

/** Codes that a broker may answer; it refuses an unknown version with a code of its own version. */
const CODES: Readonly<Record<4 | 5, Readonly<Record<number, readonly [Meaning, string]>>>> = {
  4: { ...RETURN_CODES, 132: REASON_CODES[132]! },
  5: { ...REASON_CODES, 1: RETURN_CODES[1]! },
};

/** MQTT 5.0, section 1.5.5. */
const readVariableInteger = async (next: () => number | Promise<number>): Promise<number> => {
  let value = 0;
  for (let shift = 0; shift <= 21; shift += 7) {
    const byte = await next();
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw new ProbeFailure("wrong-protocol", "the length of CONNACK is not encoded as in MQTT");
};

const readConnack = async (connection: Connection, maxLength: number): Promise<Cursor> => {
  const head = await connection.read(1);
  if (head[0] !== 0x20)
    throw new ProbeFailure(
      "wrong-protocol",
      `expected CONNACK (0x20), got: ${printable(head.toString("latin1")) || `0x${head.toString("hex")}`}`,
    );
  const length = await readVariableInteger(async () => (await connection.read(1))[0]!);
  if (length < 2 || length > maxLength)
    throw new ProbeFailure("wrong-protocol", `a CONNACK cannot have ${length} bytes`);
  return new Cursor(await connection.read(length), "CONNACK");
};

const talk = async (
  connection: Connection,
  target: Target,
  { version }: z.output<typeof settings>,
): Promise<Finding> => {
  const level = version === "5.0" ? 5 : 4;
  connection.write(connect(level, `harborlight${target.random(5).toString("hex")}`));
  const connack = await readConnack(connection, level === 5 ? MAX_CONNACK : MAX_REFUSAL);
  const flags = connack.u8();
  const code = connack.u8();
  const [verdict, meaning] = CODES[level][code] ?? [];
  // Bit 0 (session present) is wrong for a clean session ([MQTT-3.2.2-1]), but harmless. The others are reserved.
  if (verdict === undefined || flags > 1)
    throw new ProbeFailure("unexpected-answer", `CONNACK with flags ${flags} and the code ${code}`);
  if (verdict === "unwell") throw new ProbeFailure("service-unavailable", `the broker answers CONNACK: ${meaning}`);
  if (verdict === "refused")
    throw new ProbeFailure("unexpected-answer", `the broker refuses MQTT ${version}: ${meaning}`);
  const announced = level === 5 ? await readVariableInteger(() => connack.u8()) : 0;
  if (announced !== connack.left)
    throw new ProbeFailure(
      "unexpected-answer",
      `expected a CONNACK of MQTT ${version}, got ${connack.left} bytes of properties where ${announced} belong`,
    );
  if (verdict === "accepted") connection.write(DISCONNECT);
  return {
    evidence: { version: `MQTT ${version}`, connack: meaning },
    message: `MQTT ${version}: ${meaning}`,
    facts: { "mqtt.version": version, "mqtt.answer": verdict },
  };
};

export const mqtt: Protocol = {
  title: "MQTT",
  summary: "Open when the broker answers CONNECT with CONNACK, whether it lets us in or wants a login.",
  reference: "OASIS MQTT 3.1.1, MQTT 5.0",
  transports: ["tcp"],
  defaultPort: 1883,
  settings,
  example: { settings: {} },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return {
      transport: "tcp",
      ...(wanted.tls && { tls: wanted.tls }),
      talk: (connection, target) => talk(connection, target, wanted),
    };
  },
};
