/**
 * Cache of TLS contexts by their options. Creating one is expensive (it parses the key and loads the root certificates),
 * and monitors with the same options can share it: validating the settings creates it, handshakes find it here.
 */
import { constants } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { TlsOptions } from "../contract/connection.ts";

const contexts = new Map<string, SecureContext>();

/** @throws an OpenSSL error when `ca`, `certificate` or `key` is not PEM, or the two do not belong together */
export function secureContext({ minVersion, ca, certificate, key }: TlsOptions, isLegacy = false): SecureContext {
  const id = JSON.stringify([minVersion, ca, certificate, key, isLegacy]);
  const known = contexts.get(id);
  if (known) return known;
  const context = createSecureContext({
    minVersion: minVersion ?? "TLSv1.2",
    ciphers: "DEFAULT:@SECLEVEL=0",
    ...(isLegacy ? { secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT } : {}),
    ...(ca ? { ca } : {}),
    ...(certificate ? { cert: certificate, key: key ?? certificate } : {}),
  });
  if (contexts.size >= 100) contexts.delete(contexts.keys().next().value ?? "");
  contexts.set(id, context);
  return context;
}
