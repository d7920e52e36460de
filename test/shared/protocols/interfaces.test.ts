import { expect, test } from "vitest";
import { interfaces } from "../../../shared/protocols/interfaces.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { refusedUdpPort, serveUdp } from "../../support/servers.ts";
import { Switch } from "../../support/switch.ts";

const harbor = { community: "harbor" };
const user = {
  user: "harbour",
  level: "authPriv",
  auth: "SHA-256",
  authKey: "lighthouse-1",
  priv: "AES-128",
  privKey: "lighthouse-2",
} as const;
type Server = Awaited<ReturnType<typeof serveUdp>>;
const run = ({ host, port }: Pick<Server, "host" | "port">, settings: object = harbor, timeoutMs = 5_000) =>
  check({ protocol: interfaces, host, port, settings: { ...settings } }, timeoutMs);

test("open with the counters of all ports, by 40 objects a datagram", async () => {
  const device = new Switch(48);
  Object.assign(device.port("Gi1/0/7"), { inOctets: 2n ** 64n - 1n, lateCollisions: 2 ** 32 - 2, duplex: 2 });
  device.setLink("Gi1/0/48", 2);
  await using server = await device.serve();
  const outcome = await run(server);
  expect(outcome).toMatchObject({
    state: "open",
    health: "up",
    reason: null,
    message: "48 interfaces, 47 up",
    evidence: { version: "2c", name: "switch-3", interfaces: 48, up: 47, uptimeSeconds: 10_000 },
    lossPercent: 0,
  });
  expect(outcome.timings.latencyMs).toBeGreaterThan(0);
  expect(outcome.poll?.interfaces).toHaveLength(48);
  expect(outcome.poll?.interfaces[6]).toMatchObject({
    index: 7,
    name: "Gi1/0/7",
    alias: "desk 7",
    type: 6,
    admin: 1,
    oper: 1,
    duplex: 2,
    speedMbps: 1_000,
    isWide: true,
    inOctets: 2n ** 64n - 1n,
    outOctets: 2_000_000n,
    lateCollisions: 2 ** 32 - 2,
  });
  // The system; two datagrams for each of four columns of names, and the end of each; 48 x 17 objects by 40.
  expect(server.received.length).toBeLessThanOrEqual(1 + 4 * 3 + Math.ceil((48 * 17) / 40));
});

test("what is said of each port is a fact: all links first, then whole kinds as long as there is room", async () => {
  await using small = await new Switch(4).serve();
  expect((await run(small)).facts).toMatchObject({
    "snmp.name": "switch-3",
    "if.Gi1/0/1.link": "up",
    "if.Gi1/0/1.admin": "up",
    "if.Gi1/0/1.speed": "1000",
    "if.Gi1/0/1.duplex": "full",
  });
  await using large = await new Switch(120).serve();
  const kinds = Map.groupBy(Object.keys((await run(large)).facts ?? {}), (key) => key.replace(/^.*\./, ""));
  expect([...kinds].map(([kind, keys]) => [kind, keys.length])).toEqual([
    ["name", 1],
    ["link", 120],
  ]);
});

test("a user of version 3 reads them too", async () => {
  await using server = await new Switch(30).serveUser(user);
  expect(await run(server, { version: "3", user })).toMatchObject({
    health: "up",
    evidence: { version: "3", up: 30 },
    facts: { "snmp.engineId": "80001f8804706965722d37", "if.Gi1/0/30.link": "up" },
  });
  expect(await run(server, { version: "3", user: { ...user, user: "nobody" } })).toMatchObject({
    health: "down",
    reason: "wrong-credentials",
  });
});

test("only and except choose; a filter that matches nothing is named, with what there is", async () => {
  const device = new Switch(12);
  await using server = await device.serve();
  const named = async (more: object) =>
    (await run(server, { ...harbor, ...more })).poll?.interfaces.map(({ name }) => name);
  expect(await named({ only: "gi1/0/1?" })).toEqual(["Gi1/0/10", "Gi1/0/11", "Gi1/0/12"]);
  expect(await named({ only: "Gi1/0/1*", except: "*1, Gi1/0/12" })).toEqual(["Gi1/0/10"]);
  const nothing = await run(server, { ...harbor, only: "Te*" });
  expect(nothing).toMatchObject({ state: "mismatch", health: "down", reason: "unexpected-answer" });
  expect(nothing.message).toContain(
    "none of the 12 interfaces is wanted by only and except: the agent has Gi1/0/1, Gi1/0/2",
  );
});

test("names are read once, and again when the table has changed or an index has another name", async () => {
  const device = new Switch(6);
  await using server = await device.serve();
  const settings = { ...harbor };
  const names = async () => {
    const before = server.received.length;
    const outcome = await check({ protocol: interfaces, host: server.host, port: server.port, settings });
    return {
      names: outcome.poll?.interfaces.map(({ index, name }) => `${index} ${name}`),
      sent: server.received.length - before,
    };
  };
  const first = await names();
  expect(first.names?.[0]).toBe("1 Gi1/0/1");
  expect((await names()).sent).toBe(4); // the system, and 6 x 17 objects
  for (const port of device.ports) port.index += 100;
  device.tableChange = 5;
  expect((await names()).names?.[0]).toBe("101 Gi1/0/1");
  // An agent that does not tell of it.
  [device.ports[0]!.name, device.ports[1]!.name] = ["Gi1/0/2", "Gi1/0/1"];
  expect((await names()).names?.slice(0, 2)).toEqual(["101 Gi1/0/2", "102 Gi1/0/1"]);
});

test("counters of 32 bits stand in where there are no others", async () => {
  const device = new Switch(2);
  Object.assign(device.port("Gi1/0/2"), { isNarrow: true, inOctets: 2n ** 32n + 5n });
  await using server = await device.serve();
  const [wide, narrow] = (await run(server)).poll!.interfaces;
  expect([wide!.isWide, narrow!.isWide, narrow!.inOctets, narrow!.outPackets]).toEqual([true, false, 5n, 2_000n]);
});

test("a loopback has no line rate, whatever its agent says", async () => {
  const device = new Switch(2);
  Object.assign(device.port("Gi1/0/1"), { type: 24, speedMbps: 10 });
  await using server = await device.serve();
  expect((await run(server)).poll?.interfaces.map(({ speedMbps }) => speedMbps)).toEqual([0, 1_000]);
});

test("what is too big for an answer is asked for in halves", async () => {
  const device = new Switch(10);
  device.mostObjects = 7;
  await using server = await device.serve();
  expect(await run(server)).toMatchObject({ health: "up", message: "10 interfaces, 10 up" });
});

test("a datagram that gets lost is sent again", async () => {
  await using server = await new Switch(4).serve((said, n) => (n % 5 === 2 ? [] : [said]));
  const outcome = await run(server);
  expect(outcome).toMatchObject({ state: "open", health: "up" });
  expect(outcome.lossPercent).toBeGreaterThan(0);
});

test("late and repeated answers find their requests, or none", async () => {
  const held: Buffer[] = [];
  await using server = await new Switch(8).serve((said) => {
    held.push(said);
    return [said, held[0]!, said];
  });
  expect(await run(server)).toMatchObject({ state: "open", health: "up" });
});

test("silence, a closed port, half a conversation and other services are named", async () => {
  await using silent = await serveUdp(() => {});
  expect(await run(silent, harbor, 250)).toMatchObject({
    state: "open|filtered",
    health: "down",
    reason: "no-answer",
    lossPercent: 100,
  });
  await using device = await new Switch(2).serve();
  const wrong = await run(device, { community: "wrong" }, 250);
  expect(wrong).toMatchObject({ reason: "no-answer" });
  expect(wrong.message).toContain("an SNMP agent is silent to a wrong community");
  expect(await run(await refusedUdpPort())).toMatchObject({ state: "closed", reason: "port-unreachable" });
  await using half = await new Switch(8).serve((said, n) => (n < 3 ? [said] : []));
  expect(await run(half, harbor, 400)).toMatchObject({
    state: "mismatch",
    health: "down",
    reason: "incomplete-answer",
  });
  await using other = await serveUdp((_question, reply) => reply("SSH-2.0-OpenSSH_9.2\r\n"));
  expect(await run(other)).toMatchObject({ state: "mismatch", health: "down", reason: "wrong-protocol" });
  await using echo = await serveUdp((question, reply) => reply(question));
  expect(await run(echo)).toMatchObject({ state: "mismatch", reason: "wrong-protocol" });
});

test("a walk that does not grow ends the check, and so does a table without interfaces", async () => {
  const device = new Switch(60);
  device.isTurning = true;
  await using turning = await device.serve();
  const outcome = await run(turning);
  expect(outcome).toMatchObject({ state: "mismatch", health: "down", reason: "unexpected-answer" });
  expect(outcome.message).toContain("and would never end");
  await using empty = await new Switch(0).serve();
  expect((await run(empty)).message).toContain("lists no interfaces");
});

refuses(interfaces, [
  [{ version: "1" }, "version"],
  [{ version: "3" }, "user"],
  [{ version: "3", user: { ...user, authKey: "short" } }, "user.authKey"],
  [{ version: "3", user: { ...user, priv: "DES" } }, "user.priv"],
  [{ only: "Gi*,," }, "only"],
  [{ limits: { flaps: 1 } }, "limits.flaps"],
  [{ limits: { errors: 1 } }, "limits.errors"],
  [{ limits: { down: "always" } }, "limits.down"],
  [{ packets: { count: 1 } }, "packets"],
]);

test("a pattern with many stars is compared like others", async () => {
  const device = new Switch(2);
  device.port("Gi1/0/1").name = "a".repeat(64);
  await using server = await device.serve();
  expect(await run(server, { ...harbor, only: `${"*a".repeat(500)}b` })).toMatchObject({ reason: "unexpected-answer" });
  expect((await run(server, { ...harbor, only: "*a*a*?*a*" })).poll?.interfaces).toHaveLength(1);
});
