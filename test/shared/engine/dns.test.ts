import { expect, test } from "vitest";
import type { EngineOptions } from "../../../shared/engine/run.ts";
import { createEngine } from "../../../shared/engine/run.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { check, checkSettings } from "../../support/check.ts";
import { type DnsReply, type DnsServer, serveDns } from "../../support/dns-server.ts";
import { serve, serveSilence } from "../../support/servers.ts";

const using = (dns: DnsServer, options: Partial<EngineOptions> = {}): Partial<EngineOptions> => ({
  nameServers: [dns.address],
  hostsFile: null,
  ...options,
});
const ipv4Only = { location: { kind: "local", families: ["ipv4"] } } as const;

test("name resolution and connection are timed separately", async () => {
  await using server = await serveSilence();
  await using dns = await serveDns(() => ({ addresses: ["127.0.0.1"], delayMs: 50 }));
  const outcome = await check({ protocol: "tcp", host: "slow.example", port: server.port }, 2000, using(dns));
  expect(outcome).toMatchObject({ state: "open", address: "127.0.0.1" });
  expect(outcome.timings.dnsMs).toBeGreaterThan(45);
  expect(outcome.timings.connectMs).toBeLessThan(outcome.timings.dnsMs ?? 0);
});

test.each<[reason: string, reply: DnsReply]>([
  ["name-not-found", { rcode: "nxdomain" }],
  ["name-has-no-address", {}],
  ["name-server-failure", { rcode: "servfail" }],
  ["name-server-failure", { rcode: "refused" }],
])("unresolved with %s while the resolver answers others", async (reason, reply) => {
  await using dns = await serveDns((name) => (name === "broken.example" ? reply : {}));
  const outcome = await check({ protocol: "tcp", host: "broken.example", port: 1 }, 3000, using(dns));
  expect(outcome).toMatchObject({ state: "unresolved", health: "down", reason });
});

test("a name whose servers are silent is unresolved while the resolver answers others", async () => {
  await using dns = await serveDns((name) => (name === "silent.example" ? undefined : { rcode: "nxdomain" }));
  const outcome = await check({ protocol: "tcp", host: "silent.example", port: 1 }, 800, using(dns));
  expect(outcome).toMatchObject({ state: "unresolved", health: "down", reason: "name-timeout" });
});

test("a resolver that is silent, or answers every query with SERVFAIL, REFUSED or NXDOMAIN, is unmeasured", async () => {
  await using silent = await serveDns(() => undefined);
  await using failing = await serveDns(() => ({ rcode: "servfail" }));
  await using refusing = await serveDns(() => ({ rcode: "refused" }));
  await using denying = await serveDns(() => ({ rcode: "nxdomain" }));
  for (const dns of [silent, failing, refusing, denying])
    expect(await check({ protocol: "tcp", host: "a.example", port: 1 }, 800, using(dns))).toMatchObject({
      state: "unmeasured",
      health: "unknown",
      reason: "resolver-unavailable",
    });
});

test("a resolver that refuses only the control query counts as working", async () => {
  await using dns = await serveDns((name) => ({ rcode: name === "broken.example" ? "servfail" : "refused" }));
  const outcome = await check({ protocol: "tcp", host: "broken.example", port: 1 }, 3000, using(dns));
  expect(outcome).toMatchObject({ state: "unresolved", health: "down", reason: "name-server-failure" });
});

test("a DNS sinkhole's answer (0.0.0.0) does not connect to this machine", async () => {
  await using server = await serveSilence();
  await using dns = await serveDns((_name, type) => ({ addresses: [type === "A" ? "0.0.0.0" : "::"] }));
  for (const host of ["sunk.example", "0.0.0.0"])
    expect(await check({ protocol: "tcp", host, port: server.port }, 2000, using(dns))).toMatchObject({
      state: "unresolved",
      health: "down",
      reason: "address-not-allowed",
    });
});

test("an IPv6 literal is normalised", async () => {
  await using server = await serve((socket) => socket.end(), "::1");
  for (const host of ["0:0:0:0:0:0:0:1", "::0:1", "::1"])
    expect(await check({ protocol: "tcp", host, port: server.port })).toMatchObject({ state: "open", address: "::1" });
});

test("addresses of a family that the location does not reach are unmeasured, and listed", async () => {
  await using dns = await serveDns(() => ({ addresses: ["2001:db8::1"] }));
  const outcome = await check({ protocol: "tcp", host: "six.example", port: 1 }, 2000, using(dns, ipv4Only));
  expect(outcome).toMatchObject({
    state: "unmeasured",
    health: "unknown",
    reason: "address-family-unavailable",
    evidence: { skippedAddresses: ["2001:db8::1"] },
  });
  expect(await check({ protocol: "tcp", host: "::1", port: 1 }, 500, ipv4Only)).toMatchObject({
    state: "unmeasured",
    reason: "address-family-unavailable",
  });
});

test("only the family that the monitor demands is looked up", async () => {
  await using server = await serve(() => {}, "::1");
  await using dns = await serveDns(() => ({ addresses: ["127.0.0.1", "::1"] }));
  const both = { protocol: "tcp", host: "both.example", port: server.port };
  expect(await check({ ...both, family: "ipv6" }, 2000, using(dns))).toMatchObject({ state: "open", address: "::1" });
  expect(dns.queries).toEqual(["AAAA both.example"]);
  expect(await check({ ...both, family: "auto" }, 2000, using(dns))).toMatchObject({ address: "127.0.0.1" });
});

test("all addresses are checked and listed; one failing is degraded, all failing is down", async () => {
  await using server = await serveSilence();
  await using dns = await serveDns((name) => ({
    addresses: name === "two.example" ? ["127.0.0.1", "127.0.0.2"] : ["127.0.0.2", "127.0.0.3"],
  }));
  const run = (host: string, expectedState: "open" | "closed" = "open") =>
    check({ protocol: "tcp", host, port: server.port, addresses: "all", expectedState }, 2000, using(dns));
  const degraded = await run("two.example");
  expect(degraded).toMatchObject({
    state: "open",
    health: "degraded",
    reason: "address-down",
    message: "1 of 2 addresses of two.example failed: 127.0.0.2 (connection-refused)",
    evidence: {
      addresses: [
        { address: "127.0.0.1", state: "open" },
        { address: "127.0.0.2", state: "closed" },
      ],
    },
  });
  expect(await run("dead.example")).toMatchObject({ state: "closed", health: "down", reason: "connection-refused" });
  expect(await run("two.example", "closed")).toMatchObject({ health: "down", reason: "unexpectedly-open" });
  expect(await run("dead.example", "closed")).toMatchObject({ health: "up" });
});

test("with addresses all, addresses of an unreachable family are listed, not checked", async () => {
  await using server = await serveSilence();
  await using dns = await serveDns(() => ({ addresses: ["127.0.0.1", "2001:db8::1"] }));
  const input = { protocol: "tcp", host: "both.example", port: server.port, addresses: "all" } as const;
  expect(await check(input, 2000, using(dns, ipv4Only))).toMatchObject({
    health: "up",
    evidence: { addresses: [{ address: "127.0.0.1" }], skippedAddresses: ["2001:db8::1"] },
  });
});

test("a public location does not connect to private addresses, however they are written", async () => {
  await using server = await serveSilence();
  await using dns = await serveDns((name) => ({
    addresses: [name === "six.example" ? "64:ff9b::7f00:1" : name === "mapped.example" ? "::ffff:7f00:1" : "127.0.0.1"],
  }));
  const inside = using(dns, { location: { kind: "public", families: ["ipv4", "ipv6"] } });
  for (const host of ["four.example", "six.example", "mapped.example"])
    expect(await check({ protocol: "tcp", host, port: server.port }, 2000, inside)).toMatchObject({
      state: "unresolved",
      health: "down",
      reason: "address-not-allowed",
    });
  expect(server.connections).toBe(0);
});

test("one query per name and family for all checks and batches", async () => {
  await using server = await serveSilence();
  await using dns = await serveDns(() => ({ addresses: ["127.0.0.1"], ttlSeconds: 0 }));
  const engine = createEngine({ location: { kind: "local", families: ["ipv4"] }, protocols, ...using(dns) });
  const settings = checkSettings({ protocol: "tcp", host: "same.example", port: server.port });
  const requests = Array.from({ length: 50 }, (_, i) => ({ id: String(i), check: settings }));
  for (let batch = 0; batch < 2; batch++) {
    const { outcomes } = await engine.runBatch(requests, { deadlineAtMs: Date.now() + 10_000 });
    expect(new Set([...outcomes.values()].map(({ state }) => state))).toEqual(new Set(["open"]));
  }
  expect(dns.queries).toEqual(["A same.example"]);
});

test("300 names are resolved by a resolver that takes half a second per query", async () => {
  await using server = await serveSilence();
  await using dns = await serveDns(() => ({ addresses: ["127.0.0.1"], delayMs: 500 }));
  const engine = createEngine({ location: { kind: "local", families: ["ipv4"] }, protocols, ...using(dns) });
  const requests = Array.from({ length: 300 }, (_, i) => ({
    id: String(i),
    check: checkSettings({ protocol: "tcp", host: `n${i}.example`, port: server.port }, 8000),
  }));
  const { outcomes } = await engine.runBatch(requests, { deadlineAtMs: Date.now() + 20_000 });
  expect([...outcomes.values()].filter(({ state }) => state === "open")).toHaveLength(300);
});

test("a local location knows its hosts file and localhost", async () => {
  await using server = await serveSilence();
  expect(await check({ protocol: "tcp", host: "localhost", port: server.port })).toMatchObject({ state: "open" });
});
