/** An SNMPv3 agent with one user (RFC 3414, section 3.2), which may restart, lose its clock or answer wrongly. */
import { randomBytes } from "node:crypto";
import { decode, encode, type Message, type User } from "../../shared/protocols/snmp-v3.ts";
import {
  authenticationKey,
  decrypt,
  emptyMac,
  encrypt,
  isInTimeWindow,
  isSigned,
  privacyKey,
  sign,
} from "../../shared/protocols/usm.ts";
import { element, expectNext, integer, next, objectId, octets, toInteger, toObjectId } from "../../shared/wire/ber.ts";
import { Cursor } from "../../shared/wire/cursor.ts";
import { serveUdp } from "./servers.ts";

const SEQUENCE = 0x30;
const NOTHING = Buffer.alloc(0);
const COUNTERS = { unsupportedLevels: 1, notInTimeWindows: 2, unknownUsers: 3, unknownEngines: 4, wrongDigests: 5 };
export type Counter = keyof typeof COUNTERS;

export const messageOf = (datagram: Buffer): Message => {
  const rest = expectNext(new Cursor(datagram, "message"), SEQUENCE, "message");
  expectNext(rest, 0x02, "message");
  return decode(rest);
};

export class SnmpAgent {
  engineId = Buffer.from("80001f8804706965722d37", "hex");
  boots = 7;
  time = 3600;
  value = octets("pier 7");
  error = 0;
  /** Seconds by which its answers, but not its reports, are older than they are. */
  ageSeconds = 0;
  readonly user: User;
  /** Makes the PDU that answers this one. Default: `value`, whatever is asked for. */
  respond: ((tag: number, pdu: Cursor) => Buffer) | undefined;

  constructor(user: User) {
    this.user = user;
  }

  #authKey(): Buffer {
    const { user, engineId } = this;
    return user.level === "noAuthNoPriv" ? NOTHING : authenticationKey(user.auth, user.authKey, engineId);
  }

  #privKey(): Buffer {
    const { user, engineId } = this;
    return user.level === "authPriv" ? privacyKey(user.auth, user.priv, user.privKey, engineId) : NOTHING;
  }

  /** A message of this agent. @param level how it is protected */
  seal(id: number, plain: Buffer, level: User["level"] = this.user.level, time = this.time): Buffer {
    const { user, engineId, boots } = this;
    if (level === "noAuthNoPriv" || user.level === "noAuthNoPriv")
      return encode({ id, flags: 0, engineId, boots, time, user: user.user, mac: NOTHING, salt: NOTHING }, plain);
    const isPrivate = level === "authPriv" && user.level === "authPriv";
    const salt = isPrivate ? randomBytes(8) : NOTHING;
    const data = isPrivate ? octets(encrypt(user.priv, this.#privKey(), { boots, time }, salt, plain)) : plain;
    const mac = emptyMac(user.auth);
    const message = encode({ id, flags: isPrivate ? 3 : 1, engineId, boots, time, user: user.user, mac, salt }, data);
    sign(user.auth, this.#authKey(), message, message.length - data.length - octets(salt).length - mac.length);
    return message;
  }

  #scoped(pdu: Buffer): Buffer {
    return element(SEQUENCE, octets(this.engineId), octets(""), pdu);
  }

  report(id: number, counter: Counter, level: User["level"] = "noAuthNoPriv"): Buffer {
    const oid = objectId(`1.3.6.1.6.3.15.1.1.${COUNTERS[counter]}.0`);
    const bindings = element(SEQUENCE, element(SEQUENCE, oid, element(0x41, Buffer.of(9))));
    return this.seal(id, this.#scoped(element(0xa8, integer(0), integer(0), integer(0), bindings)), level);
  }

  /** The PDU that answers the user's. */
  #respond({ data, salt, ...message }: Message): Buffer {
    const { user } = this;
    const content =
      data.tag === 0x04 && user.level === "authPriv"
        ? new Cursor(decrypt(user.priv, this.#privKey(), message, salt, data.content.bytes), "request")
        : undefined;
    const scope = content ? expectNext(content, SEQUENCE, "request") : data.content;
    expectNext(scope, 0x04, "request");
    expectNext(scope, 0x04, "request");
    const { tag, content: pdu } = next(scope, "request");
    if (this.respond) return this.respond(tag, pdu);
    const id = toInteger(expectNext(pdu, 0x02, "request"));
    expectNext(pdu, 0x02, "request");
    expectNext(pdu, 0x02, "request");
    const binding = expectNext(expectNext(pdu, SEQUENCE, "request"), SEQUENCE, "request");
    const oid = objectId(toObjectId(expectNext(binding, 0x06, "request")));
    const bindings = element(SEQUENCE, element(SEQUENCE, oid, this.value));
    return element(0xa2, integer(id), integer(this.error), integer(0), bindings);
  }

  answer(question: Buffer, level?: User["level"]): Buffer | undefined {
    const { user } = this;
    const asked = messageOf(question);
    if (!asked.engineId.equals(this.engineId)) return this.report(asked.id, "unknownEngines");
    if (asked.user !== user.user) return this.report(asked.id, "unknownUsers");
    if (user.level !== "noAuthNoPriv") {
      if (!(asked.flags & 1)) return this.report(asked.id, "unsupportedLevels");
      if (!isSigned(user.auth, this.#authKey(), question, asked.mac)) return this.report(asked.id, "wrongDigests");
      if (!isInTimeWindow(this, asked)) return this.report(asked.id, "notInTimeWindows", "authNoPriv");
    }
    try {
      return this.seal(asked.id, this.#scoped(this.#respond(asked)), level, this.time - this.ageSeconds);
    } catch {
      return undefined; // Decrypted with a wrong key: snmpd is silent, too.
    }
  }

  serve(answer: (question: Buffer) => Buffer | undefined = (question) => this.answer(question)) {
    return serveUdp((question, reply) => {
      const said = answer(question);
      if (said) reply(said);
    });
  }
}
