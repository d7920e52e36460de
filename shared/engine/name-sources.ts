/** Asks the machine's name sources in its own order (nsswitch): hosts file, name servers with the search list, then all others. */
import { isIP } from "node:net";
import type { Family } from "../model.ts";
import { type Answer, FAMILY, isFound, type Wanted, withFamily } from "./name-answers.ts";
import type { NameServers } from "./name-servers.ts";
import { type AskSystem, candidatesOf, type ResolvConf, type Sources } from "./name-service.ts";
import type { Routes } from "./routes.ts";

const EVERYWHERE: Sources = { own: ["files", "dns"], hasOthers: false };

interface Options {
  readonly nameServers: Pick<NameServers, "lookUp">;
  readonly hosts: (name: string) => readonly string[];
  /** Returns the machine's current configuration; null where names are asked for unchanged. */
  readonly resolvConf: (() => ResolvConf) | null;
  readonly sources: (() => Sources) | null;
  readonly routes: Routes | null;
  readonly askSystem: AskSystem;
}

/** @param deadlineAt `performance.now()` */
export type AskSources = (wanted: Wanted, host: string, deadlineAt: number) => Promise<readonly Answer[]>;

export function createSources({
  nameServers: { lookUp },
  hosts,
  resolvConf,
  sources,
  routes,
  askSystem,
}: Options): AskSources {
  const hasRoute = async ({ addresses }: Extract<Answer, { kind: "found" }>): Promise<boolean> => {
    if (!routes) return true;
    const found = await Promise.all(addresses.map(withFamily).map(routes.hasRoute));
    return found.includes(true);
  };

  /** Asks family by family until one has a reachable address; with `isAll` asks for all families at once. */
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

  /** Asks for the name and its completions by the machine's search list, until one has an address. */
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

  /** Asks the hosts file and name servers one after another, until one has an address. */
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
      // If the monitor demands one family and the file has only the other, the next source may have it.
      if (listed.length > 0 && (!wanted.isOnly || said.some(isFound))) return said;
    }
    return answers;
  };

  /** Asks our own sources, then the machine's others; both at once for `.local`, which mDNS answers (RFC 6762). */
  return async (wanted, host, deadlineAt) => {
    const present = sources?.() ?? EVERYWHERE;
    if (!present.hasOthers) return askOwn(wanted, host, deadlineAt, present);
    const askOthers = async () => byFamily(await askSystem(host, deadlineAt), wanted);
    const others = /\.local\.?$/i.test(host) ? askOthers() : undefined;
    const own = askOwn(wanted, host, deadlineAt, present);
    // If the others find the name first, a later failure of ours must not become an unhandled rejection.
    own.catch(() => undefined);
    const early = others ? await Promise.race([own, others]) : await own;
    if (early.some(isFound)) return early;
    const last = await (others ?? askOthers());
    return last.some(isFound) ? last : own;
  };
}

const byFamily = (addresses: readonly string[], { families: wanted }: Wanted): readonly Answer[] =>
  wanted.map((family: Family): Answer => {
    const fitting = addresses.filter((address) => isIP(address) === FAMILY[family]);
    return fitting.length > 0 ? { kind: "found", addresses: fitting, ttlMs: 0 } : { kind: "no-address" };
  });
