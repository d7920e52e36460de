/**
 * Changes of real servers, told by the whole product: an sshd whose host key is swapped, certificates renewed by the same and by another
 * issuer, two sshds behind one balancer, and an snmpd that restarts with and without its engine id. Needs the Debian packages
 * openssh-server, openssl and snmpd. Run by hand: `npm run real-changes`; ends with 1 when anything was not as it should be.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, startSubscriber, until } from "./support/client.ts";
import { freePort, startProduct } from "./support/product.ts";

const CHANGED_WITHIN_MS = 90_000;
/** Checks that have to pass without an alert: ten seconds each. */
const QUIET_MS = 60_000;

const folder = mkdtempSync(join(process.cwd(), ".harborlight-real-changes-"));
const children: ChildProcess[] = [];
const run = (command: string, args: readonly string[], env = {}) => {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "ignore"], env: { ...process.env, ...env } });
  children.push(child);
  return child;
};
const end = async (child: ChildProcess) => {
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
};
const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });

// ---- servers
const hostKey = (name: string) => {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
  return join(folder, name);
};
const sshd = (port: number, key: string) =>
  run("/usr/sbin/sshd", [
    "-D",
    "-f",
    "/dev/null",
    "-p",
    `${port}`,
    "-h",
    key,
    "-o",
    "ListenAddress=127.0.0.1",
    "-o",
    "PidFile=none",
  ]);

const authority = (name: string) =>
  openssl(
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "90",
    "-subj",
    `/CN=${name}`,
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.crt`,
  );
const certificate = (name: string, issuer: string) => {
  openssl(
    "req",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-subj",
    "/CN=shop.example.com",
    "-addext",
    "subjectAltName=DNS:shop.example.com",
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.csr`,
  );
  openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    "-CA",
    `${issuer}.crt`,
    "-CAkey",
    `${issuer}.key`,
    "-days",
    "60",
    "-copy_extensions",
    "copy",
    "-out",
    `${name}.crt`,
  );
};
const https = (port: number, name: string) =>
  run("openssl", [
    "s_server",
    "-quiet",
    "-www",
    "-accept",
    `127.0.0.1:${port}`,
    "-cert",
    join(folder, `${name}.crt`),
    "-key",
    join(folder, `${name}.key`),
  ]);

/** Keeps its engine id in a folder of its own. */
const snmpd = (port: number, name: string) => {
  const persistent = join(folder, name);
  mkdirSync(persistent, { recursive: true });
  writeFileSync(join(folder, "snmpd.conf"), "rocommunity public 127.0.0.1\n");
  return run("/usr/sbin/snmpd", ["-f", "-p", join(persistent, "pid"), `udp:127.0.0.1:${port}`], {
    SNMPCONFPATH: `${folder}:${persistent}`,
    SNMP_PERSISTENT_DIR: persistent,
  });
};

/** Gives each connection to the next of the ports. */
const balance = async (ports: readonly number[]) => {
  const alive = [...ports];
  let turn = 0;
  const balancer = createServer((client) => {
    const server = connect(alive[turn++ % alive.length]!, "127.0.0.1");
    for (const socket of [client, server]) socket.on("error", () => {});
    client.pipe(server).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(balancer, "listening");
  return { port: (balancer.address() as { port: number }).port, alive };
};

// ---- the run
mkdirSync("/run/sshd", { recursive: true });
for (const name of ["trusted", "other"]) authority(name);
for (const [name, issuer] of [
  ["first", "trusted"],
  ["renewed", "trusted"],
  ["replaced", "other"],
] as const)
  certificate(name, issuer);
const keys = ["one", "two", "three", "four"].map(hostKey);
const ports = await Promise.all(Array.from({ length: 7 }, freePort));
const [sshPort, pairOne, pairTwo, renewedPort, replacedPort, snmpPort, forgetfulPort] = ports as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];
let ssh = sshd(sshPort, keys[0]!);
sshd(pairOne, keys[2]!);
sshd(pairTwo, keys[3]!);
const pair = await balance([pairOne, pairTwo]);
let [renewed, replaced] = [https(renewedPort, "first"), https(replacedPort, "first")];
let [kept, forgetful] = [snmpd(snmpPort, "kept"), snmpd(forgetfulPort, "before")];

const subscriber = await startSubscriber();
const product = await startProduct(join(folder, "data"), await freePort());
const api = createClient(product.apiUrl, product.token);
let isRight = true;
try {
  await api("POST", "/v1/subscriptions", { topic: "alerts", kind: "http", endpoint: subscriber.url });
  const watch = async (name: string, protocol: string, port: number, settings = {}) => {
    const body = { name, protocol, host: "127.0.0.1", port, settings, intervalSeconds: 10, failureThreshold: 5 };
    return (await api("POST", "/v1/monitors", body)).body.id as string;
  };
  const insecure = { tls: { verify: false } };
  const ids = {
    ssh: await watch("swapped key", "ssh", sshPort),
    pair: await watch("balanced pair", "ssh", pair.port),
    renewed: await watch("renewed certificate", "https", renewedPort, insecure),
    replaced: await watch("another issuer", "https", replacedPort, insecure),
    kept: await watch("snmpd restarts", "snmp", snmpPort, { version: "3" }),
    forgetful: await watch("snmpd loses its engine id", "snmp", forgetfulPort, { version: "3" }),
  };
  const baselineOf = async (id: string) => (await api("GET", `/v1/monitors/${id}/baseline`)).body;
  const areLearned = async () =>
    (await Promise.all(Object.values(ids).map(baselineOf))).every(({ learned }) => learned.length === 1);
  await until("baselines", areLearned, CHANGED_WITHIN_MS);
  const revisionOf = async (id: string) =>
    JSON.stringify((await api("GET", `/v1/monitors/${id}`)).body.views.local.facts);
  const pairBefore = await revisionOf(ids.pair);

  await Promise.all([ssh, renewed, replaced, kept, forgetful].map(end));
  const changedAt = Date.now();
  ssh = sshd(sshPort, keys[1]!);
  [renewed, replaced] = [https(renewedPort, "renewed"), https(replacedPort, "replaced")];
  [kept, forgetful] = [snmpd(snmpPort, "kept"), snmpd(forgetfulPort, "after")];
  // One of the pair is away for a minute, which is no change either.
  pair.alive.splice(1, 1);

  const told = (id: string) => subscriber.of(id);
  const isTold = () => [ids.ssh, ids.replaced, ids.forgetful].every((id) => told(id).length > 0);
  await until("alerts", isTold, CHANGED_WITHIN_MS).catch(() => {});
  await sleep(QUIET_MS);
  pair.alive.push(pairTwo);
  await sleep(QUIET_MS);
  const expected: Readonly<Record<keyof typeof ids, readonly string[]>> = {
    ssh: ["changed ssh.hostKey.ssh-ed25519"],
    pair: [],
    renewed: [],
    replaced: ["changed tls.issuer"],
    kept: [],
    forgetful: ["changed snmp.engineId"],
  };
  for (const [name, id] of Object.entries(ids)) {
    const alerts = told(id).map(({ alert }) => `${alert.event} ${(alert.changes ?? []).map(({ key }) => key)}`.trim());
    const seconds = told(id)[0] ? `${((told(id)[0]!.at - changedAt) / 1000).toFixed(1)} s` : "";
    const recorded = (await api("GET", `/v1/monitors/${id}/changes`)).body.items
      .filter(({ state }: { state: string }) => state === "recorded")
      .map(({ key }: { key: string }) => key);
    const isAsExpected = alerts.join() === expected[name as keyof typeof ids].join();
    isRight &&= isAsExpected;
    console.log(
      `${isAsExpected ? "well" : "WRONG"}: ${name.padEnd(10)} told ${alerts.join("; ") || "nothing"} ${seconds}${recorded.length > 0 ? `, recorded ${recorded}` : ""}`,
    );
  }
  console.log(`the pair's facts: ${pairBefore} then ${await revisionOf(ids.pair)}`);
  await api("POST", `/v1/monitors/${ids.ssh}/changes/accept`, { note: "planned" });
  await until("the end", () => told(ids.ssh).length === 2);
  console.log(`accepted: told ${told(ids.ssh).map(({ alert }) => alert.event)}`);
} finally {
  await product.stop();
  await subscriber.stop();
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
process.exit(isRight ? 0 : 1);
