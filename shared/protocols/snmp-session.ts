/** Puts SNMP requests into messages of a community (RFC 1901, RFC 1157) or of a user (RFC 3414), and takes their answers out of them. */
import { ProbeFailure, type Target } from "../contract/protocol.ts";
import { element, expectNext, integer, next, octets, toInteger } from "../wire/ber.ts";
import { Cursor } from "../wire/cursor.ts";
import { oneLine } from "../wire/settings.ts";
import { ANSWER, type Pdu, RESPONSE, readPdu, requestId, SEQUENCE } from "../wire/snmp-pdu.ts";
import { type Answer, createConversation, decode, type MakePdu, type Message, type User } from "./snmp-v3.ts";

export const communitySetting = oneLine(64)
  .meta({ writeOnly: true })
  .default("public")
  .describe("Community, which is a password.");

/** @template A what is read: the PDU, in version 3 with the message around it */
export interface Session<A extends { readonly pdu: Pdu } = { readonly pdu: Pdu }> {
  /** Why a healthy agent may be silent. */
  readonly silenceMeans?: string;
  ask(target: Target, request: MakePdu): Buffer;
  /** As `read` of `UdpProbe`. @param request as it was asked */
  read(
    answer: Buffer,
    question: Buffer,
    target: Target,
    request: MakePdu,
  ): A | { readonly followUp: Buffer } | undefined;
}

/** @throws ProbeFailure where the answer is no message of this version */
const afterVersion = (answer: Buffer, wanted: string): Cursor => {
  if (answer[0] !== SEQUENCE)
    throw new ProbeFailure("wrong-protocol", "expected an SNMP message, got something else", {
      evidence: { firstBytes: answer.subarray(0, 8).toString("hex") },
    });
  const message = expectNext(new Cursor(answer, ANSWER), SEQUENCE, ANSWER);
  const version = ["1", "2c", "2", "3"][toInteger(expectNext(message, 0x02, ANSWER))];
  if (version === wanted) return message;
  throw new ProbeFailure("wrong-protocol", `expected an answer in SNMP version ${wanted}, got ${version}`);
};

/** Reads a message of version 3. */
export const decoded = (datagram: Buffer): Message => decode(afterVersion(datagram, "3"));

/** The request id that `ask` wrote. */
const questionId = (question: Buffer): number => {
  const message = expectNext(new Cursor(question, ANSWER), SEQUENCE, ANSWER);
  expectNext(message, 0x02, ANSWER);
  expectNext(message, 0x04, ANSWER);
  return toInteger(expectNext(next(message, ANSWER).content, 0x02, ANSWER));
};

export const communitySession = (version: "1" | "2c", community: string): Session => ({
  ask: ({ random }, request) =>
    element(SEQUENCE, integer(version === "1" ? 0 : 1), octets(community), request(requestId(random(4)))),
  read(answer, question) {
    const message = afterVersion(answer, version);
    expectNext(message, 0x04, ANSWER);
    const pdu = readPdu(message);
    if (pdu.id !== questionId(question)) return undefined;
    // Only engines of version 3 send reports: RFC 3416, section 4.
    if (pdu.tag !== RESPONSE) throw new ProbeFailure("wrong-protocol", "expected an SNMP response, got a report");
    return { pdu };
  },
});

const AUTHORIZATION_ERROR = 16;

export const userSession = (user: User): Session<Answer> => {
  const conversation = createConversation(user);
  return {
    ...(user.level === "authPriv" && { silenceMeans: "an SNMP agent is silent to a wrong privKey or priv" }),
    ask: (target, request) => conversation.ask(target, request),
    read(answer, question, target, request) {
      const read = conversation.read(answer, decoded(answer), decoded(question), target, request);
      if (read && "pdu" in read && read.pdu.error === AUTHORIZATION_ERROR)
        throw new ProbeFailure(
          "wrong-credentials",
          `the SNMP agent lets the user "${user.user}" read nothing at this level of security`,
          { evidence: { version: "3", user: user.user, engineId: read.message.engineId.toString("hex") } },
        );
      return read;
    },
  };
};
