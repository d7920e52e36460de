/** Takes apart what people paste as a target: an address, `host:port`, or a URL. Pure. */

export interface TargetText {
  readonly host: string;
  readonly port?: number;
  readonly protocol?: string;
  /** Path and query of a URL of a web page. */
  readonly path?: string;
}

const portOf = (text: string | undefined): number | undefined => {
  const port = Number(text);
  return text !== undefined && /^\d{1,5}$/.test(text) && port > 0 && port < 65_536 ? port : undefined;
};

const withPort = (host: string, port: number | undefined): TargetText => ({
  host,
  ...(port !== undefined && { port }),
});

/** URL schemes that name a protocol otherwise than we do. */
const SCHEMES: Readonly<Record<string, string>> = {
  postgres: "postgresql",
  rediss: "redis",
  mongodb: "mongodb",
  sftp: "ssh",
  ws: "http",
  wss: "https",
};

/**
 * @param protocols names of the protocols that there are
 * @returns undefined where the text is nothing but a host name or an address
 */
export function takeApart(text: string, protocols: ReadonlySet<string>): TargetText | undefined {
  const trimmed = text.trim();
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.+)$/i.exec(trimmed) ?? [];
  if (scheme && rest) {
    const name = SCHEMES[scheme.toLowerCase()] ?? scheme.toLowerCase();
    const [, authority = "", path = ""] = /^([^/?#]*)([^#]*)/.exec(rest) ?? [];
    const target = hostAndPort(authority.replace(/^.*@/, ""));
    const isWeb = name === "http" || name === "https";
    return {
      ...target,
      ...(protocols.has(name) && { protocol: name }),
      ...(isWeb && path !== "" && path !== "/" && { path: path.startsWith("/") ? path : `/${path}` }),
    };
  }
  const target = hostAndPort(trimmed);
  return target.host === trimmed ? undefined : target;
}

function hostAndPort(text: string): TargetText {
  const [, bracketed, after] = /^\[([^\]]+)\](?::(\d+))?$/.exec(text) ?? [];
  if (bracketed) return withPort(bracketed, portOf(after));
  // More than one colon: an IPv6 address without brackets has no port.
  const [, host, port] = /^([^:]+):(\d+)$/.exec(text) ?? [];
  return host && portOf(port) !== undefined ? withPort(host, portOf(port)) : { host: text };
}
