/**
 * SNMPv3's messages (RFC 3412, section 6), and the conversation of a user with an agent: discovery of the engine, the
 * request, and one repeat when the agent reports that its clock is not what we remembered (RFC 3414, sections 3 and 4).
 */
import { z } from "zod";
import { ProbeFailure, type Target } from "../contract/protocol.ts";
import { element, expectNext, integer, next, octets, toInteger } from "../wire/ber.ts";
import { Cursor } from "../wire/cursor.ts";
import { oneLine } from "../wire/settings.ts";
import {
  ANSWER,
  getRequest,
  type Pdu,
  REPORT,
  RESPONSE,
  readBinding,
  readPdu,
  requestId,
  SEQUENCE,
} from "../wire/snmp-pdu.ts";
import {
  AUTHENTICATIONS,
  authenticationKey,
  decrypt,
  type EngineTime,
  emptyMac,
  encrypt,
  isInTimeWindow,
  isSigned,
  MAX_ENGINE_TIME,
  PRIVACIES,
  privacyKey,
  SALT_BYTES,
  sign,
} from "./usm.ts";

const name = oneLine(32).describe("Name of the user, as the agent knows it.");
const password = (what: string) =>
  oneLine(128)
    .min(8, "must have at least 8 characters (RFC 3414, section 11.2)")
    .meta({ writeOnly: true })
    .describe(`Password for ${what}.`);
const authenticated = {
  user: name,
  auth: z.enum(AUTHENTICATIONS).default("SHA-256").describe("Hash that authenticates messages."),
  authKey: password("authentication"),
};

/** `settings.user`: whom the agent knows, and how messages are protected. */
export const userSetting = z
  .discriminatedUnion(
    "level",
    [
      z
        .strictObject({ level: z.literal("noAuthNoPriv").describe("Neither authentication nor privacy."), user: name })
        .meta({ title: "SnmpNamedUserSettings", description: "A user without a password." }),
      z
        .strictObject({ level: z.literal("authNoPriv").describe("Authentication without privacy."), ...authenticated })
        .meta({ title: "SnmpAuthenticatedUserSettings", description: "A user whose messages are authenticated." }),
      z
        .strictObject({
          level: z.literal("authPriv").describe("Authentication and privacy."),
          ...authenticated,
          priv: z
            .enum(PRIVACIES, { error: 'must be "AES-128" or "AES-256"; DES and 3DES are too weak' })
            .default("AES-128")
            .describe("Cipher that encrypts messages. AES-256 extends short hashes as the Reeder draft has it."),
          privKey: password("privacy"),
        })
        .meta({
          title: "SnmpPrivateUserSettings",
          description: "A user whose messages are authenticated and encrypted.",
        }),
    ],
    {
      error: (issue) =>
        issue.code === "invalid_union"
          ? 'must be "noAuthNoPriv", "authNoPriv" or "authPriv"; there is no privacy without authentication'
          : undefined,
    },
  )
  .describe("User of the agent's user-based security model. Without one, the agent is asked for its engine only.");
export type User = z.infer<typeof userSetting>;

const AUTHENTICATED = 1;
const ENCRYPTED = 2;
const REPORTABLE = 4;
const FLAGS = { noAuthNoPriv: 0, authNoPriv: AUTHENTICATED, authPriv: AUTHENTICATED | ENCRYPTED } as const;
const USER_BASED = 3;
const NOTHING = Buffer.alloc(0);

interface Header extends EngineTime {
  readonly id: number;
  readonly flags: number;
  readonly engineId: Buffer;
  readonly user: string;
  readonly mac: Buffer;
  readonly salt: Buffer;
}
export interface Message extends Header {
  readonly data: { readonly tag: number; readonly content: Cursor };
}

/** Builds a message; its HMAC, where it has one, is to be written afterwards (`sign`). */
export const encode = ({ id, flags, engineId, boots, time, user, mac, salt }: Header, data: Buffer): Buffer => {
  const head = element(SEQUENCE, integer(id), integer(65_507), octets(Buffer.of(flags)), integer(USER_BASED));
  const security = [octets(engineId), integer(boots), integer(time), octets(user), octets(mac), octets(salt)];
  return element(SEQUENCE, integer(3), head, octets(element(SEQUENCE, ...security)), data);
};

const scoped = (engineId: Buffer, pdu: Buffer): Buffer => element(SEQUENCE, octets(engineId), octets(""), pdu);

/** Asks an agent for its engine, which needs no user. */
export const discovery = (random: Target["random"]): Buffer => {
  const id = requestId(random(4));
  const anybody = { engineId: NOTHING, boots: 0, time: 0, user: "", mac: NOTHING, salt: NOTHING };
  return encode({ id, flags: REPORTABLE, ...anybody }, scoped(NOTHING, getRequest(id)));
};

const engineNumber = (content: Cursor): number => {
  const value = toInteger(content);
  if (value >= 0 && value <= MAX_ENGINE_TIME) return value;
  throw new ProbeFailure("wrong-protocol", `the ${ANSWER} has the impossible engine time ${value}`);
};

/** Reads a message of version 3. @param rest what follows its version */
export const decode = (rest: Cursor): Message => {
  const head = expectNext(rest, SEQUENCE, ANSWER);
  const id = toInteger(expectNext(head, 0x02, ANSWER));
  expectNext(head, 0x02, ANSWER);
  const flags = expectNext(head, 0x04, ANSWER).u8();
  const security = expectNext(expectNext(rest, 0x04, ANSWER), SEQUENCE, ANSWER);
  const bytes = () => expectNext(security, 0x04, ANSWER).bytes;
  const number = () => engineNumber(expectNext(security, 0x02, ANSWER));
  const [engineId, boots, time] = [bytes(), number(), number()];
  const [user, mac, salt] = [bytes().toString("utf8"), bytes(), bytes()];
  return { id, flags, engineId, boots, time, user, mac, salt, data: next(rest, ANSWER) };
};

/** Reads the PDU inside its scope, which must not be encrypted. */
export const readScoped = ({ tag, content }: Message["data"]): Pdu => {
  if (tag !== SEQUENCE) throw new ProbeFailure("wrong-protocol", `the ${ANSWER} is encrypted, and should not be`);
  expectNext(content, 0x04, ANSWER);
  expectNext(content, 0x04, ANSWER);
  return readPdu(content);
};

/** Counters by which an agent says why it refuses a message: RFC 3414, section 5. */
const REPORTS = "1.3.6.1.6.3.15.1.1";
const NOT_IN_TIME_WINDOWS = `${REPORTS}.2.0`;
export const UNKNOWN_ENGINE_IDS = `${REPORTS}.4.0`;
const WRONG_CREDENTIALS: Readonly<Record<string, string>> = {
  [`${REPORTS}.1.0`]: "does not take this level of security from the user",
  [`${REPORTS}.3.0`]: "does not know the user",
  [`${REPORTS}.5.0`]: "finds authKey or auth wrong",
  [`${REPORTS}.6.0`]: "cannot decrypt: privKey or priv is wrong",
};

interface Engine extends EngineTime {
  readonly id: Buffer;
  /** When it had that time, in epoch milliseconds. */
  readonly atMs: number;
  readonly authKey: Buffer;
  readonly privKey: Buffer;
}
/** Longest engine id: RFC 3411, section 5, SnmpEngineID. */
const MAX_ENGINE_ID_BYTES = 32;
/** An engine not heard of for so long is discovered anew: some agents answer nothing to an engine id that they had before. */
const FORGET_AFTER_MS = 600_000;
/** Engines that a conversation remembers: those of a name with many addresses. */
const MAX_ENGINES = 64;

const keysFor = (user: User, engineId: Buffer): Pick<Engine, "authKey" | "privKey"> => ({
  authKey: user.level === "noAuthNoPriv" ? NOTHING : authenticationKey(user.auth, user.authKey, engineId),
  privKey: user.level === "authPriv" ? privacyKey(user.auth, user.priv, user.privKey, engineId) : NOTHING,
});

/** What an agent answered to a user's request. */
export interface Answer {
  readonly pdu: Pdu;
  readonly message: Message;
}

/** Builds the PDU to send, with this id. */
export type MakePdu = (id: number) => Buffer;

/**
 * Creates the conversation of a user with agents. It remembers each agent's engine and keys, so that only the first check
 * needs discovery. Each message has a random id and answers are authenticated with it, so no answer can be a replay.
 */
export const createConversation = (user: User) => {
  const engines = new Map<string, Engine>();
  const placeOf = ({ address, port }: Target) => `${address} ${port}`;

  const remember = ({ engineId, boots, time }: Message, target: Target): Engine => {
    const place = placeOf(target);
    const known = engines.get(place);
    const keys = known?.id.equals(engineId) ? known : keysFor(user, engineId);
    const { authKey, privKey } = keys;
    const engine = { id: Buffer.from(engineId), boots, time, atMs: target.now(), authKey, privKey };
    if (engines.size >= MAX_ENGINES) engines.clear();
    engines.set(place, engine);
    return engine;
  };

  const ask = (engine: Engine, request: MakePdu, { random, now }: Target): Buffer => {
    const id = requestId(random(4));
    const elapsed = Math.max(0, Math.floor((now() - engine.atMs) / 1000));
    const { id: engineId, boots, authKey, privKey } = engine;
    const time = Math.min(engine.time + elapsed, MAX_ENGINE_TIME);
    const flags = FLAGS[user.level] | REPORTABLE;
    const mac = user.level === "noAuthNoPriv" ? NOTHING : emptyMac(user.auth);
    const salt = user.level === "authPriv" ? random(SALT_BYTES) : NOTHING;
    const plain = scoped(engineId, request(id));
    const data = user.level === "authPriv" ? octets(encrypt(user.priv, privKey, { boots, time }, salt, plain)) : plain;
    const message = encode({ id, flags, engineId, boots, time, user: user.user, mac, salt }, data);
    // The HMAC stands before the salt and the data, which end the message.
    const macAt = message.length - data.length - octets(salt).length - mac.length;
    if (user.level !== "noAuthNoPriv") sign(user.auth, authKey, message, macAt);
    return message;
  };

  /** Whether the message is authenticated as the user's. @throws ProbeFailure where it says so and is not */
  const isAuthentic = (datagram: Buffer, { flags, engineId, mac }: Message, engine: Engine | undefined): boolean => {
    if (!(flags & AUTHENTICATED)) return false;
    const isOurs =
      user.level !== "noAuthNoPriv" &&
      engine?.id.equals(engineId) === true &&
      isSigned(user.auth, engine.authKey, datagram, mac);
    if (isOurs) return true;
    throw new ProbeFailure("unexpected-answer", `the ${ANSWER} is not authenticated with the user's key`);
  };

  const open = (message: Message, engine: Engine | undefined): Pdu => {
    const { flags, salt, data } = message;
    if (!(flags & ENCRYPTED)) return readScoped(data);
    if (user.level !== "authPriv" || !engine || data.tag !== 0x04 || salt.length !== SALT_BYTES)
      throw new ProbeFailure("wrong-protocol", `the ${ANSWER} is encrypted in a way that was not asked for`);
    const plain = decrypt(user.priv, engine.privKey, message, salt, data.content.bytes);
    return readScoped(next(new Cursor(plain, ANSWER), ANSWER));
  };

  /** Follows a report up with the message as the agent wants it. @throws ProbeFailure where nothing else could be sent */
  const followUp = (
    pdu: Pdu,
    asked: Message,
    message: Message,
    isGenuine: boolean,
    target: Target,
    request: MakePdu,
  ): Buffer => {
    const reported = readBinding(pdu.bindings)?.oid ?? "nothing";
    const { engineId } = message;
    const evidence = { version: "3", user: user.user, engineId: engineId.toString("hex"), reported };
    const wrong = WRONG_CREDENTIALS[reported];
    const isDiscovery = asked.engineId.length === 0;
    const isOtherEngine = engineId.length > 0 && !engineId.equals(asked.engineId);
    if (isOtherEngine && engineId.length <= MAX_ENGINE_ID_BYTES && (isDiscovery || reported === UNKNOWN_ENGINE_IDS))
      return ask(remember(message, target), request, target);
    if (reported === NOT_IN_TIME_WINDOWS && isGenuine && !isInTimeWindow(message, asked))
      return ask(remember(message, target), request, target);
    if (wrong && !isDiscovery)
      throw new ProbeFailure("wrong-credentials", `the SNMP agent ${wrong} ("${user.user}")`, { evidence });
    throw new ProbeFailure("unexpected-answer", `the SNMP agent refuses the message and reports ${reported}`, {
      evidence,
    });
  };

  return {
    ask(target: Target, request: MakePdu): Buffer {
      const engine = engines.get(placeOf(target));
      if (engine && Math.abs(target.now() - engine.atMs) < FORGET_AFTER_MS) return ask(engine, request, target);
      return discovery(target.random);
    },

    /**
     * @param message what `datagram` holds, and `asked` what the question held
     * @param request as it was asked
     */
    read(
      datagram: Buffer,
      message: Message,
      asked: Message,
      target: Target,
      request: MakePdu,
    ): Answer | { followUp: Buffer } | undefined {
      const { id, engineId, flags } = message;
      if (id !== asked.id) return undefined;
      const engine = engines.get(placeOf(target));
      const isGenuine = isAuthentic(datagram, message, engine);
      const pdu = open(message, engine);
      if (pdu.tag === REPORT) return { followUp: followUp(pdu, asked, message, isGenuine, target, request) };
      if (pdu.tag !== RESPONSE || pdu.id !== id) return undefined;
      const wanted = FLAGS[user.level];
      if ((flags & wanted) !== wanted || !engineId.equals(asked.engineId) || asked.engineId.length === 0)
        throw new ProbeFailure("unexpected-answer", `the ${ANSWER} is not protected as the request was`);
      if (isGenuine && !isInTimeWindow(message, asked))
        throw new ProbeFailure("unexpected-answer", `the ${ANSWER} is outside the time window of 150 s`);
      remember(message, target);
      return { pdu, message };
    },
  };
};
