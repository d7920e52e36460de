/**
 * TLS handshake of one check, and verification of the certificate. OpenSSL is told to accept everything (weak keys, old
 * digests, unknown issuers), because a refused handshake yields no certificate: we verify it ourselves afterwards, and
 * report every problem with the certificate as evidence.
 */
import { createHash, type X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { TlsOptions } from "../contract/connection.ts";
import { ProbeFailure, type Target } from "../contract/protocol.ts";
import { DAY_MS, HOUR_MS } from "../durations.ts";
import { asciiHost } from "../idn.ts";
import type { Evidence, Facts } from "../model.ts";
import type { Reason } from "../reasons.ts";
import { escapeText } from "../wire/escape-text.ts";
import { secureContext } from "../wire/secure-context.ts";
import { certificateReason } from "./failure.ts";

export interface TlsSession {
  readonly socket: TLSSocket;
  readonly evidence: Evidence;
  readonly facts: Facts;
  readonly warning: { readonly reason: Reason; readonly message: string } | undefined;
}

const WARN_DAYS = 14;
/** Certificates of a chain that are looked at; real chains have three or four. */
const MAX_CHAIN = 10;

/**
 * Does the handshake on a connected socket, whose listeners the caller must have removed.
 * @throws ProbeFailure when the certificate is not valid and `verify` is on; also errors of OpenSSL and the kernel
 */
export async function handshake(raw: Socket, options: TlsOptions, target: Target): Promise<TlsSession> {
  const isLegacy = isLegacyServer(target);
  const given = options.serverName ?? (isIP(target.host) ? undefined : target.host.replace(/\.$/, ""));
  const name = given && asciiHost(given);
  const socket = await secure({
    socket: raw,
    ...(name && !isIP(name) ? { servername: name } : {}),
    ...(options.alpn ? { ALPNProtocols: [...options.alpn] } : {}),
    secureContext: secureContext(options, isLegacy),
    rejectUnauthorized: false,
  });
  const certificate = socket.getPeerX509Certificate();
  const now = target.now();
  const problems = certificate
    ? findProblems(
        certificate,
        String(socket.authorizationError ?? ""),
        name ?? target.address.replace(/%.*$/, ""),
        now,
      )
    : [];
  const evidence = {
    ...describeSession(socket),
    ...(isLegacy ? { renegotiation: "unsafe: the server is older than RFC 5746" } : {}),
    ...(certificate ? describe(certificate, now) : {}),
    ...(problems.length > 0 ? { problems: problems.map(({ reason }) => reason) } : {}),
  };
  const first = problems[0];
  if (first && options.verify !== false) {
    socket.destroy();
    throw new ProbeFailure(first.reason, `${target.host}: ${first.message}`, {
      state: "tls-error",
      evidence: { tls: evidence },
    });
  }
  return {
    socket,
    evidence,
    facts: factsOf(socket, certificate, problems),
    warning: certificate && warn(certificate, options.warnDays ?? WARN_DAYS, now),
  };
}

function secure(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(options);
    // Stays attached: an error between the handshake and the first read must not be an uncaught exception.
    socket.on("error", reject);
    socket.once("secureConnect", () => resolve(socket));
  });
}

/**
 * Cache of servers without secure renegotiation (RFC 5746), by address and port, with the time until which an entry is
 * valid. OpenSSL refuses them by default: after the first refusal they get a second connection that allows them, and
 * later ones allow them at once. Allowing it always would hide such servers, because nothing else identifies them.
 */
const legacyServers = new Map<string, number>();
const LEGACY_MS = HOUR_MS;
const serverKey = ({ address, port }: Target) => `${address} ${port}`;

export const isLegacyServer = (target: Target): boolean =>
  (legacyServers.get(serverKey(target)) ?? Number.NEGATIVE_INFINITY) > performance.now();

export function rememberLegacyServer(target: Target): void {
  if (legacyServers.size >= 10_000) legacyServers.clear();
  legacyServers.set(serverKey(target), performance.now() + LEGACY_MS);
}

interface Problem {
  readonly reason: Reason;
  readonly message: string;
}

/** Finds everything wrong with a certificate, the most important problem first: dates, name, issuer, strength. */
function findProblems(certificate: X509Certificate, verdict: string, host: string, now: number): Problem[] {
  const problems: Problem[] = [];
  const add = (reason: Reason, message: string) => problems.push({ reason, message });
  const { from, to } = validity(certificate);
  if (now > to.getTime()) add("certificate-expired", `the certificate expired on ${day(to)}`);
  if (now < from.getTime()) add("certificate-not-yet-valid", `the certificate is not valid before ${day(from)}`);
  // Checked here because Node checks the name only if the chain is valid.
  if (!(isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host, NAME_RULES)))
    add("certificate-wrong-host", wrongHost(certificate, host));
  const reason = certificateReason(verdict);
  if (reason === "certificate-self-signed") add(reason, "the certificate is signed by itself, not by a known issuer");
  else if (reason === "certificate-unknown-issuer")
    add(reason, `the certificate's issuer is not known here: ${commonName(certificate.issuer)} (${verdict})`);
  else if (verdict && !reason) add("tls-handshake-failed", `the certificate is not valid (${verdict})`);
  // Here the dates of an issuer above it are wrong. OpenSSL decides whether that counts: a chain may contain an expired
  // certificate beside a valid path.
  else if (reason && problems.length === 0)
    add(reason, `an issuer's certificate in its chain is not valid (${verdict}): ${outdated(certificate, now)}`);
  const weakness = findWeakness(certificate);
  if (weakness) add("certificate-weak", weakness);
  return problems;
}

/** RFC 9525: only names in subjectAltName count, and a wildcard is a whole label. Browsers and Go do the same. */
const NAME_RULES = { subject: "never", partialWildcards: false } as const;

const wrongHost = (certificate: X509Certificate, host: string): string =>
  !isIP(host) && !certificate.subjectAltName && certificate.checkHost(host)
    ? `the certificate has the name ${escapeText(host)} only as its common name, which clients no longer accept (RFC 9525): it must be in subjectAltName`
    : `the certificate is for ${names(certificate)}, not for ${escapeText(host)}`;

/** Describes the first certificate above it in the chain that is expired or not valid yet. */
function outdated({ issuerCertificate }: X509Certificate, now: number): string {
  let above = issuerCertificate;
  for (let depth = 0; above && depth < MAX_CHAIN; depth++, above = above.issuerCertificate) {
    const { from, to } = validity(above);
    if (now > to.getTime() || now < from.getTime())
      return `${commonName(above.subject)}, valid from ${day(from)} to ${day(to)}`;
  }
  return "it is not in the chain that the server sends";
}

/** Finds keys and signatures weaker than NIST SP 800-131A and the CA/Browser Forum's Baseline Requirements (6.1.5) allow. */
function findWeakness({ publicKey, signatureAlgorithm }: X509Certificate): string | undefined {
  const type = publicKey.asymmetricKeyType ?? "";
  const bits = publicKey.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < 2048)
    return `the certificate's ${type.toUpperCase()} key has ${bits} bits, at least 2048 expected`;
  if (type === "dsa") return "the certificate has a DSA key, which clients no longer accept";
  if (/md2|md4|md5|sha1(?!\d)/i.test(signatureAlgorithm ?? ""))
    return `the certificate is signed with ${signatureAlgorithm}, which can be forged`;
  return undefined;
}

function warn(certificate: X509Certificate, warnDays: number, now: number): TlsSession["warning"] {
  const days = daysLeft(certificate, now);
  if (days === undefined || days >= warnDays || warnDays === 0) return undefined;
  const ends = days < 0 ? "expired" : `ends in ${days} day${days === 1 ? "" : "s"},`;
  return {
    reason: "certificate-expires-soon",
    message: `the certificate ${ends} on ${day(validity(certificate).to)}; at least ${warnDays} days expected`,
  };
}

/** Parsed from the certificate's text: for an invalid date, such as a thirteenth month, `validFromDate` gives a wrong valid one. */
const validity = ({ validFrom, validTo }: X509Certificate) => ({ from: new Date(validFrom), to: new Date(validTo) });
/** Undefined if the certificate's date is invalid. */
const daysLeft = (certificate: X509Certificate, now: number): number | undefined => {
  const { to } = validity(certificate);
  return isDate(to) ? Math.floor((to.getTime() - now) / DAY_MS) : undefined;
};
const isDate = (date: Date) => !Number.isNaN(date.getTime());
const moment = (date: Date) => (isDate(date) ? date.toISOString() : "no date");
const day = (date: Date) => (isDate(date) ? date.toISOString().slice(0, 10) : "no date");

/** "CN=example.com\nO=…" → "example.com". */
const commonName = (subject: string) =>
  escapeText(/^CN=(.*)$/m.exec(subject)?.[1] ?? subject.replaceAll("\n", ", "), 80);

function names(certificate: X509Certificate): string {
  const list = certificate.subjectAltName?.replaceAll("DNS:", "").replaceAll("IP Address:", "");
  return escapeText(list || commonName(certificate.subject), 120);
}

function describeSession(socket: TLSSocket): Evidence {
  const { alpnProtocol } = socket;
  return {
    version: socket.getProtocol(),
    cipher: socket.getCipher()?.standardName,
    ...(alpnProtocol ? { alpn: alpnProtocol } : {}),
  };
}

/** Whom the certificate's chain is trusted by: `chain` is an issuer that is known here. */
const trustOf = (problems: readonly Problem[]) => {
  const reasons = problems.map(({ reason }) => reason);
  if (reasons.includes("certificate-self-signed")) return "self-signed";
  return reasons.includes("certificate-unknown-issuer") ? "unknown-issuer" : "chain";
};

/** No dates, serial number or fingerprint: a renewal by the same issuer for the same names is no change. */
function factsOf(socket: TLSSocket, certificate: X509Certificate | undefined, problems: readonly Problem[]): Facts {
  const version = socket.getProtocol();
  return {
    ...(version ? { "tls.version": version } : {}),
    ...(certificate && {
      "tls.issuer": issuerOf(certificate),
      "tls.names": allNames(certificate),
      "tls.key": keyOf(certificate),
      "tls.trust": trustOf(problems),
      "tls.spki": createHash("sha256")
        .update(certificate.publicKey.export({ type: "spki", format: "der" }))
        .digest("base64")
        .slice(0, 43),
    }),
  };
}

/** The organisation, because public issuers sign with one of several intermediate certificates, and replace those often. */
const issuerOf = ({ issuer }: X509Certificate) => {
  const organisation = /^O=(.*)$/m.exec(issuer)?.[1];
  return organisation ? escapeText(organisation, 80) : commonName(issuer);
};

/** In the order of the alphabet. A list that is too long for a fact ends with its length and a hash, so that each name counts. */
function allNames(certificate: X509Certificate): string {
  const list = (certificate.subjectAltName?.split(", ") ?? [certificate.subject])
    .map((name) => name.replace(/^(DNS|IP Address):/, ""))
    .toSorted();
  const text = list.join(", ");
  if (text.length <= 160) return text;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 8);
  return `${text.slice(0, 120)}… (${list.length} names, ${hash})`;
}

const keyOf = ({ publicKey }: X509Certificate) => {
  const details = publicKey.asymmetricKeyDetails;
  return `${publicKey.asymmetricKeyType} ${details?.modulusLength ?? details?.namedCurve ?? ""}`.trim();
};

function describe(certificate: X509Certificate, now: number): Evidence {
  const { fingerprint256, subject, issuer } = certificate;
  const { from, to } = validity(certificate);
  return {
    subject: commonName(subject),
    issuer: commonName(issuer),
    names: names(certificate),
    validFrom: moment(from),
    validTo: moment(to),
    daysLeft: daysLeft(certificate, now),
    key: keyOf(certificate),
    sha256: fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}
