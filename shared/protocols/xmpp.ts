/**
 * XMPP: open when the server opens its stream and sends its features (RFC 6120, sections 4.2 and 4.3.2); STARTTLS: section
 * 5. No login; the stream is closed properly. It is read as text up to the end of the features, without an XML parser, so
 * that no entity is expanded or fetched.
 */
import { isIPv6 } from "node:net";
import { domainToUnicode } from "node:url";
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol, type Target } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { eitherTls, parseSettings, tlsAtOnce } from "../wire/settings.ts";
import { upgradeToTls } from "../wire/starttls.ts";

const settings = z.strictObject({
  ...eitherTls,
  domain: z
    .string()
    .regex(/^[^\s<>&"']{1,253}$/, "must be a domain")
    .optional()
    .describe("Domain to ask for. Default: the monitor's host."),
  as: z
    .enum(["client", "server"])
    .default("client")
    .meta({
      description: "Whether to connect as a client (port 5222) or as another server (port 5269).",
      // Go has one namespace: `Client` is what generators call the client of the API.
      "x-enum-varnames": ["AsClient", "AsServer"],
    }),
});

/** Features have some 500 bytes. */
const MAX_BYTES = 16_384;

/** Reads until `end` matches the text, which must be XML from the first character on. */
const readXml = async (connection: Connection, end: RegExp): Promise<string> => {
  let text = "";
  // Searches only the new text and a little before it: a hostile server that sends byte by byte could otherwise make us
  // search everything again for each byte.
  for (let fresh = 0; !end.test(text.slice(-fresh - 256)); ) {
    const bytes = await connection.readSome();
    if (bytes === null)
      throw new ProbeFailure(
        text === "" ? "connection-closed" : "incomplete-answer",
        `the server closed the stream after ${text.length} bytes`,
      );
    text += bytes.toString("latin1");
    fresh = bytes.length;
    if (!/^\s*($|<)/.test(text))
      throw new ProbeFailure("wrong-protocol", `expected an XML stream, got: ${printable(text)}`);
    if (text.length > MAX_BYTES)
      throw new ProbeFailure("answer-too-long", `more than ${MAX_BYTES} bytes without the features`);
  }
  return text;
};

/** Elements of the stream namespace: the prefix is usually `stream:`, but may be any or none (RFC 6120, section 4.8.5). */
const OPENING = /<(?:[\w-]+:)?stream\s[^>]*>/;
const FEATURES = /<\/(?:[\w-]+:)?features\s*>|<(?:[\w-]+:)?features(?:\s[^>]*)?\/>/;
const ERROR = /<(?:[\w-]+:)?error(?:\s[^>]*)?>\s*(?:<text.*?<\/text>\s*)?<([a-z-]{1,40})/s;
const END = new RegExp(`${FEATURES.source}|</(?:[\\w-]+:)?(?:error|stream)\\s*>`);

const openStream = async (connection: Connection, domain: string, as: "client" | "server"): Promise<string> => {
  connection.write(
    `<?xml version='1.0'?><stream:stream to='${domain}' xmlns='jabber:${as}' ` +
      "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
  );
  const text = await readXml(connection, END);
  if (!OPENING.test(text)) throw new ProbeFailure("wrong-protocol", `expected an XMPP stream, got: ${printable(text)}`);
  const error = ERROR.exec(text)?.[1];
  if (error === undefined && FEATURES.test(text)) return text;
  if (error === undefined)
    throw new ProbeFailure("unexpected-answer", "the server ended the stream before it sent its features");
  // Conditions of RFC 6120, section 4.9.3.
  if (/^(system-shutdown|resource-constraint|internal-server-error|remote-connection-failed|reset)$/.test(error))
    throw new ProbeFailure("service-unavailable", `the server answers ${error}`);
  throw new ProbeFailure("unexpected-answer", `the server refuses the stream to ${domain}: ${error}`);
};

const list = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].slice(0, 12).map((match) => printable(match[1] ?? "", 60));

const talk = async (connection: Connection, target: Target, wanted: z.output<typeof settings>): Promise<Finding> => {
  // In Unicode, never in its xn-- form (RFC 7622, section 3.2).
  const domain =
    wanted.domain ?? (isIPv6(target.host) ? `[${target.host}]` : domainToUnicode(target.host) || target.host);
  let features = await openStream(connection, domain, wanted.as);
  const isInsideTls = await upgradeToTls(
    connection,
    wanted,
    features.includes("urn:ietf:params:xml:ns:xmpp-tls"),
    async () => {
      connection.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      const answer = await readXml(connection, /<(?:[\w-]+:)?(proceed|failure)\b[^>]*>/);
      return /<(?:[\w-]+:)?proceed\b/.test(answer) ? undefined : "the server answers failure";
    },
  );
  if (isInsideTls) features = await openStream(connection, domain, wanted.as);
  connection.write("</stream:stream>");
  const opening = OPENING.exec(features)?.[0] ?? "";
  const from = /\sfrom=['"]([^'"]{1,253})['"]/.exec(opening)?.[1];
  const mechanisms = list(features, /<mechanism>([^<]{1,60})<\/mechanism>/g);
  const node = /<c\s[^>]*node=['"]([^'"]{1,120})['"]/.exec(features)?.[1];
  return {
    evidence: {
      ...(from && { from: printable(from) }),
      offersTls: features.includes("urn:ietf:params:xml:ns:xmpp-tls"),
      mechanisms,
      ...(node && { software: printable(node) }),
      ...(isInsideTls && { starttls: true }),
    },
    message: `XMPP stream of ${printable(from ?? domain)}`,
    facts: {
      "xmpp.domain": printable(from ?? domain),
      "xmpp.mechanisms": mechanisms.toSorted().join(" "),
      ...(node && { software: printable(node) }),
    },
  };
};

export const xmpp: Protocol = {
  title: "XMPP",
  summary: "Open when the server opens its stream and sends its features; STARTTLS or TLS from the first byte.",
  reference: "RFC 6120",
  transports: ["tcp"],
  defaultPort: 5222,
  settings,
  example: { settings: { starttls: "required", domain: "example.com" } },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return {
      transport: "tcp",
      ...tlsAtOnce(wanted),
      talk: (connection, target) => talk(connection, target, wanted),
    };
  },
};
