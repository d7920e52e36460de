import { expect, test } from "vitest";
import { https } from "../../../shared/protocols/https.ts";
import { check } from "../../support/check.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { serveTls } from "../../support/servers.ts";

const PAGE = "HTTP/1.1 200 OK\r\nServer: Harbor/1.0\r\nContent-Length: 2\r\n\r\nhi";

protocolSuite("https", {
  protocol: https,
  secure: true,
  good: answers(PAGE),
  expected: { evidence: { status: 200, tls: { subject: "localhost" } } },
  wrong: ["220 mail ESMTP\r\n", { says: "HTTP/1.1 500 Oops\r\n\r\n", reason: "service-unavailable" }],
});

test("https offers HTTP/1.1 by ALPN, and verifies the issuer by default", async () => {
  await using server = await serveTls((socket) => void socket.write(PAGE), {
    tls: { ALPNProtocols: ["h2", "http/1.1"] },
  });
  expect(await check({ protocol: https, ...server })).toMatchObject({
    state: "tls-error",
    reason: "certificate-self-signed",
  });
  expect(await check({ protocol: https, ...server, settings: { tls: { verify: false } } })).toMatchObject({
    state: "open",
    evidence: { tls: { alpn: "http/1.1" } },
  });
});

test("https follows a redirect on a new TLS connection if the server closes the old one", async () => {
  let asked = 0;
  await using server = await serveTls((socket) =>
    socket.once("data", () => {
      asked += 1;
      socket.end(asked === 1 ? "HTTP/1.1 301 Moved\r\nLocation: /a\r\nConnection: close\r\n\r\n" : PAGE);
    }),
  );
  const { certificate } = server.certificate;
  const settings = { status: [200], body: { contains: "hi" }, tls: { ca: certificate } };
  expect(await check({ protocol: https, ...server, settings })).toMatchObject({
    state: "open",
    evidence: { status: 200, redirects: 1, tls: { subject: "localhost" } },
  });
  expect(server.connections).toBe(2);
});
