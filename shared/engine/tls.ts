/**
 * One TLS handshake for one check, and what its certificate is worth. OpenSSL is told to take whatever comes (weak keys, old
 * digests, unknown issuers), because a refused handshake teaches nothing: the verdict is ours, by name, with the
 * certificate as evidence.
 */
import type { X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { TlsOptions } from "../contract/connection.ts";
import { ProbeFailure, type Target } from "../contract/protocol.ts";
import { DAY_MS, HOUR_MS } from "../durations.ts";
import { asciiHost } from "../idn.ts";
import type { Evidence } from "../model.ts";
import type { Reason } from "../reasons.ts";
import { escapeText } from "../wire/escape-text.ts";
import { secureContext } from "../wire/secure-context.ts";
import { certificateReason } from "./failure.ts";

export interface TlsSession {
  readonly socket: TLSSocket;
  readonly evidence: Evidence;
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string | undefined;
  readonly warning: { readonly reason: Reason; readonly message: string } | undefined;
}

const WARN_DAYS = 14;
/** Chains have three certificates, or four. */
const MAX_CHAIN = 10;

/**
 * Handshake on a connected socket; the socket's own listeners must be gone.
 * @throws ProbeFailure when the certificate does not hold and `verify` is on; whatever OpenSSL and the kernel say
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
    fingerprint: certificate?.fingerprint256.replaceAll(":", "").toLowerCase(),
    warning: certificate && warn(certificate, options.warnDays ?? WARN_DAYS, now),
  };
}

function secure(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(options);
    // Stays on: an error after the handshake, before anybody reads, must not be an uncaught one.
    socket.on("error", reject);
    socket.once("secureConnect", () => resolve(socket));
  });
}

/**
 * Servers without RFC 5746 (secure renegotiation), by address and port, and until when that is believed. OpenSSL refuses
 * them; asked for once, they get a second connection that does not, and from then on that one alone. To allow them from
 * the start would leave them unnamed: nothing else tells them apart.
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

/** Everything wrong with a certificate, the most telling first: dates, name, issuer, strength. */
function findProblems(certificate: X509Certificate, verdict: string, host: string, now: number): Problem[] {
  const problems: Problem[] = [];
  const add = (reason: Reason, message: string) => problems.push({ reason, message });
  const { from, to } = validity(certificate);
  if (now > to.getTime()) add("certificate-expired", `the certificate expired on ${day(to)}`);
  if (now < from.getTime()) add("certificate-not-yet-valid", `the certificate is not valid before ${day(from)}`);
  // Asked here because Node checks the name only where the chain holds.
  if (!(isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host, NAME_RULES)))
    add("certificate-wrong-host", wrongHost(certificate, host));
  const reason = certificateReason(verdict);
  if (reason === "certificate-self-signed") add(reason, "the certificate is signed by itself, not by a known issuer");
  else if (reason === "certificate-unknown-issuer")
    add(reason, `the certificate's issuer is not known here: ${commonName(certificate.issuer)} (${verdict})`);
  else if (verdict && !reason) add("tls-handshake-failed", `the certificate does not hold (${verdict})`);
  // Dates that are not the certificate's own are those of one above it. Which of them count, OpenSSL decides: a chain may
  // carry an outdated one beside the path that holds.
  else if (reason && problems.length === 0)
    add(reason, `a certificate that vouches for it does not hold (${verdict}): ${outdated(certificate, now)}`);
  const weakness = findWeakness(certificate);
  if (weakness) add("certificate-weak", weakness);
  return problems;
}

/** RFC 9525: names stand in subjectAltName alone, and a wildcard is a whole label. Browsers and Go hold to that. */
const NAME_RULES = { subject: "never", partialWildcards: false } as const;

const wrongHost = (certificate: X509Certificate, host: string): string =>
  !isIP(host) && !certificate.subjectAltName && certificate.checkHost(host)
    ? `the certificate has the name ${escapeText(host)} as its common name alone, which no client accepts any more (RFC 9525): it belongs into subjectAltName`
    : `the certificate is for ${names(certificate)}, not for ${escapeText(host)}`;

/** The first one above it outside its dates. */
function outdated({ issuerCertificate }: X509Certificate, now: number): string {
  let above = issuerCertificate;
  for (let depth = 0; above && depth < MAX_CHAIN; depth++, above = above.issuerCertificate) {
    const { from, to } = validity(above);
    if (now > to.getTime() || now < from.getTime())
      return `${commonName(above.subject)}, valid from ${day(from)} to ${day(to)}`;
  }
  return "it is not in the chain that the server sends";
}

/** Below what NIST SP 800-131A and the CA/Browser Forum's Baseline Requirements (6.1.5) still allow. */
function findWeakness({ publicKey, signatureAlgorithm }: X509Certificate): string | undefined {
  const type = publicKey.asymmetricKeyType ?? "";
  const bits = publicKey.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < 2048)
    return `the certificate's ${type.toUpperCase()} key has ${bits} bits, at least 2048 expected`;
  if (type === "dsa") return "the certificate has a DSA key, which nobody accepts any more";
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

/** From its texts: of a date that is none, such as one in a thirteenth month, Node's own dates are any. */
const validity = ({ validFrom, validTo }: X509Certificate) => ({ from: new Date(validFrom), to: new Date(validTo) });
/** Undefined where the certificate's date is none. */
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

function describe(certificate: X509Certificate, now: number): Evidence {
  const { publicKey, fingerprint256, subject, issuer } = certificate;
  const { from, to } = validity(certificate);
  const details = publicKey.asymmetricKeyDetails;
  return {
    subject: commonName(subject),
    issuer: commonName(issuer),
    names: names(certificate),
    validFrom: moment(from),
    validTo: moment(to),
    daysLeft: daysLeft(certificate, now),
    key: `${publicKey.asymmetricKeyType} ${details?.modulusLength ?? details?.namedCurve ?? ""}`.trim(),
    sha256: fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}
