/** Validates mail addresses as SMTP accepts them (RFC 5321, section 4.1.2; atext: RFC 5322, section 3.2.3). */
import { isIPv4, isIPv6 } from "node:net";

/** RFC 5321, section 4.5.3.1: a path has at most 256 characters with its angle brackets, a local part 64. */
export const MAX_ADDRESS_LENGTH = 254;
const MAX_LOCAL_LENGTH = 64;

const DOT_STRING = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const QUOTED_STRING = /^"([ !#-[\]-~]|\\[ -~])*"$/;
/** At least two labels: Internet mail needs a fully qualified domain (RFC 5321, section 2.3.5). */
const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

const isLiteral = (domain: string): boolean => {
  const [, tag, address = ""] = /^\[(IPv6:)?([0-9a-f.:]+)\]$/i.exec(domain) ?? [];
  return tag ? isIPv6(address) : isIPv4(address);
};

/** ASCII only: an internationalised domain must be in its xn-- form. */
export const isMailAddress = (text: string): boolean => {
  const at = text.lastIndexOf("@");
  const [local, domain] = [text.slice(0, Math.max(0, at)), text.slice(at + 1)];
  return (
    text.length <= MAX_ADDRESS_LENGTH &&
    local.length <= MAX_LOCAL_LENGTH &&
    (DOT_STRING.test(local) || QUOTED_STRING.test(local)) &&
    (DOMAIN.test(domain) || isLiteral(domain))
  );
};
