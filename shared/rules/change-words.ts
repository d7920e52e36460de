/** What a change is, in words for people. Pure. */
import { formatPorts, parsePorts } from "../port-list.ts";

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
  const service = /^service\.(\d+)$/.exec(key)?.[1];
  if (service) return `service on port ${service}`;
  const network = /^ports\.tcp\.([\d.]+)-(\d+)$/.exec(key);
  if (network) return `list of open ports in ${network[1]}/${network[2]}`;
  const header = /^http\.header\.(.+)$/.exec(key)?.[1];
  return header ? `header ${header}` : key;
}

const quoted = (value: string) => (value === "" ? "missing" : value);

/** "port 8080 is open now on 203.0.113.5"; undefined for other facts, and for lists that are too long to be compared. */
function describePorts(key: string, value: string, from: readonly string[]): string | undefined {
  const address = /^ports\.tcp(?:\.(.+))?$/.exec(key);
  if (!address) return undefined;
  const [is, ...was] = [value, ...from].map((text) => (text === "" ? [] : parsePorts(text)));
  if (typeof is === "string" || is === undefined || was.some((ports) => typeof ports === "string")) return undefined;
  const before = was.flat() as number[];
  const say = (ports: readonly number[], what: string) =>
    ports.length === 0
      ? []
      : [`port${ports.length === 1 ? "" : "s"} ${formatPorts(ports)} ${ports.length === 1 ? "is" : "are"} ${what}`];
  const said = [
    ...say(
      is.filter((port) => !before.includes(port)),
      "open now",
    ),
    ...say(
      before.filter((port) => !is.includes(port)),
      "no longer open",
    ),
  ];
  const where = address[1] === undefined ? "" : ` on ${address[1]}`;
  return said.length === 0 ? undefined : `${said.join(" and ")}${where} (open: ${value === "" ? "none" : value})`;
}

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
  const ports = describePorts(key, value, from);
  if (ports) return ports;
  const before = from.length === 0 ? "" : `, not ${from.map(quoted).join(" or ")}`;
  return `${nameOfFact(key)} is now ${quoted(value)}${before}`;
}
