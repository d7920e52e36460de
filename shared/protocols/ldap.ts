/**
 * LDAP: open when the server answers an anonymous search for its root DSE, which every server must have (RFC 4511, section
 * 4.5; RFC 4512, section 5.1), or refuses it by an LDAP result. StartTLS: RFC 4511, section 4.14; UnbindRequest at the end.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { element, expectNext, integer, next, octets, toInteger } from "../wire/ber.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { eitherTls, parseSettings, tlsAtOnce } from "../wire/settings.ts";
import { upgradeToTls } from "../wire/starttls.ts";

const settings = z.strictObject(eitherTls);

const MAX_MESSAGE = 65_000;
/** Messages read at most: the entry and the result, with references and notices between them. */
const MAX_MESSAGES = 10;
const MAX_ATTRIBUTES = 60;

const SEARCH_ENTRY = 0x64;
const SEARCH_DONE = 0x65;
const EXTENDED_RESPONSE = 0x78;
const START_TLS = "1.3.6.1.4.1.1466.20037";

const ATTRIBUTES = [
  "vendorName",
  "vendorVersion",
  "supportedLDAPVersion",
  "namingContexts",
  "defaultNamingContext",
  "dnsHostName",
  "supportedExtension",
  "supportedSASLMechanisms",
  "objectClass",
];

const message = (id: number, operation: Buffer): Buffer => element(0x30, integer(id), operation);
const enumerated = (value: number): Buffer => element(0x0a, Buffer.from([value]));

const SEARCH = element(
  0x63,
  octets(""),
  enumerated(0), // the object itself
  enumerated(0), // never dereference
  integer(1),
  integer(0),
  element(0x01, Buffer.from([0])),
  element(0x87, Buffer.from("objectClass")), // present
  element(0x30, ...ATTRIBUTES.map(octets)),
);

const RESULTS: Readonly<Record<number, string>> = {
  0: "success",
  1: "operations error",
  2: "protocol error",
  7: "authentication method not supported",
  8: "stronger authentication required",
  11: "administrative limit exceeded",
  13: "confidentiality required",
  32: "no such object",
  48: "inappropriate authentication",
  49: "invalid credentials",
  50: "insufficient access rights",
  51: "busy",
  52: "unavailable",
  53: "unwilling to perform",
};
const BUSY = 51;
const UNAVAILABLE = 52;

interface Operation {
  readonly tag: number;
  readonly content: Cursor;
}

const readMessage = async (connection: Connection): Promise<{ id: number; operation: Operation }> => {
  const head = await connection.read(2);
  let length = head[1]!;
  if (head[0] !== 0x30 || length === 0x80 || length > 0x84)
    throw new ProbeFailure(
      "wrong-protocol",
      `expected an LDAP message, got: ${printable(head.toString("latin1")) || `0x${head.toString("hex")}`}`,
    );
  if (length > 0x80) {
    const octetCount = length & 0x7f;
    length = (await connection.read(octetCount)).readUIntBE(0, octetCount);
  }
  if (length < 5 || length > MAX_MESSAGE)
    throw new ProbeFailure("wrong-protocol", `an LDAP message of ${length} bytes is longer than any we asked for`);
  const cursor = new Cursor(await connection.read(length), "LDAP message");
  return { id: toInteger(expectNext(cursor, 0x02, "LDAP message")), operation: next(cursor, "LDAP message") };
};

/** LDAPResult: RFC 4511, section 4.1.9. */
const readResult = (content: Cursor): { code: number; text: string } => {
  const code = toInteger(expectNext(content, 0x0a, "LDAP result"));
  expectNext(content, 0x04, "LDAP result"); // matched name
  const { bytes } = expectNext(content, 0x04, "LDAP result");
  return { code, text: printable(`${RESULTS[code] ?? `result ${code}`} ${bytes.toString("utf8")}`, 160) };
};

const readAttributes = (content: Cursor): ReadonlyMap<string, readonly string[]> => {
  expectNext(content, 0x04, "LDAP entry"); // its name: empty
  const list = expectNext(content, 0x30, "LDAP entry");
  const attributes = new Map<string, readonly string[]>();
  for (let count = 0; count < MAX_ATTRIBUTES && list.left > 0; count += 1) {
    const attribute = expectNext(list, 0x30, "LDAP attribute");
    const name = expectNext(attribute, 0x04, "LDAP attribute").bytes.toString("latin1").toLowerCase();
    const set = expectNext(attribute, 0x31, "LDAP attribute");
    const values: string[] = [];
    while (set.left > 0 && values.length < 100)
      values.push(printable(expectNext(set, 0x04, "LDAP attribute").bytes.toString("utf8"), 80));
    attributes.set(name, values);
  }
  return attributes;
};

/** @throws ProbeFailure when the message answers another request, or is a Notice of Disconnection (RFC 4511, section 4.4.1) */
const readAnswer = async (connection: Connection, asked: number): Promise<Operation> => {
  const { id, operation } = await readMessage(connection);
  if (operation.tag === EXTENDED_RESPONSE && id === 0)
    throw new ProbeFailure("service-unavailable", `the server ends the session: ${readResult(operation.content).text}`);
  if (id !== asked) throw new ProbeFailure("unexpected-answer", `expected the answer to message ${asked}, got ${id}`);
  return operation;
};

const requestTls = async (connection: Connection): Promise<string | undefined> => {
  connection.write(message(1, element(0x77, element(0x80, Buffer.from(START_TLS)))));
  const operation = await readAnswer(connection, 1);
  if (operation.tag !== EXTENDED_RESPONSE)
    throw new ProbeFailure("unexpected-answer", `expected the answer to StartTLS, got 0x${operation.tag.toString(16)}`);
  const { code, text } = readResult(operation.content);
  return code === 0 ? undefined : text;
};

const search = async (connection: Connection) => {
  connection.write(message(2, SEARCH));
  let attributes: ReturnType<typeof readAttributes> = new Map();
  for (let count = 0; count < MAX_MESSAGES; count += 1) {
    const operation = await readAnswer(connection, 2);
    if (operation.tag === SEARCH_ENTRY) attributes = readAttributes(operation.content);
    if (operation.tag !== SEARCH_DONE) continue;
    const result = readResult(operation.content);
    // As answers to StartTLS, the same results mean that the server has no TLS, such as Active Directory without a certificate.
    if (result.code === BUSY || result.code === UNAVAILABLE)
      throw new ProbeFailure("service-unavailable", `the server answers: ${result.text}`);
    return { attributes, result };
  }
  throw new ProbeFailure("unexpected-answer", "the search for the root DSE does not end");
};

const talk = async (connection: Connection, wanted: z.output<typeof settings>): Promise<Finding> => {
  const isInsideTls = await upgradeToTls(connection, wanted, true, () => requestTls(connection));
  const { attributes, result } = await search(connection);
  connection.write(message(3, element(0x42)));
  const all = (name: string) => attributes.get(name.toLowerCase());
  // OpenLDAP names itself only in the object class of its root DSE.
  const isOpenLdap = all("objectClass")?.includes("OpenLDAProotDSE") ?? false;
  const product = [all("vendorName")?.[0] ?? (isOpenLdap ? "OpenLDAP" : undefined), all("vendorVersion")?.[0]];
  const name = product.filter(Boolean).join(" ");
  return {
    evidence: {
      ...(name && { product: name }),
      ...(result.code !== 0 && { result: result.text }),
      versions: all("supportedLDAPVersion"),
      namingContexts: all("namingContexts")?.slice(0, 4),
      dnsHostName: all("dnsHostName")?.[0],
      offersTls: all("supportedExtension")?.includes(START_TLS),
      mechanisms: all("supportedSASLMechanisms")?.slice(0, 8),
      ...(isInsideTls && { starttls: true }),
    },
    message: result.code === 0 ? `LDAP${name ? `, ${name}` : ""}` : `LDAP answers: ${result.text}`,
    ...(name && { facts: { software: name } }),
  };
};

export const ldap: Protocol = {
  title: "LDAP",
  summary: "Open when the server answers an anonymous search for its root DSE; StartTLS or TLS from the first byte.",
  reference: "RFC 4511, RFC 4512",
  transports: ["tcp"],
  defaultPort: 389,
  settings,
  example: { settings: { starttls: "required" } },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", ...tlsAtOnce(wanted), talk: (connection) => talk(connection, wanted) };
  },
};
