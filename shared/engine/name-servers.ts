/** Sends DNS queries, and records when the resolver last answered, to tell a failing name from a failing resolver. */
import { Resolver } from "node:dns/promises";
import type { Family } from "../model.ts";
import { explainName } from "./failure.ts";
import type { Answer } from "./name-answers.ts";
import { cached } from "./name-cache.ts";
import type { ResolvConf } from "./name-service.ts";
import { createTurns } from "./query-turns.ts";
import type { TimerWheel } from "./timer-wheel.ts";

/** Timeout of a query's first try, after which c-ares retries. Longer than a slow resolver takes. */
const QUERY_TIMEOUT_MS = 2_000;
const QUERY_TRIES = 3;

const SIMPLE: Pick<ResolvConf, "timeoutMs" | "attempts"> = { timeoutMs: undefined, attempts: undefined };

/** When the resolver last answered, and how: `performance.now()`, minus infinity for never. */
export interface ResolverSeen {
  /** Any answer, also that a name does not exist. */
  readonly answerAt: number;
  /** A refusal of the control query: some resolvers refuse queries for the root. */
  readonly refusalAt: number;
  /** An answer with an address. */
  readonly foundAt: number;
}

export interface NameServers {
  readonly seen: ResolverSeen;
  /** Returns the answer, from the cache if it is there; `timeout` when the deadline (`performance.now()`) comes first. */
  lookUp(name: string, family: Family, deadlineAt: number): Promise<Answer>;
  /** Control query: asks for the root's name servers, which every resolver knows. Records an answer or a refusal in `seen`. */
  askControl(): Promise<Answer["kind"]>;
  /** The control query, or `timeout` when the deadline comes first. */
  askControlBy(deadlineAt: number): Promise<Answer["kind"]>;
  /** Cancels running queries once no caller waits for any of them. */
  release(): void;
}

interface Options {
  readonly wheel: TimerWheel;
  /** `address` or `address:port`. Default: the system's. */
  readonly servers: readonly string[] | undefined;
  /** Returns the machine's current configuration; null where it is not followed. */
  readonly resolvConf: (() => ResolvConf) | null;
}

export function createNameServers({ wheel, servers, resolvConf }: Options): NameServers {
  const createResolver = ({ timeoutMs = QUERY_TIMEOUT_MS, attempts = QUERY_TRIES } = SIMPLE) => {
    const made = new Resolver({ timeout: Math.min(timeoutMs, QUERY_TIMEOUT_MS), tries: attempts });
    if (servers) made.setServers(servers);
    return made;
  };
  let conf = resolvConf?.();
  let resolver = createResolver(conf);
  /** A new resolver after the machine's configuration changed, because c-ares reads the name servers only once. */
  const currentResolver = (): Resolver => {
    const now = resolvConf?.();
    if (now !== conf) {
      conf = now;
      resolver = createResolver(now);
    }
    return resolver;
  };
  const seen = {
    answerAt: Number.NEGATIVE_INFINITY,
    refusalAt: Number.NEGATIVE_INFINITY,
    foundAt: Number.NEGATIVE_INFINITY,
  };
  const turn = createTurns(wheel);
  let control: Promise<Answer["kind"]> | undefined;
  let waiting = 0;
  let running = 0;

  const query = cached(async (name, family): Promise<Answer> => {
    running += 1;
    try {
      await turn();
      const asked = currentResolver();
      const found =
        family === "ipv4" ? await asked.resolve4(name, { ttl: true }) : await asked.resolve6(name, { ttl: true });
      seen.answerAt = performance.now();
      seen.foundAt = seen.answerAt;
      const ttlMs = 1000 * Math.min(...found.map(({ ttl }) => ttl));
      return { kind: "found", addresses: found.map(({ address }) => address), ttlMs };
    } catch (error) {
      const kind = explainName(error);
      if (kind === "no-name" || kind === "no-address") seen.answerAt = performance.now();
      return { kind };
    } finally {
      running -= 1;
    }
  });

  const askControl = () => {
    control ??= currentResolver()
      .resolveNs(".")
      .then(
        () => "found" as const,
        (error: unknown) => explainName(error),
      )
      .then((kind) => {
        if (["found", "no-name", "no-address"].includes(kind)) seen.answerAt = performance.now();
        if (kind === "refused") seen.refusalAt = performance.now();
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

  return {
    seen,
    async lookUp(name, family, deadlineAt) {
      const answer = await within(query(name, family), deadlineAt);
      return answer === "timeout" ? { kind: "timeout" } : answer;
    },
    askControl,
    askControlBy: (deadlineAt) => within(askControl(), deadlineAt),
    release() {
      if (waiting === 0 && running > 0) resolver.cancel();
    },
  };
}
