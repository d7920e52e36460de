/** The whole product: what a service says of itself changes, people hear of it once, and somebody accepts it. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createSecureServer } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../support/certificates.ts";
import { type Client, createClient, startSubscriber, until } from "../support/client.ts";
import { freePort, type Product, startProduct } from "../support/product.ts";
import { kexReply, sshServer } from "../support/ssh-server.ts";

let folder: string;
let product: Product;
let api: Client;
let subscriber: Awaited<ReturnType<typeof startSubscriber>>;
beforeAll(async () => {
  folder = await mkdtemp(join(process.cwd(), ".harborlight-changes-"));
  subscriber = await startSubscriber();
  product = await startProduct(folder, await freePort());
  api = createClient(product.apiUrl, product.token);
  await api("POST", "/v1/subscriptions", { topic: "alerts", kind: "http", endpoint: subscriber.url });
}, 60_000);
afterAll(async () => {
  await product?.stop();
  await subscriber?.stop();
  await rm(folder, { recursive: true, force: true });
});

const listen = async (server: ReturnType<typeof createServer> | ReturnType<typeof createSecureServer>) => {
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return port;
};

/** An SSH server whose host key can be swapped. */
const serveSsh = async () => {
  const key = { byte: 7 };
  const server = createServer((socket) => {
    socket.on("error", () => {});
    const peer = { socket, write: (data: Uint8Array | string) => socket.write(data), end: () => socket.end() };
    sshServer("curve25519-sha256", [], kexReply(key.byte))(peer as never);
  });
  return { port: await listen(server), key };
};

/** A web server whose certificate can be replaced. */
const serveHttps = async (first: ReturnType<typeof makeCertificate>) => {
  let context = createSecureContext({ cert: first.certificate, key: first.key });
  const SNICallback = (_name: string, done: (error: null, found: typeof context) => void) => done(null, context);
  const server = createSecureServer({ cert: first.certificate, key: first.key, SNICallback }, (_request, response) =>
    response.setHeader("connection", "close").end("ok"),
  );
  const replace = ({ certificate, key }: ReturnType<typeof makeCertificate>) => {
    context = createSecureContext({ cert: certificate, key });
    server.setSecureContext({ cert: certificate, key });
  };
  return { port: await listen(server), replace };
};

const create = async (name: string, protocol: string, port: number, settings: object) =>
  (await api("POST", "/v1/monitors", { name, protocol, host: "127.0.0.1", port, settings, intervalSeconds: 10 })).body
    .id as string;

test("a swapped host key and another issuer raise one alert each, a renewal raises none; accepting ends it", {
  timeout: 180_000,
}, async () => {
  const [trusted, other] = [
    makeCertificate({ subject: "Harbor CA", isAuthority: true }),
    makeCertificate({ subject: "Other CA", isAuthority: true }),
  ];
  const ssh = await serveSsh();
  const [renewed, replaced] = [
    await serveHttps(makeCertificate({ issuer: trusted })),
    await serveHttps(makeCertificate({ issuer: trusted })),
  ];
  const insecure = { tls: { verify: false } };
  const ids = {
    ssh: await create("Swapped", "ssh", ssh.port, {}),
    renewed: await create("Renewed", "https", renewed.port, insecure),
    replaced: await create("Replaced", "https", replaced.port, insecure),
  };
  const baseline = async (id: string) => (await api("GET", `/v1/monitors/${id}/baseline`)).body;
  await until(
    "baselines",
    async () => (await Promise.all(Object.values(ids).map(baseline))).every(({ learned }) => learned.length === 1),
    60_000,
  );
  ssh.key.byte = 8;
  renewed.replace(makeCertificate({ issuer: trusted }));
  replaced.replace(makeCertificate({ issuer: other }));

  const about = (id: string) => subscriber.of(id).map(({ alert }) => alert);
  const changesOf = async (id: string) => (await api("GET", `/v1/monitors/${id}/changes`)).body.items;
  await until("alerts", () => about(ids.ssh).length > 0 && about(ids.replaced).length > 0, 60_000);
  await until("the renewal", async () => (await changesOf(ids.renewed)).length > 0, 60_000);
  expect(about(ids.ssh).map(({ event, status, changes }) => [event, status, changes?.map(({ key }) => key)])).toEqual([
    ["changed", "up", ["ssh.hostKey.ssh-ed25519"]],
  ]);
  expect(about(ids.replaced)[0]?.changes).toEqual([
    expect.objectContaining({ key: "tls.issuer", from: ["Harbor CA"], to: "Other CA" }),
  ]);
  expect((await changesOf(ids.renewed)).map(({ key, state }: Record<string, string>) => [key, state])).toEqual([
    ["tls.spki", "recorded"],
  ]);
  const accepted = await api("POST", `/v1/monitors/${ids.ssh}/changes/accept`, { note: "planned" });
  expect(accepted.body.items).toMatchObject([{ state: "accepted", accepted: { note: "planned" } }]);
  await until("the end", () => about(ids.ssh).length > 1);
  expect(about(ids.ssh).map(({ event, incidentState }) => [event, incidentState])).toEqual([
    ["changed", "open"],
    ["change-accepted", "ended"],
  ]);
  expect((await changesOf(ids.ssh))[0]).toMatchObject({ state: "accepted" });
  expect(about(ids.renewed)).toEqual([]);
});
