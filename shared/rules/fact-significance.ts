/** What a new value of a fact means: something that people hear of, or something to record. Pure. */

/** `alert`: people are told. `record`: the new value is expected from now on, and only listed. `ignore`: not even that. */
export const FACT_RULES = ["alert", "record", "ignore"] as const;
export type FactRule = (typeof FACT_RULES)[number];

/** "OpenSSH_9.2p1 Debian-2" → name "OpenSSH", version [9, 2, 1]. */
function productOf(text: string): { readonly name: string; readonly version: readonly number[] } {
  const [, name = text, rest = ""] = /^([^\d]*?)[\s/_v-]*(\d.*)?$/s.exec(text) ?? [];
  const version = /^\d+(?:[.p]\d+)*/.exec(rest)?.[0] ?? "";
  return { name: name.toLowerCase(), version: version === "" ? [] : version.split(/[.p]/).map(Number) };
}

const isOlder = (a: readonly number[], b: readonly number[]): boolean => {
  for (let place = 0; place < Math.max(a.length, b.length); place++) {
    const difference = (a[place] ?? 0) - (b[place] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
};

/** Another product, or an older version, is told; an update is only recorded. */
function ofSoftware(from: readonly string[], to: string): FactRule {
  const present = productOf(to);
  const same = from.map(productOf).filter(({ name }) => name === present.name);
  if (same.length === 0) return "alert";
  return same.every(({ version }) => isOlder(present.version, version)) ? "alert" : "record";
}

/** The product alone: web servers tell their version or not as it pleases their configuration. */
function ofWebServer(from: readonly string[], to: string): FactRule {
  return from.some((value) => productOf(value).name === productOf(to).name) ? "record" : "alert";
}

/** Somebody plugged something in, or turned an interface on, where nothing was. All else of an interface is told by its verdicts. */
function ofInterface(key: string, from: readonly string[], to: string): FactRule {
  const isOpened = to === "up" && from.length > 0 && from.every((value) => value === "down");
  return isOpened && /\.(link|admin)$/.test(key) ? "alert" : "record";
}

const SOFTWARE = new Set(["software", "ssh.software"]);
/** A new key of a certificate is a renewal, which `tls.issuer` and `tls.names` watch over. */
const RECORDED = new Set(["tls.spki"]);

/** Facts that many services begin to have one day, or that a new version of ours reads: the first value says nothing. */
const BEGIN = new Set(["dns.addresses", "http.title", "http.server", ...SOFTWARE]);

/** By pattern, the first one that fits: `tls.*` stands for all keys that begin with `tls.`. */
const ruled = (rules: Readonly<Record<string, FactRule>>, key: string): FactRule | undefined =>
  Object.entries(rules).find(([pattern]) =>
    pattern.endsWith("*") ? key.startsWith(pattern.slice(0, -1)) : pattern === key,
  )?.[1];

/**
 * @param rules of the monitor, which come first
 * @param from values that were expected; none: the key is new
 * @param isPinned whether the settings say which values are expected: then no other one is, not even an update
 */
export function significanceOf(
  key: string,
  from: readonly string[],
  to: string,
  rules: Readonly<Record<string, FactRule>>,
  isPinned = false,
): FactRule {
  // A list that is read for the first time and has no ports says nothing new: those that closed stand in other lists.
  if (from.length === 0 && to === "" && key.startsWith("ports.")) return "ignore";
  const own = ruled(rules, key);
  if (own) return own;
  if (isPinned) return "alert";
  if (RECORDED.has(key) || (from.length === 0 && BEGIN.has(key))) return "record";
  // Ports that open and close are told by `ports.tcp`; another service on a port that stayed open is not.
  if (key.startsWith("service.")) return to === "" ? "ignore" : from.some((value) => value !== "") ? "alert" : "record";
  if (key.startsWith("if.")) return ofInterface(key, from, to);
  // A greeting that no longer names the software hides it.
  if (SOFTWARE.has(key)) return ofSoftware(from, to);
  return key === "http.server" ? ofWebServer(from, to) : "alert";
}
