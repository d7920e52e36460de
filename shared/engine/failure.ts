/**
 * Maps error codes of Node, the kernel, OpenSSL and c-ares to our states and reasons; no other file reads `error.code`.
 * An error whose code is not listed is rethrown: a bug of ours must never be reported as a target's outage.
 */

import { ProbeFailure } from "../contract/protocol.ts";
import type { Evidence, PortState } from "../model.ts";
import type { Reason } from "../reasons.ts";

export interface Failure {
  readonly state: PortState;
  readonly reason: Reason;
  readonly message: string;
  readonly evidence?: Evidence;
}

/** How far the attempt had come. `local`: the system call itself failed, and no packet left this machine. */
export type Stage = "local" | "connect" | "tls" | "talk" | "datagram";

/** Explains an error as a failure of the target or the network. @throws the error itself when its code is not listed */
export function explain(error: unknown, stage: Stage, endpoint: string): Failure {
  if (error instanceof ProbeFailure) return error;
  const code = codeOf(error);
  const found = OURS[code] ?? (stage === "local" ? LOCAL[code] : undefined) ?? byStage(code, stage);
  if (!found) throw error;
  const [state, reason, text] = found;
  return { state, reason, message: `${endpoint} ${text}${stage === "tls" ? detail(error) : ""}` };
}

/** Whether OpenSSL refused a server because it is older than RFC 5746 (secure renegotiation, 2010). */
export const lacksSecureRenegotiation = (error: unknown): boolean =>
  codeOf(error) === "ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED";

type Row = readonly [state: PortState, reason: Reason, text: string];

/** This machine ran out of something, or lacks the address family: says nothing about the target at any stage. */
const OURS: Readonly<Record<string, Row>> = {
  EMFILE: ["unmeasured", "too-many-open-files", "not checked: this process has no file descriptor left"],
  ENFILE: ["unmeasured", "too-many-open-files", "not checked: this machine has no file descriptor left"],
  ENOBUFS: ["unmeasured", "too-many-open-files", "not checked: this machine has no socket buffer left"],
  ENOMEM: ["unmeasured", "too-many-open-files", "not checked: this machine has no memory left for a socket"],
  EADDRNOTAVAIL: ["unmeasured", "no-route", "not checked: no local address or port is left to connect from"],
  EADDRINUSE: ["unmeasured", "no-route", "not checked: no local port is left to connect from"],
  EAFNOSUPPORT: ["unmeasured", "address-family-unavailable", "not checked: this machine has no such address family"],
};

/** The kernel refused before any packet left: our routes and firewalls, not the target's. */
const LOCAL: Readonly<Record<string, Row>> = {
  ENETUNREACH: ["unmeasured", "no-route", "not checked: this machine has no route there"],
  EHOSTUNREACH: ["unmeasured", "no-route", "not checked: this machine has no route there"],
  ENETDOWN: ["unmeasured", "no-route", "not checked: this machine's network is down"],
  EACCES: ["unmeasured", "prohibited", "not checked: this machine's own rules forbid it"],
  EPERM: ["unmeasured", "prohibited", "not checked: this machine's own firewall forbids it"],
  EINVAL: ["unmeasured", "no-route", "not checked: this machine cannot connect to such an address"],
};

/** Failures while connecting: answers of the target, or of routers on the way to it. */
const PATH: Readonly<Record<string, Row>> = {
  ECONNREFUSED: ["closed", "connection-refused", "refused the connection"],
  // A reset that answers the SYN is ECONNREFUSED; this one came directly after the completed handshake.
  ECONNRESET: ["mismatch", "connection-reset", "accepted the connection and reset it at once"],
  ECONNABORTED: ["mismatch", "connection-reset", "accepted the connection and aborted it at once"],
  ETIMEDOUT: ["filtered", "timeout", "did not answer"],
  EHOSTUNREACH: ["filtered", "host-unreachable", "is unreachable: a router on the way said so"],
  EHOSTDOWN: ["filtered", "host-unreachable", "is down: a router on the way said so"],
  ENETUNREACH: ["filtered", "network-unreachable", "is in a network that a router on the way cannot reach"],
  ENETDOWN: ["unmeasured", "no-route", "not checked: this machine's network is down"],
  ENONET: ["filtered", "host-unreachable", "is isolated: a router on the way said so"],
  ENOPROTOOPT: ["filtered", "prohibited", "does not take this protocol: a router on the way said so"],
  EPROTO: ["filtered", "prohibited", "answered with an ICMP parameter problem"],
  EACCES: ["filtered", "prohibited", "is prohibited: a firewall on the way said so"],
  EPERM: ["unmeasured", "prohibited", "not checked: this machine's own firewall forbids it"],
};

const DATAGRAM: Readonly<Record<string, Row>> = {
  ...PATH,
  ECONNREFUSED: ["closed", "port-unreachable", "has nothing on this port: it answered ICMP port unreachable"],
  EMSGSIZE: ["unmeasured", "no-route", "not checked: the datagram is longer than the path takes"],
};

/** Failures after the connection was established. */
const TALK: Readonly<Record<string, Row>> = {
  ECONNRESET: ["mismatch", "connection-reset", "reset the connection instead of answering"],
  ECONNABORTED: ["mismatch", "connection-reset", "aborted the connection instead of answering"],
  EPIPE: ["mismatch", "connection-closed", "closed the connection instead of answering"],
  ETIMEDOUT: ["mismatch", "no-answer", "stopped acknowledging what was sent"],
  EHOSTUNREACH: ["filtered", "host-unreachable", "became unreachable in the middle of the check"],
  ENETUNREACH: ["filtered", "network-unreachable", "became unreachable in the middle of the check"],
};

function byStage(code: string, stage: Stage): Row | undefined {
  if (stage === "datagram") return DATAGRAM[code];
  if (stage === "connect" || stage === "local") return PATH[code];
  if (stage === "tls" || isTls(code)) return tlsRow(code);
  return TALK[code];
}

const isTls = (code: string) => code.startsWith("ERR_SSL_") || code === "ERR_TLS_CERT_ALTNAME_INVALID";

/** TLS alerts of the peer and OpenSSL's own refusals. A peer that closes during the handshake gives ECONNRESET. */
function tlsRow(code: string): Row | undefined {
  const certificate = certificateReason(code);
  if (certificate) return ["tls-error", certificate, "has a certificate that is not valid"];
  if (/^ERR_SSL_.*(UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|VERSION_TOO_LOW|NO_PROTOCOLS_AVAILABLE)$/.test(code))
    return ["tls-error", "tls-version", "speaks no TLS version that is accepted here"];
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER_FAILURE)$/.test(code))
    return ["tls-error", "wrong-protocol", "did not answer in TLS"];
  if (/^ERR_SSL_.*(EE_KEY_TOO_SMALL|CA_KEY_TOO_SMALL|MD_TOO_WEAK|DH_KEY_TOO_SMALL|BAD_ECC_CERT)$/.test(code))
    return ["tls-error", "certificate-weak", "uses a key or signature that is too weak"];
  // Only alerts (these prefixes) come from the peer; every other code means that OpenSSL on this side ended the handshake.
  if (code.startsWith("ERR_SSL_") && !/^ERR_SSL_(SSL\/TLS|SSLV3|TLSV1|TLSV13)_/.test(code))
    return ["tls-error", "tls-handshake-failed", "was refused by this side in the TLS handshake"];
  if (code.startsWith("ERR_SSL_") || code === "EPROTO" || code in TALK)
    return ["tls-error", "tls-handshake-failed", "broke off the TLS handshake"];
  return undefined;
}

const CERTIFICATE: Readonly<Record<string, Reason>> = {
  CERT_HAS_EXPIRED: "certificate-expired",
  CERT_NOT_YET_VALID: "certificate-not-yet-valid",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate-wrong-host",
  HOSTNAME_MISMATCH: "certificate-wrong-host",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate-self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate-unknown-issuer",
  UNABLE_TO_GET_ISSUER_CERT: "certificate-unknown-issuer",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate-unknown-issuer",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate-unknown-issuer",
  CERT_UNTRUSTED: "certificate-unknown-issuer",
  INVALID_CA: "certificate-unknown-issuer",
  INVALID_PURPOSE: "certificate-unknown-issuer",
  PATH_LENGTH_EXCEEDED: "certificate-unknown-issuer",
  CERT_CHAIN_TOO_LONG: "certificate-unknown-issuer",
  CERT_REJECTED: "certificate-unknown-issuer",
  CERT_SIGNATURE_FAILURE: "certificate-unknown-issuer",
  CERT_REVOKED: "certificate-unknown-issuer",
};

/** Our reason for a certificate error of OpenSSL or of Node's name check; undefined for other codes. */
export const certificateReason = (code: string): Reason | undefined => CERTIFICATE[code];

/** Classifies a DNS error of c-ares. @throws the error itself when its code is not listed */
export function explainName(
  error: unknown,
): "no-name" | "no-address" | "server-failure" | "refused" | "timeout" | "cancelled" {
  switch (codeOf(error)) {
    case "ENOTFOUND":
      return "no-name";
    case "ENODATA":
      return "no-address";
    case "ESERVFAIL":
    case "EBADRESP":
      return "server-failure";
    case "EREFUSED":
    case "EFORMERR":
    case "ENOTIMP":
      return "refused";
    case "ETIMEOUT":
    case "ECONNREFUSED":
    case "EOF":
      return "timeout";
    case "ECANCELLED":
    case "EDESTRUCTION":
      return "cancelled";
    case "EBADNAME":
      return "no-name";
    default:
      throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** OpenSSL's own error text, if it gives one. */
function detail(error: unknown): string {
  const reason = error instanceof Error && "reason" in error && typeof error.reason === "string" ? error.reason : "";
  return reason ? ` (${reason})` : "";
}
