/**
 * What a sweep costs and whether it is right, in a network namespace of its own behind a firewall; nmap beside it where it is
 * installed. Needs root, ip and nft.
 *
 *   npm run bench -- sweep [sweeps with 2 % loss, default 200]
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createSweepEnd } from "../../functions/probe/sweep-end.ts";
import type { SweepTools } from "../../functions/probe/sweep-slice.ts";
import { type SweptState, sweep } from "../../shared/engine/sweep.ts";
import { formatPorts } from "../../shared/port-list.ts";
import type { SweepPart, SweepRecord } from "../../shared/rules/sweep-findings.ts";
import type { SweepStore } from "../../shared/store/sweeps.ts";
import type { Member } from "../../shared/store/views.ts";

const HOST = "10.77.0.2";
const OPEN = [22, 80, 443, 8080, 50_000];
const LOSSY_SWEEPS = Number(process.argv[3] ?? 200);
/** Ports of a sweep with loss. */
const WATCHED = [...OPEN, ...Array.from({ length: 35 }, (_, at) => 1_000 + at)].toSorted((a, b) => a - b);
const AT_ONCE = 20;

const run = (command: string, ...words: string[]) =>
  execFileSync(command, words, { stdio: ["ignore", "pipe", "inherit"] });
const ip = (words: string) => run("ip", ...words.split(" "));
const rules = (text: string) =>
  execFileSync("ip", ["netns", "exec", "hl-bench", "nft", "-f", "-"], {
    input: `flush ruleset\n${text}\n`,
    stdio: ["pipe", "pipe", "inherit"],
  });
const input = (rule: string) => `table inet t {
  chain input {
    type filter hook input priority 0
    ct state established,related accept
    tcp dport { ${OPEN.join(", ")} } accept
    ${rule}
  }
}`;

const setUp = async () => {
  ip("netns add hl-bench");
  ip("link add hlb0 type veth peer name hlb1 netns hl-bench");
  ip("addr add 10.77.0.1/24 dev hlb0");
  ip("link set hlb0 up");
  ip("netns exec hl-bench ip addr add 10.77.0.2/24 dev hlb1");
  ip("netns exec hl-bench ip link set hlb1 up");
  const serve = `for (const port of [${OPEN}, 9]) require("net").createServer((s) => { s.on("error", () => {}); s.end("SSH-2.0-x\\r\\n"); }).listen(port, "0.0.0.0"); console.log("ready")`;
  const servers = spawn("ip", ["netns", "exec", "hl-bench", process.execPath, "-e", serve], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(servers.stdout, "data");
  return servers;
};

const all = Array.from({ length: 65_535 }, (_, at) => at + 1);
const swept = async (ports: readonly number[], perSecond: number) => {
  const states = new Map<number, SweptState>();
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await sweep(
    ports.map((port) => ({ address: HOST, port })),
    { perSecond, startUntilMs: Date.now() + 300_000, found: ({ port }, state) => states.set(port, state) },
  );
  const { user, system } = process.cpuUsage(cpu);
  const count = (wanted: SweptState) => [...states.values()].filter((state) => state === wanted).length;
  return {
    seconds: (performance.now() - startedAt) / 1000,
    cpuUs: (user + system) / ports.length,
    open: ports.filter((port) => states.get(port) === "open"),
    counts: { closed: count("closed"), filtered: count("filtered"), unmeasured: count("unmeasured") },
  };
};

/** Open ports as nmap sees them, and what it took; undefined where it is not installed. */
const nmap = (more: string) => {
  const command = `nmap -sT -Pn -n -T4 --max-retries 1 --max-rtt-timeout 1300ms --min-parallelism 900 -p 1-65535 -oG - ${more} ${HOST}; times >&2`;
  const startedAt = performance.now();
  const { stdout, stderr } = spawnSync("bash", ["-c", command], { encoding: "utf8" });
  const open = [...stdout.matchAll(/(\d+)\/open\/tcp/g)].map(([, port]) => Number(port));
  if (!stdout.includes("Nmap done")) return undefined;
  const [user = 0, system = 0] = [...(stderr.trim().split("\n").at(-1) ?? "").matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => 60 * Number(minutes) + Number(seconds),
  );
  return { seconds: (performance.now() - startedAt) / 1000, cpuUs: ((user + system) * 1e6) / all.length, open };
};

const compare = async (what: string, rule: string) => {
  rules(input(rule));
  const own = await swept(all, 1_000);
  const theirs = nmap("");
  const { closed, filtered, unmeasured } = own.counts;
  console.log(
    `${what}: ${own.seconds.toFixed(0)} s, ${own.cpuUs.toFixed(1)} us of CPU a port; open ${formatPorts(own.open)}; ${closed} closed, ${filtered} filtered, ${unmeasured} unmeasured`,
  );
  if (theirs)
    console.log(
      `  nmap -sT: ${theirs.seconds.toFixed(0)} s, ${theirs.cpuUs.toFixed(1)} us; open ${formatPorts(theirs.open)}: ${formatPorts(theirs.open) === formatPorts(own.open) ? "equal" : "NOT EQUAL"}`,
    );
};

/** Sweeps of one monitor whose store is in memory. */
const createMonitor = () => {
  const parts: SweepPart[] = [];
  const records: SweepRecord[] = [];
  const store: Partial<SweepStore> = {
    parts: async () => parts,
    sweep: async (_monitor, tick) => records.find((record) => record.tick === tick),
    lastMeasured: async () => records.findLast(({ hosts }) => hosts),
    putSweep: async (_monitor, record) => records.push(record) > 0,
  };
  const tools: SweepTools = {
    kind: "local",
    port25: true,
    resolve: () => ({ addresses: [{ address: HOST, family: 4 }], skipped: [] }),
    sweep,
    sweepUdp: async () => {},
    rights: { targets: [], installation: "bench" },
  };
  const end = createSweepEnd({
    location: "bench",
    sweeps: store as SweepStore,
    tools,
    identify: async () => undefined,
    control: async () => "online",
    now: Date.now,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  const settings = { ports: formatPorts(WATCHED), identify: false };
  const member = { id: "m", protocol: "ports", host: HOST, settings, settingsVersion: 1 } as unknown as Member;
  return async (tick: number) => {
    const { open, counts } = await swept(WATCHED, 200);
    const part = {
      slice: 0,
      settingsVersion: 1,
      startedAt: "",
      endedAt: "",
      addresses: [HOST],
      open: { [HOST]: formatPorts(open) },
      unmeasured: {},
    };
    parts.splice(0, 1, { ...part, closedCount: counts.closed, filteredCount: counts.filtered });
    const job = { id: "m", settingsVersion: 1, shard: "3600#s0", tick, step: 1, slices: 1, isAsked: false };
    const outcome = await end(job, member, Date.now() + 55_000);
    return outcome?.facts?.["ports.tcp"];
  };
};

const withLoss = async () => {
  rules(`table inet t {
  chain input {
    type filter hook input priority 0
    numgen random mod 100 < 2 drop
    ct state established,related accept
    tcp dport { ${OPEN.join(", ")} } accept
    tcp dport 1000-1034 drop
  }
  chain output {
    type filter hook output priority 0
    numgen random mod 100 < 2 drop
  }
}`);
  const monitors = Array.from({ length: AT_ONCE }, createMonitor);
  const values = new Map<string, number>();
  for (let done = 0, tick = 1; done < LOSSY_SWEEPS; done += AT_ONCE, tick++)
    for (const value of await Promise.all(monitors.map((sweepOnce) => sweepOnce(tick))))
      values.set(String(value), (values.get(String(value)) ?? 0) + 1);
  console.log(`2 % loss each way: ${LOSSY_SWEEPS} sweeps found ${JSON.stringify(Object.fromEntries(values))}`);
};

const servers = await setUp();
try {
  await compare("all dropped but five", "drop");
  await compare("all rejected but five", "reject with tcp reset");
  await compare("all rejected by ICMP but five", "reject with icmpx type admin-prohibited");
  rules(`table ip t {
  chain prerouting {
    type nat hook prerouting priority -100
    tcp dport 1-65535 redirect to :9
  }
}`);
  const everywhere = await swept(all.slice(0, 2_000), 1_000);
  console.log(
    `all redirected: ${everywhere.open.length} of 2000 accept a connection, and the end of a sweep calls them unmeasured`,
  );
  await withLoss();
} finally {
  servers.kill();
  ip("netns del hl-bench");
}
