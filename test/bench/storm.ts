/**
 * `npm run bench -- storm [monitors]`: 1,000 monitors fail within 10 seconds (a tenth of them only become slow). Mail, a Slack
 * channel that refuses for the first minute, and PagerDuty are told, with a concurrency of ten as in a new account of AWS. Counts
 * the messages and what they add up to; exits 1 when an alert is missing, comes twice or late. Takes some ten minutes, because
 * PagerDuty takes 120 events a minute.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startStack } from "../../infra/local/stack.ts";
import { DEFAULT_SENDER, synthesise } from "../../infra/local/template/synth.ts";
import { createClient, until } from "../support/client.ts";
import { startSmtpSink } from "../support/smtp-sink.ts";
import { tickLags } from "../support/tick-lags.ts";

const count = Number(process.argv[3] ?? 1000);
const slow = Math.floor(count / 10);
const INTERVAL_SECONDS = 10;
/** How long a slow target takes, and from when on a monitor is degraded. */
const SLOW_MS = 2_500;
const DEGRADED_ABOVE_MS = 2_000;
const MINUTE_MS = 60_000;
/** What PagerDuty documents to take. */
const PAGES_A_MINUTE = 120;

let stormAt = Number.POSITIVE_INFINITY;
let faults = 0;
const check = (what: string, isRight: boolean) => {
  console.log(`${isRight ? "ok  " : "FAIL"} ${what}`);
  if (!isRight) faults++;
};
const seconds = (at: number) => `${((at - stormAt) / 1000).toFixed(1)} s`;

/** Messages to people: how many alerts each tells of, and when it came. */
interface Told {
  readonly at: number;
  readonly alerts: number;
}
const countOf = (text: string) => Number(/^\D{0,4}(\d+) alerts: /u.exec(text)?.[1] ?? 1);

const slackTold: Told[] = [];
let refused = 0;
const pages: { readonly at: number; readonly incident: string; readonly severity: string }[] = [];
const web = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const at = Date.now();
  if (request.url === "/slack") {
    const isRefusing = at < stormAt + MINUTE_MS;
    if (isRefusing) refused++;
    else slackTold.push({ at, alerts: countOf(JSON.parse(body).blocks[0].text.text) });
    response.writeHead(isRefusing ? 503 : 200).end(isRefusing ? "down" : "ok");
  } else if (request.url === "/v2/enqueue") {
    const { dedup_key: incident, payload } = JSON.parse(body);
    pages.push({ at, incident, severity: payload?.severity ?? "none" });
    response.writeHead(202).end('{"status":"success"}');
  } else {
    if (at > stormAt) await sleep(SLOW_MS);
    response.end("fine");
  }
}).listen(0, "127.0.0.1");
const failing = createServer().listen(0, "127.0.0.1");
const portOf = (server: typeof web) => (server.address() as AddressInfo).port;
await until("listeners", () => web.listening && failing.listening);
const mail = await startSmtpSink();

/** PagerDuty's address is fixed: functions that are bundled for this run alone have the one of the server above. */
async function assemblyWithPagerDutyHere(folder: string): Promise<string> {
  const context = { locations: [{ name: "local", kind: "local", controlTargets: [] }], alertSender: DEFAULT_SENDER };
  await synthesise(folder, context);
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!/\.m?js$/.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    const code = readFileSync(file, "utf8");
    const changed = code.replaceAll("https://events.pagerduty.com", `http://127.0.0.1:${portOf(web)}`);
    if (changed !== code) writeFileSync(file, changed);
  }
  return folder;
}

const folder = await mkdtemp(join(tmpdir(), "harborlight-storm-"));
const assembly = await assemblyWithPagerDutyHere(await mkdtemp(join(tmpdir(), "harborlight-storm-assembly-")));
const stack = await startStack({
  dataFolder: folder,
  port: 0,
  assembly,
  smtpUrl: mail.url,
  accountConcurrency: 10,
});
try {
  const api = createClient(stack.apiUrl, stack.token, { isChecked: false });
  const create = async (path: string, body: object) => {
    const answer = await api("POST", path, body);
    if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.id as string;
  };
  const channels = [
    await create("/v1/channels", {
      name: "Slack",
      kind: "slack",
      settings: { url: `http://127.0.0.1:${portOf(web)}/slack` },
    }),
    await create("/v1/channels", { name: "PagerDuty", kind: "pagerduty", settings: { routingKey: "0".repeat(32) } }),
  ];
  const steps = [{ afterSeconds: 0, channels, emails: ["ops@example.com"] }];
  await create("/v1/policies", { name: "All", match: { tags: {} }, steps });
  const monitors = Array.from({ length: count }, (_, n) => ({
    key: `m${n}`,
    name: `monitor ${n}`,
    host: "127.0.0.1",
    intervalSeconds: INTERVAL_SECONDS,
    timeoutMs: 5_000,
    retries: { count: 0 },
    // On a busy machine some outcomes have no latency, and do not show that a target is slow.
    recoveryThreshold: 10,
    ...(n < slow
      ? { protocol: "http", port: portOf(web), degradedAboveMs: DEGRADED_ABOVE_MS }
      : { protocol: "tcp", port: portOf(failing) }),
  }));
  for (;;) {
    const { status, body } = await api("PUT", "/v1/monitors", { monitors });
    if (status === 200) break;
    if (status !== 202) throw new Error(`PUT answered ${status}: ${JSON.stringify(body)}`);
  }
  const numberOf = async (status: string) =>
    (await api("GET", `/v1/monitors?status=${status}&limit=1&fields=id`)).body.total;
  await until("status of all", async () => (await numberOf("up")) === count, 3 * MINUTE_MS);
  await sleep(2 * MINUTE_MS); // so that no tick below is one in which monitors were created
  check(
    `${count} monitors are up, and nobody was told anything`,
    mail.received.length + slackTold.length + pages.length === 0,
  );

  failing.close();
  failing.closeAllConnections();
  stormAt = Date.now();
  const sum = (told: readonly Told[]) => told.reduce((total, { alerts }) => total + alerts, 0);
  const mailTold = () => mail.received.map(({ at, subject }) => ({ at, alerts: countOf(subject) }));
  const report = (name: string, told: readonly Told[], withinMs: number) => {
    const last = told.at(-1)?.at ?? Number.POSITIVE_INFINITY;
    const digests = told.filter(({ alerts }) => alerts > 1).map(({ alerts }) => alerts);
    check(
      `${name}: ${told.length} messages, ${digests.length} of them digests (of ${digests.join(", ")}), add up to ${sum(told)} of ${count}`,
      sum(told) === count,
    );
    check(`${name}: the last after ${seconds(last)}, of ${withinMs / 1000} s`, last - stormAt <= withinMs);
  };
  const isOver = () =>
    new Set(pages.map(({ incident }) => incident)).size >= count && sum(mailTold()) >= count && sum(slackTold) >= count;
  await until("all alerts", isOver, (count / PAGES_A_MINUTE) * 1.5 * MINUTE_MS + 4 * MINUTE_MS).catch(console.error);
  await sleep(5_000); // what is there too often comes too
  console.log(`status: ${await numberOf("down")} down, ${await numberOf("degraded")} degraded`);
  report("mail", mailTold(), MINUTE_MS);
  report(`Slack (after ${refused} refusals)`, slackTold, 2 * MINUTE_MS);

  const incidents = new Set(pages.map(({ incident }) => incident));
  check(
    `PagerDuty: ${pages.length} events about ${incidents.size} incidents`,
    pages.length === count && incidents.size === count,
  );
  const inMinutes = pages.map(({ at }, first) => pages.slice(first).filter((page) => page.at < at + MINUTE_MS).length);
  const most = Math.max(...inMinutes);
  // As many as the network may bring closer together than they were sent.
  check(`PagerDuty: ${most} events in a minute, of ${PAGES_A_MINUTE}`, most <= PAGES_A_MINUTE + 2);
  // Those before have gone out as they came.
  const sorted = pages.filter(({ at }) => at > stormAt + MINUTE_MS);
  const firstWarning = sorted.findIndex(({ severity }) => severity === "warning");
  const isSorted = firstWarning < 0 || sorted.slice(firstWarning).every(({ severity }) => severity === "warning");
  check(
    `PagerDuty: the worst first from the second minute on, the last after ${seconds(pages.at(-1)?.at ?? 0)}`,
    isSorted,
  );

  const lagsOf = async (what: string, from: number, to?: number) => {
    const lags = await tickLags(folder, from, to);
    const p99 = lags[Math.floor(lags.length * 0.99)] ?? Number.NaN;
    console.log(
      `tick lag ${what}: ${lags.length} ticks, p50 ${lags[lags.length >> 1]} ms, p99 ${p99} ms, max ${lags.at(-1)} ms`,
    );
    return p99;
  };
  await lagsOf("before", stormAt - MINUTE_MS, stormAt);
  check("no tick is late while alerts are delivered", (await lagsOf("since", stormAt)) < 2_000);
} finally {
  await stack.stop();
  await mail.stop();
  web.close();
  web.closeAllConnections();
  for (const made of [folder, assembly]) await rm(made, { recursive: true, force: true });
}
if (faults > 0) process.exitCode = 1;
