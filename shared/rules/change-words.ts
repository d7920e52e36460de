/** What a change is, in words for people. Pure. */

const NAMES: Readonly<Record<string, string>> = {
  software: "software",
  "ssh.software": "SSH software",
  "tls.issuer": "issuer of the certificate",
  "tls.names": "names in the certificate",
  "tls.key": "key of the certificate",
  "tls.version": "TLS version",
  "tls.trust": "trust in the certificate",
  "tls.spki": "public key of the certificate",
  "http.status": "class of the HTTP status",
  "http.server": "web server",
  "http.redirect": "target of the redirect",
  "http.title": "title of the page",
  "dns.addresses": "network of the name's addresses",
  "redis.access": "access without a password",
  "memcached.access": "access without a login",
  "snmp.engineId": "SNMP engine",
  "snmp.description": "description of the SNMP agent",
};

/** "host key (ssh-ed25519)", "header strict-transport-security". */
export function nameOfFact(key: string): string {
  const named = NAMES[key];
  if (named) return named;
  const hostKey = /^ssh\.hostKey\.(.+)$/.exec(key)?.[1];
  if (hostKey) return `SSH host key (${hostKey})`;
  const header = /^http\.header\.(.+)$/.exec(key)?.[1];
  return header ? `header ${header}` : key;
}

const quoted = (value: string) => (value === "" ? "missing" : value);

/** "SSH host key (ssh-ed25519) is now SHA256:cd…, not SHA256:ab…". */
export function describeChange({
  key,
  value,
  from,
}: {
  readonly key: string;
  readonly value: string;
  readonly from: readonly string[];
}): string {
  const before = from.length === 0 ? "" : `, not ${from.map(quoted).join(" or ")}`;
  return `${nameOfFact(key)} is now ${quoted(value)}${before}`;
}
