/**
 * Parses this machine's resolver configuration: search list, timeout and attempts (resolv.conf(5)), and the order of name
 * sources (nsswitch.conf(5)). Asks the C library for sources that we do not implement, such as mDNS.
 */
import { lookup } from "node:dns/promises";
import { hostname } from "node:os";

export interface NameServiceFiles {
  readonly resolvConf: string;
  readonly nsswitch: string;
}
export const SYSTEM_FILES: NameServiceFiles = { resolvConf: "/etc/resolv.conf", nsswitch: "/etc/nsswitch.conf" };

export interface ResolvConf {
  /** Domains that are appended to a name. */
  readonly search: readonly string[];
  /** A name with at least this many dots is first asked for without appending a domain. */
  readonly ndots: number;
  readonly asksForTopLevel: boolean;
  readonly timeoutMs: number | undefined;
  readonly attempts: number | undefined;
}

/** glibc's limits. */
const MAX_NDOTS = 15;
const MAX_TIMEOUT_SECONDS = 30;
const MAX_ATTEMPTS = 5;
const MAX_SEARCH = 16;

/** @param ownName the machine's host name: without `search` and `domain` its domain is appended to names */
export function parseResolvConf(text: string, ownName = hostname()): ResolvConf {
  let search: readonly string[] = [ownName.replace(/^[^.]*\.?/, "")];
  const options = new Map<string, number>();
  for (const line of text.split("\n")) {
    // Comments start at the beginning of a line, and the last of `search` and `domain` wins.
    const [keyword, ...words] = /^[#;]/.test(line) ? [] : line.trim().split(/\s+/);
    if (keyword === "search") search = words;
    else if (keyword === "domain") search = words.slice(0, 1);
    else if (keyword === "options")
      for (const word of words) {
        const [name = "", value = ""] = word.split(":");
        options.set(name, /^\d{1,4}$/.test(value) ? Number(value) : 0);
      }
  }
  const bounded = (name: string, max: number) => {
    const value = options.get(name);
    return value === undefined ? undefined : Math.min(value, max);
  };
  const seconds = bounded("timeout", MAX_TIMEOUT_SECONDS);
  return {
    search: search
      .map((domain) => domain.replace(/^\.+|\.$/g, ""))
      .filter((domain) => domain !== "")
      .slice(0, MAX_SEARCH),
    ndots: bounded("ndots", MAX_NDOTS) ?? 1,
    asksForTopLevel: !options.has("no-tld-query") && !options.has("no_tld_query"),
    timeoutMs: seconds && 1000 * seconds,
    attempts: bounded("attempts", MAX_ATTEMPTS) || undefined,
  };
}

/** Applies the search list: the names to ask for, in order. A name that ends with a dot is asked for unchanged. */
export function candidatesOf(name: string, { search, ndots, asksForTopLevel }: ResolvConf): readonly string[] {
  if (name.endsWith(".")) return [name];
  const dots = name.split(".").length - 1;
  const completed = search.map((domain) => `${name}.${domain}`);
  if (dots >= ndots) return [name, ...completed];
  return dots === 0 && !asksForTopLevel ? completed : [...completed, name];
}

export interface Sources {
  /** Sources that the engine asks itself, in this order. */
  readonly own: readonly ("files" | "dns")[];
  /** Whether there are others, which only the C library can ask: mDNS, systemd-resolved, this machine's own name. */
  readonly hasOthers: boolean;
}

/** Parses the line for hosts. Without one, and without such a file, the hosts file comes first, then name servers. */
export function parseNsswitch(text: string, platform: NodeJS.Platform = process.platform): Sources {
  const line = /^[ \t]*hosts:(.*)$/m.exec(text.replaceAll(/#.*/g, ""))?.[1];
  // macOS and Windows have no such file, but further sources of their own.
  if (line === undefined) return { own: ["files", "dns"], hasOthers: platform !== "linux" };
  const names = line
    .replaceAll(/\[[^\]]*\]/g, " ")
    .trim()
    .split(/\s+/);
  const isOwn = (name: string): name is Sources["own"][number] => name === "files" || name === "dns";
  // systemd-resolved ("resolve") also listens as the name server in resolv.conf.
  const own = new Set(names.map((name) => (name === "resolve" ? "dns" : name)).filter(isOwn));
  return { own: [...own], hasOthers: !names.every(isOwn) };
}

/** The C library's last answer is used for so long when it cannot be asked again before the deadline. */
const REMEMBERED_MS = 300_000;

export type AskSystem = (name: string, deadlineAt: number) => Promise<readonly string[]>;

/**
 * Asks the C library (getaddrinfo), which knows every source. One name at a time, because a lookup blocks one of libuv's
 * four threads for as long as the C library takes. A name whose deadline passes meanwhile gets its last answer, if any.
 * @returns a function that returns an empty list for every kind of failure; its deadline is a `performance.now()`
 */
export function createAskSystem(find = (name: string) => lookup(name, { all: true, order: "verbatim" })): AskSystem {
  const remembered = new Map<string, { readonly addresses: readonly string[]; readonly until: number }>();
  let turn: Promise<unknown> = Promise.resolve();
  const ask = async (name: string) => {
    const addresses = (await find(name).catch(() => [])).map(({ address }) => address);
    if (remembered.size >= 10_000) remembered.clear();
    if (addresses.length === 0) remembered.delete(name);
    else remembered.set(name, { addresses, until: performance.now() + REMEMBERED_MS });
    return addresses;
  };
  const recall = (name: string) => {
    const known = remembered.get(name);
    return known && known.until > performance.now() ? known.addresses : [];
  };
  return async (name, deadlineAt) => {
    // After its deadline a name must not delay those queued behind it.
    const asked = turn.then(() => (performance.now() < deadlineAt ? ask(name) : recall(name)));
    turn = asked;
    const { promise: late, resolve } = Promise.withResolvers<readonly string[]>();
    const timer = setTimeout(() => resolve(recall(name)), Math.max(0, deadlineAt - performance.now()));
    try {
      return await Promise.race([asked, late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
