import type { lookup } from "node:dns";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createHttpSend } from "../../../shared/alerts/http.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { startReceiver } from "../../support/receiver.ts";

const local = createHttpSend({ reach: "local", version: "1", timeoutMs: 500 });
const open = createHttpSend({ reach: "public", version: "1", timeoutMs: 500 });
const request = (url: string) => ({ method: "POST", url, headers: {}, body: "{}" }) as const;
const signal = () => AbortSignal.timeout(5_000);

const listening = async (server: Server) => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

test.each([
  "http://127.0.0.1/",
  "http://169.254.169.254/latest/meta-data/",
  "http://[::ffff:169.254.169.254]/",
  "http://[fd00:ec2::254]/",
  "http://0x7f.1/",
  "http://2130706433/",
  "http://10.0.0.1/",
  "http://localhost/",
  "http://a.localhost/",
  "http://[::1]/",
])("from the cloud %s may not be reached", async (url) => {
  await expect(open(request(url), signal())).rejects.toThrow("may not be reached");
});

test.each([
  [["10.0.0.1"], "may not be reached: 10.0.0.1 is a private address"],
  [["169.254.169.254", "::1"], "may not be reached: 169.254.169.254 is a link-local address"],
  // Only the public address may be tried; nobody answers there.
  [["127.0.0.1", "2001:4860:ffff::1"], /did not answer in time|ENETUNREACH|EADDRNOTAVAIL|EHOSTUNREACH/],
])("a name that resolves to %j connects to no private address", async (addresses, message) => {
  await using receiver = await startReceiver(() => ({ status: 200 }));
  const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  const resolve = ((_host: string, _options: object, callback: (error: null, all: object[]) => void) =>
    callback(null, found)) as unknown as typeof lookup;
  const send = createHttpSend({ reach: "public", version: "1", timeoutMs: 500, resolve });
  await expect(send(request(receiver.url.replace("127.0.0.1", "hooks.example.com")), signal())).rejects.toThrow(
    message,
  );
  expect(receiver.received).toEqual([]);
});

test("redirects are not followed", async () => {
  await using receiver = await startReceiver(() => ({ status: 302, headers: { location: "/other" } }));
  expect(await local(request(receiver.url), signal())).toMatchObject({ status: 302 });
  expect(receiver.received).toHaveLength(1);
});

test("an answer without end is read to 16 KB", async () => {
  const server = createServer((_, response) => {
    const more = () => response.writable && response.write("x".repeat(1024), () => setImmediate(more));
    more();
  });
  await using endless = await listening(server);
  const { body } = await local(request(`http://127.0.0.1:${endless.port}/`), signal());
  expect(body).toHaveLength(16 * 1024);
});

test("a body that trickles ends at the time-out", async () => {
  const server = createServer((_, response) => void response.writeHead(200).write("x"));
  await using slow = await listening(server);
  await expect(local(request(`http://127.0.0.1:${slow.port}/`), signal())).rejects.toThrow("did not answer in time");
});

test("a certificate that nobody vouches for is refused", async () => {
  const { certificate: cert, key } = makeCertificate();
  const server = createTlsServer({ cert, key }, (_, response) => response.end("ok"));
  await using secure = await listening(server);
  const url = `https://localhost:${secure.port}/`;
  await expect(local(request(url), signal())).rejects.toThrow(/certificate/);
  const trusting = createHttpSend({ reach: "local", version: "1", ca: cert });
  expect(await trusting(request(url), signal())).toMatchObject({ status: 200, body: "ok" });
});

test("says that the receiver refused the connection", async () => {
  await expect(local(request("http://127.0.0.1:1/"), signal())).rejects.toThrow("ECONNREFUSED");
});
