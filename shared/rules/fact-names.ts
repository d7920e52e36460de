/** Names of facts for people, and their values. Pure, and small: the dashboard needs nothing else of the words of changes. */

/** Keys of facts; names of interfaces such as `Gi1/0/7` are parts of some. */
export const FACT_KEY = /^[a-z][A-Za-z0-9./:_-]{0,59}$/;

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
  "snmp.name": "name of the SNMP agent",
  "ports.udp": "list of open UDP ports",
  "snmp.description": "description of the SNMP agent",
};

/** What is said of an interface. */
const ASPECTS: Readonly<Record<string, string>> = {
  link: "link",
  speed: "speed in Mb/s",
  duplex: "duplex",
  admin: "setting (up or down)",
};

/** "host key (ssh-ed25519)", "header strict-transport-security", "list of open ports". */
export function nameOfFact(key: string): string {
  const named = NAMES[key];
  if (named) return named;
  const hostKey = /^ssh\.hostKey\.(.+)$/.exec(key)?.[1];
  if (hostKey) return `SSH host key (${hostKey})`;
  const service = /^service\.(\d+)$/.exec(key)?.[1];
  if (service) return `service on port ${service}`;
  const network = /^ports\.tcp\.([\d.]+)-(\d+)$/.exec(key);
  if (network) return `list of open ports in ${network[1]}/${network[2]}`;
  const [, name, what = ""] = /^if\.(.+)\.(link|speed|duplex|admin)$/.exec(key) ?? [];
  if (name) return `${ASPECTS[what]} of interface ${name}`;
  const header = /^http\.header\.(.+)$/.exec(key)?.[1];
  if (header) return `header ${header}`;
  const [ports, address] = /^ports\.tcp(?:\.(.+))?$/.exec(key) ?? [];
  if (ports) return `list of open ports${address === undefined ? "" : ` of ${address}`}`;
  return key;
}

export const NO_PORTS = "no open ports";
/** "no open ports" of an empty list of ports; else the value, or "missing" where the service does not say it. */
export const valueOfFact = (key: string, value: string): string =>
  value !== "" ? value : key.startsWith("ports.") ? NO_PORTS : "missing";
