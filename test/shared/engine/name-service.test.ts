import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createNames, type NamesOptions } from "../../../shared/engine/dns.ts";
import { candidatesOf, createAskSystem, parseNsswitch, parseResolvConf } from "../../../shared/engine/name-service.ts";
import { createRoutes } from "../../../shared/engine/routes.ts";
import { createEngine } from "../../../shared/engine/run.ts";
import { TimerWheel } from "../../../shared/engine/timer-wheel.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { check, checkSettings } from "../../support/check.ts";
import { type DnsReply, serveDns } from "../../support/dns-server.ts";
import { serveSilence } from "../../support/servers.ts";

/** The machine's files in a folder of their own. */
function machine({ resolvConf = "", nsswitch = "hosts: files dns\n", hosts = "" } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "harborlight-names-"));
  const files = { resolvConf: join(folder, "resolv.conf"), nsswitch: join(folder, "nsswitch.conf") };
  const hostsFile = join(folder, "hosts");
  writeFileSync(files.resolvConf, resolvConf);
  writeFileSync(files.nsswitch, nsswitch);
  writeFileSync(hostsFile, hosts);
  return { files, hostsFile, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

/** A DNS server that answers these names, and NXDOMAIN for all others. */
const serveNames = (table: Readonly<Record<string, DnsReply | undefined>>) =>
  serveDns((name) => (name in table ? table[name] : name === "" ? {} : { rcode: "nxdomain" }));

interface Asking extends Omit<NonNullable<NamesOptions["machine"]>, "files"> {
  readonly family?: "auto" | "ipv4" | "ipv6";
}

const resolving = async (
  host: string,
  dns: { readonly address: string },
  { files, hostsFile }: ReturnType<typeof machine>,
  { family = "auto", ...asking }: Asking = {},
) => {
  const names = createNames({
    families: ["ipv4", "ipv6"],
    wheel: new TimerWheel(),
    servers: [dns.address],
    hostsFile,
    machine: { files, ...asking },
  });
  const found = await names.resolve({ host, family, addresses: "first" }, 2000);
  return "addresses" in found ? found.addresses.map(({ address }) => address) : found.reason;
};

test("a short name is found by the search list of the machine, and by no other location", async () => {
  await using server = await serveSilence();
  await using dns = await serveNames({ "files.corp.example": { addresses: ["127.0.0.1"] } });
  using own = machine({ resolvConf: "# search none.example\nsearch other.example corp.example\n" });
  const options = { nameServers: [dns.address], hostsFile: own.hostsFile };
  const input = { protocol: "tcp", host: "files", port: server.port };
  expect(await check(input, 2000, { ...options, nameService: own.files })).toMatchObject({
    state: "open",
    health: "up",
  });
  expect(dns.queries.filter((query) => query.startsWith("A "))).toEqual([
    "A files.other.example",
    "A files.corp.example",
  ]);
  expect(await check(input, 2000, options)).toMatchObject({ state: "unresolved", reason: "name-not-found" });
});

test("a running engine follows a changed search list", async () => {
  await using server = await serveSilence();
  await using dns = await serveNames({ "files.new.example": { addresses: ["127.0.0.1"] } });
  using own = machine({ resolvConf: "search old.example\n" });
  const engine = createEngine({
    location: { kind: "local", families: ["ipv4"] },
    protocols,
    nameServers: [dns.address],
    hostsFile: null,
    nameService: own.files,
  });
  const settings = checkSettings({ protocol: "tcp", host: "files", port: server.port });
  expect(await engine.runOne(settings)).toMatchObject({ reason: "name-not-found" });
  writeFileSync(own.files.resolvConf, "search new.example\n");
  await new Promise((resolve) => setTimeout(resolve, 5_100));
  expect(await engine.runOne(settings)).toMatchObject({ state: "open" });
}, 15_000);

test.each([
  ["a", "search b.test c.test", ["a.b.test", "a.c.test", "a"]],
  ["a.x", "search b.test c.test", ["a.x", "a.x.b.test", "a.x.c.test"]],
  ["a.x", "search b.test\noptions ndots:2", ["a.x.b.test", "a.x"]],
  ["a.", "search b.test", ["a."]],
  ["a", "search b.test\ndomain d.test", ["a.d.test", "a"]],
  ["a", "domain d.test e.test\nsearch b.test.", ["a.b.test", "a"]],
  ["a", "search b.test\noptions no-tld-query", ["a.b.test"]],
  ["a", "", ["a.own.test", "a"]],
  ["a", "; search b.test\n# domain c.test\noptions", ["a.own.test", "a"]],
  ["a", "search .", ["a"]],
])("%s under %j means %j", (name, text, candidates) => {
  expect(candidatesOf(name, parseResolvConf(text, "host.own.test"))).toEqual(candidates);
});

test("options of resolv.conf have the C library's limits", () => {
  expect(parseResolvConf("options ndots:99 timeout:99 attempts:99", "host")).toEqual({
    search: [],
    ndots: 15,
    asksForTopLevel: true,
    timeoutMs: 30_000,
    attempts: 5,
  });
  expect(parseResolvConf("options timeout:x attempts:0", "host")).toMatchObject({ ndots: 1, attempts: undefined });
});

test.each([
  ["hosts: files dns", { own: ["files", "dns"], hasOthers: false }],
  ["passwd: sss\nhosts:\tdns [!UNAVAIL=return] files # files", { own: ["dns", "files"], hasOthers: false }],
  ["hosts: files mdns4_minimal [NOTFOUND=return] dns", { own: ["files", "dns"], hasOthers: true }],
  ["hosts: mymachines resolve [!UNAVAIL=return] files dns", { own: ["dns", "files"], hasOthers: true }],
  ["#hosts: dns", { own: ["files", "dns"], hasOthers: false }],
])("%j", (text, sources) => {
  expect(parseNsswitch(text, "linux")).toEqual(sources);
});

test("the hosts file is read in nsswitch order, for the families it has, and localhost includes subdomains", async () => {
  await using dns = await serveNames({
    "both.test": { addresses: ["192.0.2.1", "2001:db8::1"] },
  });
  using filesFirst = machine({ hosts: "192.0.2.9 both.test\n" });
  using dnsFirst = machine({ hosts: "192.0.2.9 both.test\n", nsswitch: "hosts: dns files\n" });
  using dnsAlone = machine({ hosts: "192.0.2.9 only.test\n", nsswitch: "hosts: dns\n" });
  expect(await resolving("both.test", dns, filesFirst)).toEqual(["192.0.2.9"]);
  expect(await resolving("both.test", dns, filesFirst, { family: "ipv6" })).toEqual(["2001:db8::1"]);
  expect((await resolving("both.test", dns, dnsFirst))[0]).toBe("192.0.2.1");
  expect(await resolving("only.test", dns, dnsAlone)).toBe("name-not-found");
  expect(await resolving("app.localhost", dns, filesFirst)).toContain("127.0.0.1");
});

test("names unknown to hosts file and name servers are asked of the C library if it has other sources", async () => {
  await using dns = await serveNames({});
  // It knows its own name server, not the one of this test: the name of this machine itself.
  using own = machine({ nsswitch: "hosts: dns myhostname\n" });
  const found = await resolving("localhost", dns, own);
  expect(Array.isArray(found) && found.every((address) => ["127.0.0.1", "::1"].includes(address))).toBe(true);
});

test("an mDNS name does not wait for silent name servers", async () => {
  await using dns = await serveDns((name) => (name.endsWith(".local") ? undefined : {}));
  using own = machine({ nsswitch: "hosts: files mdns4_minimal [NOTFOUND=return] dns\n" });
  const startedAt = performance.now();
  const askSystem = async (name: string) => (name === "printer.local" ? ["127.0.0.1"] : []);
  expect(await resolving("printer.local", dns, own, { askSystem })).toEqual(["127.0.0.1"]);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test("a slow C library delays no name beyond its deadline, and known names keep their last answer", async () => {
  let isStuck = false;
  const asked: string[] = [];
  const ask = createAskSystem(async (name) => {
    asked.push(name);
    if (isStuck) await new Promise((resolve) => setTimeout(resolve, 300));
    if (name === "none.local") throw new Error("ENOTFOUND");
    return [{ address: "192.0.2.1", family: 4 }];
  });
  const soon = (ms: number) => performance.now() + ms;
  expect(await ask("printer.local", soon(1000))).toEqual(["192.0.2.1"]);
  expect(await ask("none.local", soon(1000))).toEqual([]);
  isStuck = true;
  const startedAt = performance.now();
  const names = ["stuck.local", "new.local", "printer.local"];
  const found = await Promise.all(names.map((name) => ask(name, soon(100))));
  expect(performance.now() - startedAt).toBeLessThan(290);
  expect(found).toEqual([[], [], ["192.0.2.1"]]);
  isStuck = false;
  expect(await ask("printer.local", soon(1000))).toEqual(["192.0.2.1"]);
  expect(asked).toEqual(["printer.local", "none.local", "stuck.local", "printer.local"]);
});

test("NXDOMAIN in one search domain and SERVFAIL in another is not reported as NXDOMAIN", async () => {
  await using dns = await serveNames({ "a.broken.test": { rcode: "servfail" } });
  using own = machine({ resolvConf: "search broken.test\n" });
  expect(await resolving("a", dns, own)).toBe("name-server-failure");
});

/** Routes by their source address per destination, undefined for no route. */
const routesOf = (source: (address: string) => string | undefined) =>
  createRoutes(async ({ address }) => source(address));
const order = async (source: (address: string) => string | undefined, addresses: readonly string[]) =>
  (await routesOf(source).order(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })))).map(
    ({ address }) => address,
  );

test.each<[string, (address: string) => string | undefined, string[], string[]]>([
  [
    "what has no route comes last",
    (to) => (to.includes(":") ? "2001:db8::9" : undefined),
    ["192.0.2.1", "2001:db8::1"],
    ["2001:db8::1", "192.0.2.1"],
  ],
  ["families keep their order", () => "2001:db8::9", ["192.0.2.1", "2001:db8::1"], ["192.0.2.1", "2001:db8::1"]],
  ["labels match (rule 5)", () => "2001:db8::9", ["fd00::1", "2001:db8:1::1"], ["2001:db8:1::1", "fd00::1"]],
  [
    "labels match inside, too",
    (to) => (to.startsWith("fd") ? "fd00::9" : "2001:db8::9"),
    ["fd00::1", "2001:db8::1"],
    ["2001:db8::1", "fd00::1"],
  ],
  ["scopes match (rule 2)", () => "fe80::9", ["2001:db8::1", "fe80::1"], ["fe80::1", "2001:db8::1"]],
  [
    "native before 6to4 (rule 6)",
    (to) => (to.startsWith("2002") ? "2002::9" : "2001:db8::9"),
    ["2002:c000:201::1", "2001:db8::1"],
    ["2001:db8::1", "2002:c000:201::1"],
  ],
  [
    "the longest common prefix (rule 9)",
    () => "2001:db8:2::9",
    ["2001:db8:8000::1", "2001:db8:3::1"],
    ["2001:db8:3::1", "2001:db8:8000::1"],
  ],
  [
    "IPv4 keeps the order of the answer (rule 10)",
    () => "192.0.2.200",
    ["203.0.113.1", "192.0.2.1"],
    ["203.0.113.1", "192.0.2.1"],
  ],
])("%s", async (_rule, source, addresses, ordered) => {
  expect(await order(source, addresses)).toEqual(ordered);
});

test("the other family is looked up if the first one has no route", async () => {
  await using dns = await serveNames({ "both.test": { addresses: ["192.0.2.1", "2001:db8::1"] } });
  using own = machine();
  const onlyIpv6 = routesOf((to) => (to.includes(":") ? "2001:db8::9" : undefined));
  expect(await resolving("both.test", dns, own, { routes: onlyIpv6 })).toEqual(["2001:db8::1", "192.0.2.1"]);
  expect(dns.queries).toContain("AAAA both.test");
});

test("the kernel's routing table is read without sending a packet: loopback has a route", async () => {
  const routes = createRoutes();
  expect(await routes.hasRoute({ address: "127.0.0.1", family: 4 })).toBe(true);
});
