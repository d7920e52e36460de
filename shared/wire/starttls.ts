/** Upgrades a connection by STARTTLS, for every protocol that has it. */

import type { Connection, TlsOptions } from "../contract/connection.ts";
import { ProbeFailure } from "../contract/protocol.ts";
import { printable } from "./cursor.ts";
import type { StartTlsMode } from "./settings.ts";

/** Capabilities are case-insensitive (RFC 5321, section 4.1.1.1; RFC 9051, section 9; RFC 3977, section 3.3.1). @param keyword in capitals */
export const isAmong = (keyword: string, capabilities: readonly string[]): boolean =>
  capabilities.some((capability) => capability.toUpperCase() === keyword);

/**
 * Upgrades the connection to TLS where the settings ask for it and the server agrees.
 * @param offered whether the server lists STARTTLS among its capabilities
 * @param request asks the server for TLS; returns undefined when it agreed, else its refusal
 * @returns whether the connection is inside TLS now
 * @throws ProbeFailure `tls-not-offered` when TLS is required and the server does not offer it
 */
export const upgradeToTls = async (
  connection: Connection,
  settings: { readonly starttls: StartTlsMode; readonly tls?: TlsOptions | undefined },
  offered: boolean,
  request: () => Promise<string | undefined>,
): Promise<boolean> => {
  if (settings.starttls === "off") return false;
  const refusal = offered ? await request() : "not among its capabilities";
  if (refusal === undefined) {
    await connection.startTls(settings.tls);
    return true;
  }
  if (settings.starttls === "required")
    throw new ProbeFailure(
      "tls-not-offered",
      `TLS is required, and the server does not offer it: ${printable(refusal)}`,
      {
        state: "tls-error",
      },
    );
  return false;
};
