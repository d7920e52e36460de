/**
 * How this machine finds names: which names a short one may mean and how patiently name servers are asked
 * (resolv.conf(5)), and which sources count (nsswitch.conf(5)).
 */
import { lookup } from "node:dns/promises";
import { hostname } from "node:os";

export interface NameServiceFiles {
  readonly resolvConf: string;
  readonly nsswitch: string;
}
export const SYSTEM_FILES: NameServiceFiles = { resolvConf: "/etc/resolv.conf", nsswitch: "/etc/nsswitch.conf" };

export interface ResolvConf {
  /** Domains that complete a name. */
  readonly search: readonly string[];
  /** A name with so many dots is asked for as it is first. */
  readonly ndots: number;
  readonly asksForTopLevel: boolean;
  readonly timeoutMs: number | undefined;
  readonly attempts: number | undefined;
}

/** As glibc caps them. */
const MAX_NDOTS = 15;
const MAX_TIMEOUT_SECONDS = 30;
const MAX_ATTEMPTS = 5;
const MAX_SEARCH = 16;

/** @param ownName of the machine: without `search` and `domain` its domain completes names */
export function parseResolvConf(text: string, ownName = hostname()): ResolvConf {
  let search: readonly string[] = [ownName.replace(/^[^.]*\.?/, "")];
  const options = new Map<string, number>();
  for (const line of text.split("\n")) {
    // A comment begins its line, and the last of `search` and `domain` wins.
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

/** The names that one may mean, in the order in which they are asked for; with a dot at its end it means itself. */
export function candidatesOf(name: string, { search, ndots, asksForTopLevel }: ResolvConf): readonly string[] {
  if (name.endsWith(".")) return [name];
  const dots = name.split(".").length - 1;
  const completed = search.map((domain) => `${name}.${domain}`);
  if (dots >= ndots) return [name, ...completed];
  return dots === 0 && !asksForTopLevel ? completed : [...completed, name];
}

export interface Sources {
  /** What we ask ourselves, in this order. */
  readonly own: readonly ("files" | "dns")[];
  /** Whether there are more, which only the C library knows how to ask: mDNS, systemd-resolved, this machine's own name. */
  readonly hasOthers: boolean;
}

/** Without a line for hosts, and on systems without such a file, names come from the hosts file and then from name servers. */
export function parseNsswitch(text: string, platform: NodeJS.Platform = process.platform): Sources {
  const line = /^[ \t]*hosts:(.*)$/m.exec(text.replaceAll(/#.*/g, ""))?.[1];
  // macOS and Windows have no such file, and more sources than one knows.
  if (line === undefined) return { own: ["files", "dns"], hasOthers: platform !== "linux" };
  const names = line
    .replaceAll(/\[[^\]]*\]/g, " ")
    .trim()
    .split(/\s+/);
  const isOwn = (name: string): name is Sources["own"][number] => name === "files" || name === "dns";
  // systemd-resolved also listens as the name server that resolv.conf names.
  const own = new Set(names.map((name) => (name === "resolve" ? "dns" : name)).filter(isOwn));
  return { own: [...own], hasOthers: !names.every(isOwn) };
}

/** What a source of the machine has said is believed for so long where it cannot be asked again in time. */
const REMEMBERED_MS = 300_000;

export type AskSystem = (name: string, deadlineAt: number) => Promise<readonly string[]>;

/**
 * Asks the C library, which knows every source. One name at a time: a lookup holds one of the process's four threads,
 * for as long as the C library likes. Whose deadline passes while others are asked is answered from memory, where it is there.
 * @returns a function that answers with none for every kind of failure; its deadline is a `performance.now()`
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
    // Nobody waits for it any more: it must not hold up those behind it.
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
