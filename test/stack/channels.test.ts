/** Alert channels on the whole stack, from the template with its permissions: each kind delivers a test alert. */
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningStack, startStack } from "../../infra/local/stack.ts";
import { type Client, createClient, until } from "../support/client.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { serve } from "../support/servers.ts";

const FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:on-alert";

let folder: string;
let stack: RunningStack;
let api: Client;
let receiver: Receiver;

beforeAll(async () => {
  // Below the project, as by default: its package.json must not decide how the bundles are read.
  folder = await mkdtemp(join(process.cwd(), ".harborlight-channels-"));
  receiver = await startReceiver(() => ({ status: 200, body: "ok" }));
  stack = await startStack({ dataFolder: folder, port: 0, context: { smsAlerts: true, alertFunctions: [FUNCTION] } });
  api = createClient(stack.apiUrl, stack.token);
}, 60_000);
afterAll(async () => {
  await stack?.stop();
  await receiver?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const tested = async (kind: string, settings: object) => {
  const created = await api("POST", "/v1/channels", { name: `A ${kind} ${randomUUID()}`, kind, settings });
  expect([created.status, created.body.errors]).toEqual([201, undefined]);
  const { status, body } = await api("POST", `/v1/channels/${created.body.id}/test`);
  expect(status).toBe(200);
  return body;
};

const filesIn = async (name: string, text: string) => {
  const files = await readdir(join(folder, name)).catch(() => []);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, name, file), "utf8")));
  return texts.filter((one) => one.includes(text));
};

test("a webhook gets the beginning and the end of a test, from the version that runs", async () => {
  const body = await tested("webhook", { url: `${receiver.url}/hook` });
  expect(body).toMatchObject({ delivered: true, messages: [{ event: "down" }, { event: "recovered" }] });
  expect(receiver.received.map(({ headers }) => headers["user-agent"])).toEqual([
    expect.stringMatching(/^harborlight\/\d+\.\d+\.\d+$/),
    expect.stringMatching(/^harborlight\/\d+\.\d+\.\d+$/),
  ]);
});

test.each([
  ["email", { address: "ops@example.com" }, "mail", "ops@example.com"],
  ["sms", { phoneNumber: "+41791234567" }, "sms", "To: +41791234567"],
])("%s arrives", async (kind, settings, where, text) => {
  expect(await tested(kind, settings)).toMatchObject({ delivered: true });
  await until(`file in ${where}`, async () => (await filesIn(where, text)).length === 1);
});

test.each(["sns", "people"])("topic %s takes it", async (kind) => {
  expect(await tested(kind, {})).toMatchObject({ delivered: true });
});

test("who subscribes by SMS hears through topic people", async () => {
  const endpoint = "+41790000000";
  const { status, body } = await api("POST", "/v1/subscriptions", { kind: "sms", endpoint });
  expect([status, body]).toEqual([201, expect.objectContaining({ topic: "people", isConfirmed: true })]);
  await tested("people", {});
  await until("SMS", async () => (await filesIn("sms", `To: ${endpoint}`)).length === 1);
});

test("a function that is named and missing refuses for good; one that is not named cannot be chosen", async () => {
  expect(await tested("lambda", { functionArn: FUNCTION })).toMatchObject({
    delivered: false,
    messages: [{ isPermanent: true, answer: expect.stringContaining("ResourceNotFoundException") }],
  });
  const other = await api("POST", "/v1/channels", {
    name: "Another",
    kind: "lambda",
    settings: { functionArn: `${FUNCTION}-2` },
  });
  expect([other.status, other.body.errors[0].path]).toEqual([422, "settings.functionArn"]);
});

test("alerts go to the channels of a policy, mail on its own while a channel refuses, and each arrives once", async () => {
  const slow = await startReceiver(() => "silent");
  const made = async (name: string, url: string) =>
    (await api("POST", "/v1/channels", { name, kind: "webhook", settings: { url } })).body.id as string;
  const channels = [await made("Refuses at first", `${receiver.url}/alerts`), await made("Silent", slow.url)];
  let refusals = 0;
  receiver.answers(({ path }) => ({ status: path === "/alerts" && refusals++ < 1 ? 503 : 200 }));
  const steps = [{ afterSeconds: 0, channels, emails: ["night@example.com"] }];
  expect(
    (await api("POST", "/v1/policies", { name: "Everywhere", match: { tags: { team: "night" } }, steps })).status,
  ).toBe(201);
  const free = await serve(() => {});
  await free[Symbol.asyncDispose]();
  const monitor = {
    name: "Closed",
    protocol: "tcp",
    host: "127.0.0.1",
    port: free.port,
    intervalSeconds: 10,
    tags: { team: "night" },
  };
  const { body } = await api("POST", "/v1/monitors", {
    ...monitor,
    retries: { count: 0, delayMs: 500 },
    timeoutMs: 1_000,
  });
  await until("mail", async () => (await filesIn("mail", "night@example.com")).length === 1, 40_000);
  const ofMonitor = () =>
    receiver.received.filter(({ path, body: text }) => path === "/alerts" && text.includes(body.id));
  await until("webhook", () => ofMonitor().length === 2, 40_000);
  const ids = ofMonitor().map(({ body: text }) => JSON.parse(text).alertId);
  expect(ids[0]).toBe(ids[1]);
  await slow[Symbol.asyncDispose]();
}, 90_000);

test("the document describes the calls", async () => {
  const { body } = await api("GET", "/v1/openapi.json");
  expect(Object.keys(body.paths)).toEqual(
    expect.arrayContaining(["/v1/channels", "/v1/channels/{id}", "/v1/channels/{id}/test", "/v1/channel-kinds"]),
  );
});
