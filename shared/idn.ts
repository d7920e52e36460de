/** Names with letters beyond ASCII (IDNA by UTS #46). */
import { domainToASCII } from "node:url";

/** A name as name servers and certificates know it, in its xn-- form. What is no such name stays as it is. */
export const asciiHost = (host: string): string => (/^[ -~]*$/.test(host) ? host : domainToASCII(host) || host);
