/**
 * Resolves names to addresses, with a deadline. `dns.lookup` runs at most four lookups at a time on libuv's threads, and
 * four slow names turned 192 of 200 healthy targets into timeouts; `Resolver` asks for all names at once.
 *
 * A failing name is told apart from a failing resolver: if the resolver answers other queries meanwhile, the name is at
 * fault (`unresolved`); if it answers nothing, the check says nothing about the target (`unmeasured`).
 */
import { isIP, SocketAddress } from "node:net";
import type { CheckSettings, Evidence, Family } from "../model.ts";
import type { Failure } from "./failure.ts";
import { freshFile } from "./fresh-file.ts";
import { createHosts } from "./hosts.ts";
import { type Address, type Answer, addressesIn, FAMILY, withFamily } from "./name-answers.ts";
import { createNameServers } from "./name-servers.ts";
import {
  type AskSystem,
  createAskSystem,
  type NameServiceFiles,
  parseNsswitch,
  parseResolvConf,
} from "./name-service.ts";
import { createSources } from "./name-sources.ts";
import { createRoutes, type Routes } from "./routes.ts";
import type { TimerWheel } from "./timer-wheel.ts";

export interface Resolved {
  /** At least one, the preferred one first. */
  readonly addresses: readonly Address[];
  /** Addresses of families that this location does not reach; looked up only with `addresses: all`. */
  readonly skipped: readonly string[];
  /** Absent for literals. */
  readonly dnsMs?: number;
}

export interface Names {
  /** Resolves a check's host; returns without a promise for literal addresses. */
  resolve(
    check: Pick<CheckSettings, "host" | "family" | "addresses">,
    timeoutMs: number,
  ): Resolution | Promise<Resolution>;
  /** To be called when a batch has ended: cancels queries whose result is no longer needed. */
  release(): void;
}

export type Resolution = Resolved | (Failure & { readonly dnsMs?: number });

export interface NamesOptions {
  /** Address families that the location reaches; the first is preferred. */
  readonly families: readonly Family[];
  readonly wheel: TimerWheel;
  /** `address` or `address:port` of name servers. Default: the system's. */
  readonly servers?: readonly string[];
  /** Read before any name server is asked; null for none, as on Lambda. */
  readonly hostsFile: string | null;
  /**
   * This machine's resolver configuration (search list, nsswitch) and routes, to be followed; null where names are asked
   * for unchanged, as on Lambda.
   */
  readonly machine: {
    readonly files: NameServiceFiles;
    readonly routes?: Routes;
    readonly askSystem?: AskSystem;
  } | null;
}

/** After so long without any answer, a control query asks whether the resolver works at all. */
const CONTROL_AFTER_MS = 300;

const ALL_FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

export function createNames({ families, wheel, servers, hostsFile, machine }: NamesOptions): Names {
  const resolvConf = machine && freshFile(machine.files.resolvConf, parseResolvConf);
  const routes = machine && (machine.routes ?? createRoutes());
  const nameServers = createNameServers({ wheel, servers, resolvConf });
  const { seen } = nameServers;
  const askSources = createSources({
    nameServers,
    hosts: createHosts(hostsFile),
    resolvConf,
    sources: machine && freshFile(machine.files.nsswitch, parseNsswitch),
    routes,
    askSystem: machine?.askSystem ?? createAskSystem(),
  });

  /** Decides why no address was found: the name, its name servers, or our resolver. Ends at the deadline. */
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
      if (seen.answerAt < startedAt) await nameServers.askControlBy(deadlineAt);
      const isServing = kinds.includes("refused") ? seen.answerAt : Math.max(seen.answerAt, seen.refusalAt);
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
      // A resolver that answers NXDOMAIN for the root is broken; its NXDOMAIN proves nothing.
      if (seen.foundAt < startedAt && (await nameServers.askControlBy(deadlineAt)) === "no-name")
        return failure(
          "unmeasured",
          "resolver-unavailable",
          `${name} not checked: the name server answers NXDOMAIN for every name`,
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
    return addressesIn(answers);
  };

  const resolveName = async (
    { host, family, addresses: mode }: Parameters<Names["resolve"]>[0],
    wanted: readonly Family[],
    timeoutMs: number,
  ): Promise<Resolution> => {
    const others = family === "auto" ? ALL_FAMILIES.filter((one) => !families.includes(one)) : [];
    const startedAt = performance.now();
    const deadlineAt = startedAt + timeoutMs;
    const control = wheel.after(CONTROL_AFTER_MS, () => {
      if (Math.max(seen.answerAt, seen.refusalAt) < startedAt) void nameServers.askControl();
    });
    const [answers, skipped] = await Promise.all([
      askSources({ families: wanted, isAll: mode === "all", isOnly: family !== "auto" }, host, deadlineAt),
      mode === "all" ? addressesOf(host, others, deadlineAt) : [],
    ]);
    const found = addressesIn(answers).map(withFamily);
    const addresses = routes ? await routes.order(found) : found;
    const missing = addresses.length === 0 && (await explainMissing(host, answers, others, startedAt, deadlineAt));
    control.cancel();
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
    release: nameServers.release,
  };
}

function literal(host: string, wanted: readonly Family[]): Resolved | Failure {
  // Normalised (RFC 5952), because the reported address identifies the target.
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
