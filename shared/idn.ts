/** Internationalised domain names (IDNA, UTS #46). */
import { domainToASCII } from "node:url";

/**
 * Converts a host name to its ASCII form (xn--), as DNS and certificates use it. Invalid names are returned unchanged.
 */
export const asciiHost = (host: string): string => (/^[ -~]*$/.test(host) ? host : domainToASCII(host) || host);
