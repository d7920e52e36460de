/**
 * A running stack that looks like somebody's: monitors of a shop with 90 days of status and a day of latencies, trouble that is
 * on now, policies, maintenance and a status page. Nothing is checked, because its targets do not exist.
 */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../../infra/local/stack.ts";
import { DAY_SECONDS, HOUR_SECONDS } from "../../shared/durations.ts";
import type { RecordedStretch } from "../../shared/history/status-time.ts";
import type { Health, View } from "../../shared/model.ts";
import { createHistoryStore } from "../../shared/store/history.ts";
import { createStretchStore } from "../../shared/store/stretches.ts";
import { createSummaryStore } from "../../shared/store/summaries.ts";
import { createClient, until } from "../support/client.ts";
import { type Member, runShard } from "../support/fleet.ts";
import { inProcessClient } from "../support/in-process-client.ts";
import { monitorOf, putMonitor, viewOf } from "../support/monitors.ts";
import { noisyTarget } from "../support/noise.ts";
import { type Past, writePasts } from "../support/status-history.ts";

const LOCATIONS = ["frankfurt", "virginia", "singapore"];
const DAYS = 90;
const MINUTE = 60;

interface Service {
  readonly name: string;
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  readonly team: string;
  /** What an answer says. */
  readonly says: string;
  /** What it is since some minutes; default: up. */
  readonly now?: {
    readonly health: Health;
    readonly minutes: number;
    readonly says: string;
    readonly reason: View["reason"];
  };
  /** Days ago and minutes of its outages. */
  readonly outages?: readonly (readonly [daysAgo: number, minutes: number])[];
}

const HTTP_OK = "HTTP/1.1 200 OK";
const SERVICES: readonly Service[] = [
  {
    ...{ name: "Checkout", protocol: "https", host: "checkout.example.com", port: 443, team: "shop", says: HTTP_OK },
    now: { health: "down", minutes: 12, says: "connection refused by 203.0.113.20:443", reason: "connection-refused" },
    outages: [[19, 34]],
  },
  {
    ...{ name: "Search", protocol: "https", host: "search.example.com", port: 443, team: "shop", says: HTTP_OK },
    now: { health: "degraded", minutes: 41, says: "slow: 1.24 s, more than 800 ms", reason: "slow" },
  },
  {
    ...{ name: "Shop", protocol: "https", host: "shop.example.com", port: 443, team: "shop", says: HTTP_OK },
    outages: [
      [3, 7],
      [41, 95],
    ],
  },
  {
    name: "Shop API",
    protocol: "https",
    host: "api.example.com",
    port: 443,
    team: "shop",
    says: HTTP_OK,
    outages: [[19, 22]],
  },
  {
    ...{ name: "Orders database", protocol: "postgresql", host: "orders-db.example.com", port: 5432, team: "data" },
    says: "PostgreSQL 18.1 answers, TLS is offered",
    outages: [[41, 88]],
  },
  { name: "Session cache", protocol: "redis", host: "cache.example.com", port: 6379, team: "data", says: "+PONG" },
  {
    name: "Incoming mail",
    protocol: "smtp",
    host: "mx1.example.com",
    port: 25,
    team: "office",
    says: "220 mx1.example.com ESMTP",
    outages: [
      [8, 3],
      [62, 240],
    ],
  },
  {
    name: "Mailboxes",
    protocol: "imaps",
    host: "imap.example.com",
    port: 993,
    team: "office",
    says: "* OK IMAP4rev2 ready",
  },
  {
    name: "Name server 1",
    protocol: "dns",
    host: "ns1.example.com",
    port: 53,
    team: "network",
    says: "NOERROR, 1 answer",
  },
  {
    name: "Name server 2",
    protocol: "dns",
    host: "ns2.example.com",
    port: 53,
    team: "network",
    says: "NOERROR, 1 answer",
    outages: [[27, 12]],
  },
  {
    name: "Bastion",
    protocol: "ssh",
    host: "bastion.example.com",
    port: 22,
    team: "network",
    says: "SSH-2.0-OpenSSH_10.0",
  },
  {
    name: "VPN",
    protocol: "wireguard",
    host: "vpn.example.com",
    port: 51_820,
    team: "network",
    says: "handshake answered",
    outages: [[55, 18]],
  },
  {
    name: "Time server",
    protocol: "ntp",
    host: "time.example.com",
    port: 123,
    team: "network",
    says: "stratum 2, offset 0.4 ms",
  },
  { name: "Backups", protocol: "rsync", host: "backup.example.com", port: 873, team: "data", says: "@RSYNCD: 32.0" },
];

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

/** Certificate of a web server, as a check describes it. */
const tlsOf = (host: string, now: number) => ({
  tls: {
    ...{ version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", alpn: "http/1.1" },
    ...{ subject: host, issuer: "Example Trust Services R3", names: `${host}, www.${host}` },
    ...{ validFrom: iso(now - 26 * DAY_SECONDS), validTo: iso(now + 64 * DAY_SECONDS), daysLeft: 64 },
    ...{ key: "ec prime256v1", sha256: Buffer.from(host).toString("hex").padEnd(64, "0") },
  },
});

/** What a service looks like now. Its past ends up: what is wrong now the stack finds out by itself, and opens an incident. */
const pastOf = (service: Service, index: number, at: number): Past & { readonly views: Record<string, View> } => {
  const { name, protocol, host, port, team, says, now, outages = [] } = service;
  const first = at - DAYS * DAY_SECONDS;
  const starts: RecordedStretch[] = [{ status: "up", since: iso(first), sequence: 0 }];
  for (const [daysAgo, minutes] of outages.toSorted(([a], [b]) => b - a)) {
    const from = at - daysAgo * DAY_SECONDS + index * 977;
    starts.push({ status: "down", since: iso(from), sequence: starts.length });
    starts.push({ status: "up", since: iso(from + minutes * MINUTE), sequence: starts.length });
  }
  const { since } = starts.at(-1)!;
  const shard = "60#0";
  const evidence = protocol === "https" ? tlsOf(host, at) : {};
  const view = (health: Health, from: number, message: string, reason: View["reason"]) =>
    viewOf(health, from, { message, reason, evidence, address: `203.0.113.${20 + index}` });
  const upSince = Math.floor(Date.parse(since) / 1000);
  const up = view("up", upSince, says, null);
  const bad = now && view(now.health, at - now.minutes * MINUTE, now.says, now.reason);
  const monitor = monitorOf({
    id: createHash("sha256").update(name).digest("hex").slice(0, 20),
    ...{ name, protocol: protocol as "tcp", host, port, shard, locations: LOCATIONS, tags: { team } },
    placements: [{ shard, fromTick: 0, toTick: null }],
    ...{ intervalSeconds: 60, degradedAboveMs: protocol === "https" ? 800 : null },
    ...{ status: "up", since, createdAt: starts[0]!.since, updatedAt: starts[0]!.since },
    ...{ settingsChangedAt: starts[0]!.since, lastStretch: { status: "up", since } },
    views: Object.fromEntries(LOCATIONS.map((location) => [location, up])),
  });
  // One location still sees it up: the others have the majority.
  return { monitor, starts, views: bad ? { frankfurt: bad, virginia: bad, singapore: up } : {} };
};

/** Latencies of a day, as each location would measure them: the farther away, the longer. */
const memberOf = (service: Service, index: number, at: number): Member => {
  const byLocation = LOCATIONS.map((_, place) => noisyTarget(101 + index * 7 + place, { silentShare: 0 }));
  return (tick, location) => {
    const place = LOCATIONS.indexOf(location);
    const outcome = byLocation[place]!(tick);
    const isBad = service.now !== undefined && tick > at - service.now.minutes * MINUTE && place < 2;
    if (isBad && service.now?.health === "down")
      return { state: "closed", reason: "connection-refused", health: "down", latencyMs: null, lossPercent: null };
    const latencyMs = [9, 96, 171][place]! * (1 + ((outcome.latencyMs ?? 10) % 13) / 40) * (isBad ? 9 : 1);
    return { state: "open", reason: null, health: "up", latencyMs, lossPercent: null };
  };
};

export interface Demo {
  readonly url: string;
  readonly token: string;
  /** Id of a monitor. */
  readonly idOf: (name: string) => string;
  createLoginCode(): Promise<string | null>;
  stop(): Promise<void>;
}

export const startDemo = async (): Promise<Demo> => {
  const folder = await mkdtemp(join(tmpdir(), "harborlight-demo-"));
  const stack = await startStack({ dataFolder: folder, port: 0, locations: LOCATIONS });
  const find = (word: string) =>
    stack.resources.find(({ type, name }) => type.includes("Table") && name.includes(word))!.name;
  const tables = { monitors: find("monitors"), history: find("history") };
  const client = inProcessClient(stack.database, "demo");
  const now = Math.floor(Date.now() / 1000);
  const hour = Math.floor(now / HOUR_SECONDS) * HOUR_SECONDS;
  const pasts = SERVICES.map((service, index) => pastOf(service, index, now));
  const summaries = createSummaryStore(client, tables.history);
  await writePasts({ client, tables }, summaries, pasts, { now: hour, days: DAYS });
  const stretches = createStretchStore(client, tables.history);
  for (const { monitor, starts } of pasts)
    for (const start of starts) await stretches.record(monitor.id, start, start.sequence);
  const members = new Map(
    SERVICES.map((service, index) => [pasts[index]!.monitor.id, memberOf(service, index, now)] as const),
  );
  const history = createHistoryStore(client, tables.history);
  await runShard(
    { history, client, tables },
    { shard: "60#0", locations: LOCATIONS, from: now - DAY_SECONDS, to: now, members },
  );
  for (const { monitor, views } of pasts)
    if (Object.keys(views).length > 0) await putMonitor({ client, tables }, { ...monitor, views, revision: 2 });
  const idOf = (name: string) => pasts.find(({ monitor }) => monitor.name === name)!.monitor.id;
  await arrange(createClient(stack.apiUrl, stack.token), idOf);
  return {
    ...{ url: stack.apiUrl, token: stack.token, idOf },
    createLoginCode: () => stack.createLoginCode(),
    async stop() {
      await stack.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** What people set up, by the API. */
async function arrange(api: ReturnType<typeof createClient>, idOf: Demo["idOf"]): Promise<void> {
  const create = async (path: string, body: object): Promise<{ readonly id: string }> => {
    const { status, body: made } = await api("POST", path, body);
    if (status !== 201) throw new Error(`POST ${path} answered ${status}: ${JSON.stringify(made)}`);
    return made;
  };
  const url = "https://hooks.slack.com/services/T000/B000/demo";
  const { id: chat } = await create("/v1/channels", { name: "#operations", kind: "slack", settings: { url } });
  const { id: pager } = await create("/v1/channels", {
    name: "Duty officer",
    kind: "webhook",
    settings: { url: "https://pager.example.com/alerts" },
  });
  await create("/v1/policies", {
    name: "On call",
    match: { tags: { team: "shop" } },
    steps: [
      { afterSeconds: 0, channels: [chat], emails: ["operations@example.com"] },
      { afterSeconds: 600, channels: [pager] },
      { afterSeconds: 3600, emails: ["head-of-operations@example.com"] },
    ],
    remindEverySeconds: 3600,
  });
  await create("/v1/maintenance-windows", {
    name: "Firmware of the routers",
    tags: { team: "network" },
    schedule: { kind: "weekly", days: ["sun"], at: "02:00", timeZone: "Europe/Zurich", durationSeconds: 3600 },
  });
  const entry = (monitor: string, name: string, text?: string) => ({ monitorId: idOf(monitor), name, text });
  const { id: page } = await create("/v1/status-pages", {
    ...{ title: "Example Shop", slug: "shop", accentColor: "#0a7d55", timeZone: "Europe/Zurich" },
    description: "How our services are. Questions: help@example.com",
    groups: [
      {
        name: "Shop",
        entries: [
          entry("Shop", "Web shop"),
          entry("Checkout", "Payment", "Cards and invoices"),
          entry("Search", "Search"),
        ],
      },
      { name: "For partners", entries: [entry("Shop API", "API"), entry("Incoming mail", "Orders by mail")] },
    ],
    links: [{ label: "Help", url: "https://example.com/help" }],
  });
  const sunday = new Date();
  sunday.setUTCDate(sunday.getUTCDate() + 7 - sunday.getUTCDay());
  sunday.setUTCHours(2, 0, 0, 0);
  await create(`/v1/status-pages/${page}/notices`, {
    ...{ kind: "maintenance", title: "Payment by card pauses on Sunday", startsAt: sunday.toISOString() },
    ...{ endsAt: new Date(sunday.getTime() + 5_400_000).toISOString(), text: "Invoices work all the while." },
  });
  const incidents = await until("incidents", async () => {
    const { items } = (await api("GET", "/v1/incidents?state=open")).body;
    return items.length === 2 && items;
  });
  const { id } = incidents.find(({ monitor }: { monitor: { name: string } }) => monitor.name === "Checkout");
  await api("POST", `/v1/incidents/${id}/acknowledge`, { note: "Looking at the load balancer." });
  await create(`/v1/incidents/${id}/notes`, {
    ...{ text: "Payments fail since a few minutes. We have found the cause.", state: "identified", public: true },
  });
}
