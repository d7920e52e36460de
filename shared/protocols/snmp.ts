/**
 * SNMP: open when an agent answers our request id. v1 and v2c ask for one object with a community (RFC 1157, section 4;
 * RFC 3416, section 4.2); v3 asks for it as a user (RFC 3414), and without a user for the engine id alone, which needs no account.
 * An agent does not answer a wrong community or an unknown address, so silence may mean either.
 */
import { z } from "zod";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { preparingOnce } from "../wire/settings.ts";
import { getRequest, type Pdu, readBinding } from "../wire/snmp-pdu.ts";
import { udpFields, udpProbe } from "../wire/udp.ts";
import { communitySession, communitySetting, decoded, userSession } from "./snmp-session.ts";
import { discovery, type MakePdu, type Message, readScoped, UNKNOWN_ENGINE_IDS, userSetting } from "./snmp-v3.ts";

const SYS_DESCR = "1.3.6.1.2.1.1.1.0";

const expectations = z
  .strictObject({
    equals: z.string().max(255).optional().describe("The value, as text."),
    contains: z.string().min(1).max(255).optional().describe("A part of the value."),
    min: z.number().optional().describe("Least value."),
    max: z.number().optional().describe("Greatest value."),
  })
  .refine(({ min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }) => min <= max, {
    path: ["max"],
    message: "must be at least min",
  });

const oid = z
  .string()
  .max(255)
  .regex(/^\.?[0-2](\.\d{1,10}){1,127}$/, "must be an object identifier in numbers, like 1.3.6.1.2.1.1.1.0");
const expect = expectations.optional().describe("What the value must be.");
const object = {
  community: communitySetting,
  oid: oid.default(SYS_DESCR).describe("Object to read; by default sysDescr."),
  expect,
};

const settings = z.discriminatedUnion(
  "version",
  [
    z.strictObject({
      version: z.literal("2c").optional().describe("Speaks version 2c; the default."),
      ...object,
      ...udpFields(),
    }),
    z.strictObject({ version: z.literal("1").describe("Speaks version 1."), ...object, ...udpFields() }),
    z
      .strictObject({
        version: z.literal("3").describe("Speaks version 3."),
        user: userSetting.optional(),
        oid: oid.optional().describe("Object that the user reads; by default sysDescr."),
        expect,
        ...udpFields(),
      })
      .superRefine((wanted, context) => {
        for (const field of ["oid", "expect"] as const)
          if (!wanted.user && wanted[field] !== undefined)
            context.addIssue({ code: "custom", path: [field], message: "needs user, who reads the object" });
      }),
  ],
  { error: (issue) => (issue.code === "invalid_union" ? 'must be "1", "2c" or "3"' : undefined) },
);
type Settings = z.infer<typeof settings>;
type Expectations = z.infer<typeof expectations>;

type V3 = Extract<Settings, { version: "3" }>;
type Community = Exclude<Settings, V3>;

const numbers = (oid = SYS_DESCR): string => oid.replace(/^\./, "");

const ERRORS = ["no error", "too big", "no such name", "bad value", "read only", "general error", "no access"];
const NO_SUCH_NAME = 2;
const GENERAL_ERROR = 5;
const RESOURCE_UNAVAILABLE = 13;

const unmet = (value: string, { equals, contains, min, max }: Expectations): string | undefined => {
  if (equals !== undefined && value !== equals) return `"${equals}"`;
  if (contains !== undefined && !value.includes(contains)) return `a value with "${contains}"`;
  const number = /^-?\d+$/.test(value) ? BigInt(value) : value.trim() === "" ? Number.NaN : Number(value);
  if (min !== undefined && !(number >= min)) return `at least ${min}`;
  if (max !== undefined && !(number <= max)) return `at most ${max}`;
  return undefined;
};

const readObject = (
  pdu: Pdu,
  version: string,
  wanted: { readonly oid?: string | undefined; readonly expect?: Expectations | undefined },
): Finding => {
  const bound = readBinding(pdu.bindings);
  const oid = numbers(wanted.oid);
  const isMissing = pdu.error === NO_SUCH_NAME || bound?.isMissing === true;
  const error = ERRORS[pdu.error] ?? `error ${pdu.error}`;
  const value = pdu.error ? error : (bound?.text ?? "no value");
  const evidence = { version, oid: bound?.oid ?? oid, value };
  if (pdu.error === GENERAL_ERROR || pdu.error === RESOURCE_UNAVAILABLE)
    throw new ProbeFailure("service-unavailable", `the SNMP agent answers "${error}" for ${oid}`, { evidence });
  if (!pdu.error && bound?.oid !== oid)
    throw new ProbeFailure("unexpected-answer", `asked for ${oid}, got ${bound?.oid ?? "nothing"}`, { evidence });
  const expected = wanted.expect && (isMissing || pdu.error ? "a value" : unmet(value, wanted.expect));
  if (expected)
    throw new ProbeFailure("unexpected-answer", `expected ${expected} at ${oid}, got "${value}"`, { evidence });
  const isDescription = oid === SYS_DESCR && !isMissing && !pdu.error;
  return {
    evidence,
    message: isDescription ? value : `${oid} is ${value}`,
    ...(isDescription && { facts: { "snmp.description": value } }),
  };
};

/** Describes an engine id by its own format (RFC 3411, section 5, SnmpEngineID). */
const describeEngine = (engineId: Buffer): Record<string, unknown> => {
  const text = { engineId: engineId.toString("hex") };
  if (engineId.length < 5) return text;
  const enterprise = engineId.readUInt32BE() & 0x7fffffff;
  const rest = engineId.subarray(5);
  const formats: Record<number, [string, string]> = {
    1: ["engineAddress", [...rest].join(".")],
    3: ["engineMac", rest.toString("hex").replace(/(..)(?=.)/g, "$1:")],
    4: ["engineText", printable(rest.toString("utf8"))],
  };
  const format = engineId[0]! >= 0x80 ? formats[engineId[4]!] : undefined;
  return { ...text, enterprise, ...(format && { [format[0]]: format[1] }) };
};

const describeMessage = ({ engineId, boots, time }: Message) => ({
  version: "3",
  ...describeEngine(engineId),
  boots,
  uptimeSeconds: time,
});
const engineFacts = ({ engineId }: Message) => ({ "snmp.engineId": engineId.toString("hex") });

const readEngine = (message: Message): Finding => {
  const { engineId, time } = message;
  const reported = readBinding(readScoped(message.data).bindings)?.oid;
  const evidence = describeMessage(message);
  if (engineId.length === 0)
    throw new ProbeFailure("unexpected-answer", `the SNMP agent answers without its engine id (${reported})`, {
      evidence,
    });
  return {
    evidence: reported === UNKNOWN_ENGINE_IDS ? evidence : { ...evidence, reported },
    message: `SNMPv3 engine ${engineId.toString("hex")}, up for ${time} s`,
    facts: engineFacts(message),
  };
};

const getting =
  (oid: string | undefined): MakePdu =>
  (id) =>
    getRequest(id, numbers(oid));

const withCommunity = (wanted: Community) => {
  const version = wanted.version ?? "2c";
  const session = communitySession(version, wanted.community);
  const request = getting(wanted.oid);
  return udpProbe(wanted, {
    ask: (_n, _random, target) => session.ask(target, request),
    read(answer, question, target) {
      const read = session.read(answer, question, target, request);
      return read && "pdu" in read ? readObject(read.pdu, version, wanted) : read;
    },
  });
};

const withoutUser = (wanted: V3) =>
  udpProbe(wanted, {
    ask: (_n, random) => discovery(random),
    read(answer, question) {
      const message = decoded(answer);
      return message.id === decoded(question).id ? readEngine(message) : undefined;
    },
  });

const asUser = (wanted: V3, user: NonNullable<V3["user"]>) => {
  const session = userSession(user);
  const request = getting(wanted.oid);
  return udpProbe(wanted, {
    ...(session.silenceMeans && { silenceMeans: session.silenceMeans }),
    ask: (_n, _random, target) => session.ask(target, request),
    read(answer, question, target) {
      const read = session.read(answer, question, target, request);
      if (!read || "followUp" in read) return read;
      const { pdu, message } = read;
      const found = readObject(pdu, "3", wanted);
      return {
        ...found,
        evidence: { ...found.evidence, ...describeMessage(message) },
        facts: { ...engineFacts(message), ...found.facts },
      };
    },
  });
};

export const snmp: Protocol = {
  title: "SNMP",
  summary: "Open when an agent answers our request: with an object (v1, v2c, a user of v3) or with its engine id (v3).",
  reference: "RFC 1157, section 4; RFC 3416, section 4.2; RFC 3412, section 6; RFC 3414; RFC 7860; RFC 3826",
  transports: ["udp"],
  defaultPort: 161,
  settings,
  example: { settings: { version: "2c", community: "public", oid: SYS_DESCR } },
  prepare: preparingOnce(settings, (wanted) => {
    if (wanted.version !== "3") return withCommunity(wanted);
    return wanted.user ? asUser(wanted, wanted.user) : withoutUser(wanted);
  }),
};
