/**
 * Names to addresses, with a deadline of our own. `dns.lookup` runs four slow names at a time on libuv's threads and turned 192
 * of 200 healthy targets into timeouts; `Resolver` asks all of them at once.
 *
 * A failure is told apart from a fault of ours: while the resolver answers anything else, a name that fails is the
 * name's own trouble (`unresolved`); when it answers nothing, nothing was measured.
 */
import { Resolver } from "node:dns/promises";
import { isIP, SocketAddress } from "node:net";
import type { CheckSettings, Evidence, Family } from "../model.ts";
import { explainName, type Failure } from "./failure.ts";
import { freshFile } from "./fresh-file.ts";
import { createHosts } from "./hosts.ts";
import {
  type AskSystem,
  candidatesOf,
  createAskSystem,
  type NameServiceFiles,
  parseNsswitch,
  parseResolvConf,
  type ResolvConf,
  type Sources,
} from "./name-service.ts";
import { createRoutes, type Routes } from "./routes.ts";
import type { TimerWheel } from "./timer-wheel.ts";

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

export interface Resolved {
  /** At least one, in the order in which they are to be used. */
  readonly addresses: readonly Address[];
  /** Addresses of families that this location does not reach; only looked for with `addresses: all`. */
  readonly skipped: readonly string[];
  /** Absent for literals. */
  readonly dnsMs?: number;
}

export interface Names {
  /** At once for literals. */
  resolve(
    check: Pick<CheckSettings, "host" | "family" | "addresses">,
    timeoutMs: number,
  ): Resolution | Promise<Resolution>;
  /** To be called when a batch has ended: gives up queries that nobody waits for any more. */
  release(): void;
}

export type Resolution = Resolved | (Failure & { readonly dnsMs?: number });

export interface NamesOptions {
  /** What the location reaches; the first is preferred. */
  readonly families: readonly Family[];
  readonly wheel: TimerWheel;
  /** `address` or `address:port` of name servers. Default: the system's. */
  readonly servers?: readonly string[];
  /** Looked into before any name server; null for none, as on Lambda. */
  readonly hostsFile: string | null;
  /** How this machine finds names and routes, to be followed; null where names mean themselves, as on Lambda. */
  readonly machine: {
    readonly files: NameServiceFiles;
    readonly routes?: Routes;
    readonly askSystem?: AskSystem;
  } | null;
}

/** First wait of one query; c-ares asks again after it. Longer than a slow resolver takes. */
const QUERY_TIMEOUT_MS = 2_000;
const QUERY_TRIES = 3;
/** One query per name and tick, whatever its TTL: less than the shortest interval. */
const SHORTEST_CACHE_MS = 5_000;
/** A moved service is noticed within minutes even where its TTL says a day. */
const LONGEST_CACHE_MS = 300_000;
/** A retry has to ask again. */
const FAILURE_CACHE_MS = 500;
/**
 * Queries leave in small groups: a socket buffer holds some 270 datagrams, and a thousand at once lose most of theirs, on the way
 * there or back. A thousand names take 0.8 s to ask.
 */
const QUERIES_PER_TURN = 50;
const TURN_MS = 20;
/** With no answer to anything for so long, the resolver itself is asked whether it is there. */
const CONTROL_AFTER_MS = 300;

type Answer =
  | { readonly kind: "found"; readonly addresses: readonly string[]; readonly ttlMs: number }
  | { readonly kind: ReturnType<typeof explainName> };

interface CacheEntry {
  readonly answer: Promise<Answer>;
  /** `performance.now()`; infinite while the query runs. */
  expiresAt: number;
}

const FAMILY = { ipv4: 4, ipv6: 6 } as const;
const ALL_FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

const SIMPLE: Pick<ResolvConf, "timeoutMs" | "attempts"> = { timeoutMs: undefined, attempts: undefined };

export function createNames({ families, wheel, servers, hostsFile, machine }: NamesOptions): Names {
  const resolvConf = machine && freshFile(machine.files.resolvConf, parseResolvConf);
  const sources = machine && freshFile(machine.files.nsswitch, parseNsswitch);
  const routes = machine && (machine.routes ?? createRoutes());
  const hosts = createHosts(hostsFile);
  const askSystem = machine?.askSystem ?? createAskSystem();
  const createResolver = ({ timeoutMs = QUERY_TIMEOUT_MS, attempts = QUERY_TRIES } = SIMPLE) => {
    const made = new Resolver({ timeout: Math.min(timeoutMs, QUERY_TIMEOUT_MS), tries: attempts });
    if (servers) made.setServers(servers);
    return made;
  };
  let conf = resolvConf?.();
  let resolver = createResolver(conf);
  /** Another one when the machine's configuration has changed: it reads its name servers only once. */
  const currentResolver = (): Resolver => {
    const now = resolvConf?.();
    if (now !== conf) {
      conf = now;
      resolver = createResolver(now);
    }
    return resolver;
  };
  const cache = new Map<string, CacheEntry>();
  let lastAnswerAt = Number.NEGATIVE_INFINITY;
  /** Of the control query: some resolvers keep the root to themselves. */
  let lastRefusalAt = Number.NEGATIVE_INFINITY;
  let lastFoundAt = Number.NEGATIVE_INFINITY;
  let control: Promise<Answer["kind"]> | undefined;
  let waiting = 0;
  let running = 0;
  const leaving: (() => void)[] = [];
  let leftInTurn = 0;
  let turning = false;

  /** Lets the next group leave, and the one after it a turn later: from here, not from a clock, so that a stall makes no burst. */
  const leave = () => {
    leftInTurn = QUERIES_PER_TURN;
    while (leaving.length > 0 && leftInTurn > 0) {
      leftInTurn -= 1;
      leaving.shift()?.();
    }
    turning = leaving.length > 0 || leftInTurn < QUERIES_PER_TURN;
    if (turning) wheel.after(TURN_MS, leave);
  };
  /** Waits for this query's turn to leave; the first ones need not. */
  const turn = (): Promise<void> | undefined => {
    if (!turning) {
      turning = true;
      leftInTurn = QUERIES_PER_TURN;
      wheel.after(TURN_MS, leave);
    }
    if (leftInTurn > 0 && leaving.length === 0) {
      leftInTurn -= 1;
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    leaving.push(resolve);
    return promise;
  };

  const ask = async (name: string, family: Family): Promise<Answer> => {
    running += 1;
    try {
      await turn();
      const asked = currentResolver();
      const found =
        family === "ipv4" ? await asked.resolve4(name, { ttl: true }) : await asked.resolve6(name, { ttl: true });
      lastAnswerAt = performance.now();
      lastFoundAt = lastAnswerAt;
      const ttlMs = 1000 * Math.min(...found.map(({ ttl }) => ttl));
      return { kind: "found", addresses: found.map(({ address }) => address), ttlMs };
    } catch (error) {
      const kind = explainName(error);
      if (kind === "no-name" || kind === "no-address") lastAnswerAt = performance.now();
      return { kind };
    } finally {
      running -= 1;
    }
  };

  const query = (name: string, family: Family): Promise<Answer> => {
    const key = `${family} ${name.toLowerCase()}`;
    const known = cache.get(key);
    if (known && performance.now() < known.expiresAt) return known.answer;
    const entry: CacheEntry = { answer: ask(name, family), expiresAt: Number.POSITIVE_INFINITY };
    if (cache.size >= 10_000) cache.clear();
    cache.set(key, entry);
    void entry.answer.then((answer) => {
      const keepMs =
        answer.kind === "found"
          ? Math.min(Math.max(answer.ttlMs, SHORTEST_CACHE_MS), LONGEST_CACHE_MS)
          : FAILURE_CACHE_MS;
      entry.expiresAt = performance.now() + keepMs;
    });
    return entry.answer;
  };

  /** Asks for the root's name servers, which every resolver knows. Any answer to it counts; a refusal counts apart. */
  const askControl = () => {
    control ??= currentResolver()
      .resolveNs(".")
      .then(
        () => "found" as const,
        (error: unknown) => explainName(error),
      )
      .then((kind) => {
        if (["found", "no-name", "no-address"].includes(kind)) lastAnswerAt = performance.now();
        if (kind === "refused") lastRefusalAt = performance.now();
        control = undefined;
        return kind;
      });
    return control;
  };

  /** The answer, or `timeout` when the deadline comes first. */
  const within = async <T>(promise: Promise<T>, deadlineAt: number): Promise<T | "timeout"> => {
    waiting += 1;
    const { promise: deadline, resolve } = Promise.withResolvers<"timeout">();
    const timer = wheel.after(Math.max(0, deadlineAt - performance.now()), () => resolve("timeout"));
    try {
      return await Promise.race([promise, deadline]);
    } finally {
      timer.cancel();
      waiting -= 1;
    }
  };

  const lookUp = async (name: string, family: Family, deadlineAt: number): Promise<Answer> => {
    const answer = await within(query(name, family), deadlineAt);
    return answer === "timeout" ? { kind: "timeout" } : answer;
  };

  const hasRoute = async ({ addresses }: Extract<Answer, { kind: "found" }>): Promise<boolean> => {
    if (!routes) return true;
    const found = await Promise.all(addresses.map(withFamily).map(routes.hasRoute));
    return found.includes(true);
  };

  /** Family by family, until one has an address that can be reached, or all of them. */
  const lookUpFamilies = async ({ families: wanted, isAll }: Wanted, name: string, deadlineAt: number) => {
    if (isAll) return Promise.all(wanted.map((family) => lookUp(name, family, deadlineAt)));
    const answers: Answer[] = [];
    for (const [at, family] of wanted.entries()) {
      const answer = await lookUp(name, family, deadlineAt);
      answers.push(answer);
      if (answer.kind === "found" && (at === wanted.length - 1 || (await hasRoute(answer)))) break;
    }
    return answers;
  };

  /** The name itself, and what the machine's search list makes of it: the first that has an address. */
  const askServers = async (wanted: Wanted, host: string, deadlineAt: number): Promise<readonly Answer[]> => {
    const answers: Answer[] = [];
    const now = resolvConf?.();
    for (const name of now ? candidatesOf(host, now) : [host]) {
      const found = await lookUpFamilies(wanted, name, deadlineAt);
      if (found.some(isFound)) return found;
      answers.push(...found);
      if (found.some(({ kind }) => kind === "timeout" || kind === "cancelled")) break;
    }
    return answers;
  };

  const byFamily = (addresses: readonly string[], { families: wanted }: Wanted): readonly Answer[] =>
    wanted.map((family): Answer => {
      const fitting = addresses.filter((address) => isIP(address) === FAMILY[family]);
      return fitting.length > 0 ? { kind: "found", addresses: fitting, ttlMs: 0 } : { kind: "no-address" };
    });

  /** What the hosts file and name servers say, one after another, until one has an address. */
  const askOwn = async (wanted: Wanted, host: string, deadlineAt: number, { own }: Sources) => {
    const answers: Answer[] = [];
    for (const source of own) {
      if (source === "dns") {
        const said = await askServers(wanted, host, deadlineAt);
        if (said.some(isFound)) return said;
        answers.push(...said);
        continue;
      }
      const listed = hosts(host);
      const said = byFamily(listed, wanted);
      // For a family that was asked for, what the file has of the other one is nothing: the next source may have it.
      if (listed.length > 0 && (!wanted.isOnly || said.some(isFound))) return said;
    }
    return answers;
  };

  /** Those, and the machine's other sources where they know nothing; both at once for `.local`, which mDNS answers (RFC 6762). */
  const askSources = async (wanted: Wanted, host: string, deadlineAt: number): Promise<readonly Answer[]> => {
    const present = sources?.() ?? EVERYWHERE;
    if (!present.hasOthers) return askOwn(wanted, host, deadlineAt, present);
    const askOthers = async () => byFamily(await askSystem(host, deadlineAt), wanted);
    const others = /\.local\.?$/i.test(host) ? askOthers() : undefined;
    const own = askOwn(wanted, host, deadlineAt, present);
    // Where the others have the name, what ours still stumbles over is nobody's answer.
    own.catch(() => undefined);
    const early = others ? await Promise.race([own, others]) : await own;
    if (early.some(isFound)) return early;
    const last = await (others ?? askOthers());
    return last.some(isFound) ? last : own;
  };

  /** What it means that no address was found, in the time that is left to find out. */
  const explainMissing = async (
    name: string,
    answers: readonly Answer[],
    others: readonly Family[],
    startedAt: number,
    deadlineAt: number,
  ): Promise<Failure> => {
    const kinds = answers.map(({ kind }) => kind);
    const isRefused = kinds.includes("server-failure") || kinds.includes("refused");
    if (isRefused || kinds.includes("timeout") || kinds.includes("cancelled")) {
      if (lastAnswerAt < startedAt) await within(askControl(), deadlineAt);
      const isServing = kinds.includes("refused") ? lastAnswerAt : Math.max(lastAnswerAt, lastRefusalAt);
      if (isServing < startedAt)
        return failure(
          "unmeasured",
          "resolver-unavailable",
          kinds.includes("refused")
            ? `${name} not checked: the name server refuses to answer this machine`
            : `${name} not checked: no name server answers`,
        );
      return isRefused
        ? failure("unresolved", "name-server-failure", `${name} does not resolve: its name servers fail`)
        : failure("unresolved", "name-timeout", `${name} does not resolve in time, while other names do`);
    }
    if (!kinds.includes("no-address")) {
      // Whoever says that not even the root exists knows nothing of names.
      if (lastFoundAt < startedAt && (await within(askControl(), deadlineAt)) === "no-name")
        return failure(
          "unmeasured",
          "resolver-unavailable",
          `${name} not checked: the name server says of every name that it does not exist`,
        );
      return failure("unresolved", "name-not-found", `${name} does not exist (NXDOMAIN)`);
    }
    const skipped = await addressesOf(name, others, deadlineAt);
    return skipped.length > 0
      ? unreachableFamily(name, skipped)
      : failure("unresolved", "name-has-no-address", `${name} exists and has no address`);
  };

  const addressesOf = async (name: string, wanted: readonly Family[], deadlineAt: number) => {
    const answers = await askSources({ families: wanted, isAll: true, isOnly: false }, name, deadlineAt);
    return answers.flatMap((answer) => (answer.kind === "found" ? answer.addresses : []));
  };

  const resolveName = async (
    { host, family, addresses: mode }: Parameters<Names["resolve"]>[0],
    wanted: readonly Family[],
    timeoutMs: number,
  ): Promise<Resolution> => {
    const others = family === "auto" ? ALL_FAMILIES.filter((one) => !families.includes(one)) : [];
    const startedAt = performance.now();
    const deadlineAt = startedAt + timeoutMs;
    const nudge = wheel.after(CONTROL_AFTER_MS, () => {
      if (Math.max(lastAnswerAt, lastRefusalAt) < startedAt) void askControl();
    });
    const [answers, skipped] = await Promise.all([
      askSources({ families: wanted, isAll: mode === "all", isOnly: family !== "auto" }, host, deadlineAt),
      mode === "all" ? addressesOf(host, others, deadlineAt) : [],
    ]);
    const found = answers.flatMap((answer) => (answer.kind === "found" ? answer.addresses.map(withFamily) : []));
    const addresses = routes ? await routes.order(found) : found;
    const missing = addresses.length === 0 && (await explainMissing(host, answers, others, startedAt, deadlineAt));
    nudge.cancel();
    const dnsMs = performance.now() - startedAt;
    return missing ? { ...missing, dnsMs } : { addresses, skipped, dnsMs };
  };

  return {
    resolve(check, timeoutMs) {
      const wanted = check.family === "auto" ? families : families.filter((family) => family === check.family);
      if (isIP(check.host) !== 0) return literal(check.host, wanted);
      if (wanted.length === 0) return unreachableFamily(check.host, []);
      return resolveName(check, wanted, timeoutMs);
    },
    release() {
      if (waiting === 0 && running > 0) resolver.cancel();
    },
  };
}

/** What is looked for. `isOnly`: the monitor asks for this one family. */
interface Wanted {
  readonly families: readonly Family[];
  readonly isAll: boolean;
  readonly isOnly: boolean;
}

const EVERYWHERE: Sources = { own: ["files", "dns"], hasOthers: false };

const isFound = ({ kind }: Answer): boolean => kind === "found";

const withFamily = (address: string): Address => ({ address, family: isIP(address) === 6 ? 6 : 4 });

function literal(host: string, wanted: readonly Family[]): Resolved | Failure {
  // In one spelling (RFC 5952): what answers is told by its address.
  const isLong = isIP(host) === 6 && !host.includes("%");
  const address = withFamily(isLong ? new SocketAddress({ address: host, family: "ipv6" }).address : host);
  return wanted.some((family) => FAMILY[family] === address.family)
    ? { addresses: [address], skipped: [] }
    : unreachableFamily(host, [host]);
}

function unreachableFamily(host: string, skipped: readonly string[]): Failure {
  return {
    ...failure(
      "unmeasured",
      "address-family-unavailable",
      `${host} not checked: this location does not reach addresses of its family`,
    ),
    evidence: skipped.length > 0 ? { skippedAddresses: skipped.slice(0, 16) } : {},
  };
}

const failure = (
  state: Failure["state"],
  reason: Failure["reason"],
  message: string,
): Failure & { evidence?: Evidence } => ({ state, reason, message });
