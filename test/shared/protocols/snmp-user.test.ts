import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProbeFailure, type Target, type UdpProbe } from "../../../shared/contract/protocol.ts";
import { snmp } from "../../../shared/protocols/snmp.ts";
import type { User } from "../../../shared/protocols/snmp-v3.ts";
import { element } from "../../../shared/wire/ber.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { messageOf, SnmpAgent } from "../../support/snmp-agent.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const SYS_LOCATION = "1.3.6.1.2.1.1.6.0";
const harbour = {
  user: "harbour",
  level: "authPriv",
  auth: "SHA-256",
  authKey: "lighthouse-1",
  priv: "AES-128",
  privKey: "lighthouse-2",
} as const satisfies User;
const OTHER_ENGINE = Buffer.from("80001f880411223344", "hex");
const one = { packets: { count: 1 } };
const settingsFor = (user: object, more: object = {}) => ({ version: "3", user, oid: SYS_LOCATION, ...one, ...more });
type Server = Awaited<ReturnType<SnmpAgent["serve"]>>;
const run = ({ host, port }: Server, settings: Record<string, unknown>, timeoutMs = 3000) =>
  check({ protocol: snmp, host, port, settings }, timeoutMs);

const standing = new SnmpAgent(harbour);
udpProtocolSuite("snmp v3 as a user", {
  protocol: snmp,
  settings: { version: "3", user: harbour, oid: SYS_LOCATION, expect: { equals: "pier 7" } },
  good: (question, reply) => reply(standing.answer(question) ?? ""),
  expected: {
    facts: { "snmp.engineId": standing.engineId.toString("hex") },
    evidence: { version: "3", value: "pier 7", engineText: "pier-7", boots: 7, uptimeSeconds: 3600 },
  },
  wrong: ["SSH-2.0-OpenSSH_9.2\r\n", Buffer.from("300602010004003000", "hex"), ""],
});

const { user: name, authKey, privKey } = harbour;
test.each<User>([
  { user: name, level: "noAuthNoPriv" },
  { user: name, level: "authNoPriv", auth: "MD5", authKey },
  { user: name, level: "authNoPriv", auth: "SHA-224", authKey },
  { user: name, level: "authPriv", auth: "SHA", authKey, priv: "AES-128", privKey },
  { user: name, level: "authPriv", auth: "SHA", authKey, priv: "AES-256", privKey },
  { user: name, level: "authPriv", auth: "SHA-384", authKey, priv: "AES-128", privKey },
  { user: name, level: "authPriv", auth: "SHA-512", authKey, priv: "AES-256", privKey },
])("reads an object as %j", async (user) => {
  await using server = await new SnmpAgent(user).serve();
  expect(await run(server, settingsFor(user, { expect: { equals: "pier 7" } }))).toMatchObject({ health: "up" });
  expect(await run(server, settingsFor(user, { expect: { equals: "pier 8" } }))).toMatchObject({
    health: "down",
    reason: "unexpected-answer",
  });
});

test.each([
  ["another user", { user: "nobody" }, "does not know the user"],
  ["a wrong authKey", { authKey: "wrong-password" }, "finds authKey or auth wrong"],
  ["another hash", { auth: "SHA-512" }, "finds authKey or auth wrong"],
])("wrong-credentials with %s", async (_what, change, says) => {
  await using server = await standing.serve();
  const outcome = await run(server, settingsFor({ ...harbour, ...change }));
  expect(outcome).toMatchObject({ state: "mismatch", health: "down", reason: "wrong-credentials" });
  expect(outcome.message).toContain(says);
  expect(JSON.stringify(outcome)).not.toMatch(/wrong-password|lighthouse/);
});

test("wrong-credentials for a level that the agent does not take, and for a user who may read nothing", async () => {
  await using server = await standing.serve();
  expect(await run(server, settingsFor({ user: name, level: "noAuthNoPriv" }))).toMatchObject({
    reason: "wrong-credentials",
  });
  const strict = new SnmpAgent(harbour);
  strict.error = 16;
  await using closed = await strict.serve();
  expect(await run(closed, settingsFor(harbour))).toMatchObject({ state: "mismatch", reason: "wrong-credentials" });
});

test("a wrong privKey is silence, and the message says so", async () => {
  await using server = await standing.serve();
  const outcome = await run(server, settingsFor({ ...harbour, privKey: "wrong-password" }), 400);
  expect(outcome).toMatchObject({ state: "open|filtered", reason: "no-answer" });
  expect(outcome.message).toContain("privKey");
});

test("the engine is remembered: only the first check needs discovery", async () => {
  await using server = await standing.serve();
  const settings = settingsFor(harbour);
  expect(await run(server, settings)).toMatchObject({ health: "up" });
  expect(server.received).toHaveLength(2);
  expect(await run(server, settings)).toMatchObject({ health: "up" });
  expect(server.received).toHaveLength(3);
});

test.each<[string, (agent: SnmpAgent) => void]>([
  ["its clock jumps ahead", (agent) => void Object.assign(agent, { time: 103_600 })],
  ["its clock jumps back", (agent) => void Object.assign(agent, { time: 600 })],
  ["it starts again", (agent) => void Object.assign(agent, { boots: 8, time: 0 })],
  ["it starts again and forgets how often it has", (agent) => void Object.assign(agent, { boots: 1, time: 0 })],
  ["it starts again as another engine", (agent) => void Object.assign(agent, { engineId: OTHER_ENGINE })],
])("one repeat is enough when %s", async (_what, change) => {
  const agent = new SnmpAgent(harbour);
  await using server = await agent.serve();
  const settings = settingsFor(harbour);
  await run(server, settings);
  change(agent);
  const sent = server.received.length;
  expect(await run(server, settings)).toMatchObject({
    health: "up",
    evidence: { boots: agent.boots, uptimeSeconds: agent.time },
    facts: { "snmp.engineId": agent.engineId.toString("hex") },
  });
  expect(server.received).toHaveLength(sent + 2);
  expect(await run(server, settings)).toMatchObject({ health: "up" });
  expect(server.received).toHaveLength(sent + 3);
});

test.each<[string, (agent: SnmpAgent, question: Buffer) => Buffer | undefined]>([
  [
    "it finds its own time wrong",
    (agent, question) => agent.report(messageOf(question).id, "notInTimeWindows", "authNoPriv"),
  ],
  ["it says its time without proof", (agent, question) => agent.report(messageOf(question).id, "notInTimeWindows")],
  ["it does not know its own engine", (agent, question) => agent.report(messageOf(question).id, "unknownEngines")],
  ["its answer is not authenticated", (agent, question) => agent.answer(question, "noAuthNoPriv")],
  ["its answer is not encrypted", (agent, question) => agent.answer(question, "authNoPriv")],
  [
    "its answer is another's",
    (agent, question) => {
      const answer = agent.answer(question);
      answer![answer!.length - 1]! ^= 1;
      return answer;
    },
  ],
  ["its answer is old", (agent, question) => Object.assign(agent, { ageSeconds: 151 }).answer(question)],
])("unexpected-answer when %s", async (_what, answer) => {
  const agent = new SnmpAgent(harbour);
  await using server = await agent.serve((question) =>
    messageOf(question).engineId.length === 0 ? agent.answer(question) : answer(agent, question),
  );
  expect(await run(server, settingsFor(harbour))).toMatchObject({ state: "mismatch", reason: "unexpected-answer" });
});

test("answers that are authentic, and hold anything, never throw but a ProbeFailure", () => {
  const agent = new SnmpAgent(harbour);
  const probe = snmp.prepare(settingsFor(harbour)) as UdpProbe;
  const target: Target = { host: "127.0.0.1", address: "127.0.0.1", port: 1, now: Date.now, random: randomBytes };
  const discovered = probe.ask(0, randomBytes, target);
  const asked = probe.read(agent.answer(discovered)!, discovered, target) as { followUp: Buffer };
  const { id } = messageOf(asked.followUp);
  const level = fc.constantFrom<User["level"]>("authPriv", "authNoPriv", "noAuthNoPriv");
  fc.assert(
    fc.property(level, fc.uint8Array({ maxLength: 80 }), fc.boolean(), (level, bytes, isSequence) => {
      const plain = isSequence ? element(0x30, Buffer.from(bytes)) : Buffer.from(bytes);
      try {
        expect(probe.read(agent.seal(id, plain, level), asked.followUp, target)).toBeUndefined();
      } catch (error) {
        if (!(error instanceof ProbeFailure)) throw error;
      }
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 400) },
  );
});

test.each([[{ time: -1 }], [{ boots: 2 ** 31 }], [{ engineId: Buffer.alloc(33, 1) }], [{ engineId: Buffer.alloc(0) }]])(
  "a discovery with %j is refused",
  async (change) => {
    const agent = new SnmpAgent(harbour);
    Object.assign(agent, change);
    await using server = await agent.serve((question) => agent.report(messageOf(question).id, "unknownEngines"));
    expect(await run(server, settingsFor(harbour))).toMatchObject({ state: "mismatch", health: "down" });
  },
);

/** The answer to somebody else's question: its message id is another. */
const foreign = (answer: Buffer): Buffer => {
  const other = Buffer.from(answer);
  const idLengthAt = other.indexOf(Buffer.from("02010330", "hex")) + 6;
  other[idLengthAt + other[idLengthAt]!]! ^= 0x15;
  return other;
};

test("answers to other questions are ignored, alone and before the right ones", async () => {
  await using strange = await standing.serve((question) => foreign(standing.answer(question)!));
  expect(await run(strange, settingsFor(harbour), 250)).toMatchObject({
    state: "open|filtered",
    evidence: { ignoredDatagrams: 1 },
  });
  await using server = await serveUdp((question, reply) => {
    const answer = standing.answer(question)!;
    reply(foreign(answer));
    reply(answer);
  });
  expect(await run(server, settingsFor(harbour))).toMatchObject({ health: "up", evidence: { ignoredDatagrams: 2 } });
});

test("each of a check's datagrams finds its own engine, and those without an answer are lost", async () => {
  const three = { packets: { count: 3, spacingMs: 10 } };
  await using server = await standing.serve();
  expect(await run(server, settingsFor(harbour, three))).toMatchObject({ health: "up", lossPercent: 0 });
  let datagrams = 0;
  await using lossy = await standing.serve((question) => (++datagrams <= 2 ? undefined : standing.answer(question)));
  expect(await run(lossy, settingsFor(harbour, three))).toMatchObject({ reason: "packet-loss", lossPercent: 66.7 });
});

const { privKey: _none, priv: _nor, ...withoutPrivacy } = harbour;
refuses(snmp, [
  [settingsFor({ ...harbour, authKey: "seven77" }), "user.authKey"],
  [settingsFor({ ...harbour, privKey: "seven77" }), "user.privKey"],
  [settingsFor({ ...harbour, priv: "DES" }), "user.priv"],
  [settingsFor({ ...harbour, auth: "SHA-1" }), "user.auth"],
  [settingsFor({ ...harbour, level: "authNoPriv" }), "user.privKey"],
  [settingsFor({ ...harbour, level: "noAuthPriv" }), "user.level"],
  [settingsFor({ ...harbour, level: undefined }), "user.level"],
  [settingsFor({ ...withoutPrivacy, level: "authPriv" }), "user.privKey"],
  [settingsFor({ user: name, level: "noAuthNoPriv", privKey }), "user.privKey"],
  [settingsFor({ ...harbour, user: "" }), "user.user"],
  [settingsFor({ ...harbour, user: "x".repeat(33) }), "user.user"],
  [{ version: "3", oid: SYS_LOCATION }, "oid"],
  [{ version: "3", expect: { contains: "x" } }, "expect"],
  [{ version: "2c", user: harbour }, "user"],
]);
