import { type AddressInfo, createServer } from "node:net";
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { http } from "../../../shared/protocols/http.ts";
import { check } from "../../support/check.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { onLines, serve, serveBytes } from "../../support/servers.ts";

const page = (status: string, body = "hello harbor", headers = "") =>
  `HTTP/1.1 ${status}\r\nServer: Harbor/1.0\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;

protocolSuite("http", {
  protocol: http,
  settings: { body: { contains: "harbor" } },
  good: answers(page("200 OK")),
  expected: {
    facts: { "http.status": "2xx", "http.server": "Harbor/1.0" },
    message: "HTTP/1.1 200 OK",
    evidence: { status: 200, server: "Harbor/1.0" },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "RTSP/1.0 200 OK\r\n\r\n",
    "HTTP/2 200\r\n\r\n",
    { says: page("503 Service Unavailable"), reason: "service-unavailable" },
    { says: page("404 Not Found"), reason: "unexpected-answer" },
    { says: page("200 OK", "something else"), reason: "unexpected-answer" },
    { says: "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", reason: "unexpected-answer" },
    { says: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", reason: "unexpected-answer" },
  ],
  endless: [
    "HTTP/1.1 103 Early Hints\r\n\r\n",
    { first: "HTTP/1.1 200 OK\r\n", forever: "X-Field: value\r\n" },
    { first: "HTTP/1.1 200 OK\r\n\r\n", forever: "no such word " },
    { first: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", forever: "1\r\nx\r\n" },
  ],
});

test("watched headers and the page's title are facts", async () => {
  const html = "<html><head><TITLE lang=en>\n  Harbor &amp; co\n</TITLE></head></html>";
  const headers = "X-Powered-By: PHP/8\r\nX-Frame-Options: DENY\r\nX-Other: 1\r\n";
  await using server = await serveBytes(page("200 OK", html, headers));
  const facts = async (settings: Record<string, unknown>) =>
    (await check({ protocol: http, settings, ...server })).facts;
  expect(await facts({ watchHeaders: ["x-powered-by", "X-Absent"], watchTitle: true })).toEqual({
    "http.status": "2xx",
    "http.server": "Harbor/1.0",
    "http.header.x-frame-options": "DENY",
    "http.header.x-powered-by": "PHP/8",
    "http.title": "Harbor &amp; co",
  });
  expect(await facts({})).not.toHaveProperty("http.title");
});

/** A server that answers by path, several times on one connection. */
const site = (pages: Readonly<Record<string, string>>, seen: string[] = []) =>
  serve((socket) =>
    onLines(socket, (line) => {
      const path = /^(?:GET|HEAD) (\S+) HTTP\/1\.1$/.exec(line)?.[1];
      if (path !== undefined) socket.write(pages[path] ?? page("404 Not Found"));
      if (line !== "") seen.push(line);
    }),
  );

const redirect = (to: string) => page("302 Found", "over there", `Location: ${to}\r\n`);

describe("http", () => {
  test("follows redirects on the same connection", async () => {
    await using server = await site({ "/": redirect("/a"), "/a": redirect("?b=1"), "/a?b=1": page("200 OK") });
    expect(await check({ protocol: http, ...server, settings: { status: [200] } })).toMatchObject({
      state: "open",
      evidence: { status: 200, redirects: 2, path: "/a?b=1" },
    });
    expect(server.connections).toBe(1);
  });

  test("reports a redirect to another origin, and does not follow it", async () => {
    await using elsewhere = await site({ "/": page("200 OK") });
    for (const to of [
      `http://127.0.0.1:${elsewhere.port}/`,
      "https://example.com/",
      "//169.254.169.254/latest",
      "http://a@b/",
    ]) {
      await using server = await site({ "/": redirect(to) });
      expect(await check({ protocol: http, ...server })).toMatchObject({
        state: "open",
        evidence: { status: 302, location: to },
      });
      expect(await check({ protocol: http, ...server, settings: { status: [200] } })).toMatchObject({
        state: "mismatch",
        reason: "unexpected-answer",
      });
    }
    expect(elsewhere.connections).toBe(0);
  });

  test("gives up on a redirect loop, and follows nothing with redirects manual", async () => {
    const seen: string[] = [];
    await using server = await site({ "/": redirect("/") }, seen);
    expect(await check({ protocol: http, ...server })).toMatchObject({
      state: "mismatch",
      reason: "unexpected-answer",
    });
    expect(seen.filter((line) => line.startsWith("GET"))).toHaveLength(6);
    seen.length = 0;
    expect(await check({ protocol: http, ...server, settings: { redirects: "manual" } })).toMatchObject({
      evidence: { status: 302, location: "/" },
    });
    expect(seen.filter((line) => line.startsWith("GET"))).toHaveLength(1);
  });

  test("sends the configured request, and the host as the user wrote it", async () => {
    const seen: string[] = [];
    await using server = await site({ "/x?y=%20": page("200 OK") }, seen);
    const settings = { method: "HEAD", path: "/x?y=%20", headers: { "X-Token": "t", accept: "text/plain" } };
    expect(await check({ protocol: http, ...server, settings })).toMatchObject({ state: "open" });
    expect(seen).toContain("HEAD /x?y=%20 HTTP/1.1");
    expect(seen).toContain(`Host: 127.0.0.1:${server.port}`);
    expect(seen).toContain("X-Token: t");
    expect(seen.filter((line) => line.toLowerCase().startsWith("accept:"))).toEqual(["accept: text/plain"]);
    seen.length = 0;
    await check({ protocol: http, ...server, settings: { hostHeader: "www.example.com" } });
    expect(seen).toContain("Host: www.example.com");
  });

  test.each([
    ["chunked", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n harbor\r\n0\r\nTrailer: x\r\n\r\n", false],
    ["until the end", "\r\nhello harbor", true],
    ["chunked without an end", "Transfer-Encoding: chunked\r\n\r\nff\r\nhello", true],
  ])("reads a body %s", async (how, rest, end) => {
    await using server = await serveBytes(`HTTP/1.1 200 OK\r\n${rest}`, { end });
    const outcome = await check({ protocol: http, ...server, settings: { body: { contains: "hello harbor" } } });
    expect(outcome.state).toBe(how === "chunked without an end" ? "mismatch" : "open");
  });

  test("matches the body's rules with its first bytes only", async () => {
    await using server = await serveBytes(page("200 OK", `${"x".repeat(200)}harbor`));
    const settings = { body: { contains: "harbor" }, maxBodyBytes: 100 };
    expect(await check({ protocol: http, ...server, settings })).toMatchObject({ reason: "unexpected-answer" });
    expect(await check({ protocol: http, ...server, settings: { ...settings, maxBodyBytes: 206 } })).toMatchObject({
      state: "open",
    });
  });

  test.each([
    [{ body: { pattern: "^hello [Hh]arbor$" } }, "open"],
    [{ body: { excludes: "hello" } }, "mismatch"],
    [{ responseHeaders: { "content-type": { contains: "json" } } }, "mismatch"],
    [{ responseHeaders: { Server: { pattern: "^Harbor/\\d" } } }, "open"],
    [{ status: ["100-199", 204] }, "mismatch"],
  ])("%j is %s", async (settings, state) => {
    await using server = await serveBytes(page("200 OK"));
    expect(await check({ protocol: http, ...server, settings })).toMatchObject({ state });
  });

  test("a body is decoded by the character set that the server names", async () => {
    const body = Buffer.from("Gr\xfc\xdfe", "latin1");
    const head = `HTTP/1.1 200 OK\r\nContent-Type: text/html; Charset="ISO-8859-1"\r\nContent-Length: 5, 5\r\n\r\n`;
    await using server = await serveBytes(Buffer.concat([Buffer.from(head), body]));
    expect(await check({ protocol: http, ...server, settings: { body: { contains: "Grüße" } } })).toMatchObject({
      state: "open",
    });
  });

  test("a folded header field is one line", async () => {
    await using server = await serveBytes(
      "HTTP/1.1 200 OK\r\nX-Long: first\r\n\tsecond: 9\r\nContent-Length: 0\r\n\r\n",
    );
    const settings = { responseHeaders: { "X-Long": { contains: "first second: 9" } } };
    expect(await check({ protocol: http, ...server, settings })).toMatchObject({ state: "open" });
  });

  const text = "<html>Welcome to the harbor</html>";
  const coded: readonly [coding: string, bytes: Buffer][] = [
    ["gzip", gzipSync(text)],
    ["x-gzip", gzipSync(text)],
    ["GZip", Buffer.concat([gzipSync(text.slice(0, 10)), gzipSync(text.slice(10))])],
    ["deflate", deflateSync(text)],
    ["deflate", deflateRawSync(text)],
    ["br", brotliCompressSync(text)],
    ["zstd", zstdCompressSync(text)],
    ["identity", Buffer.from(text)],
    ["gzip, br", brotliCompressSync(gzipSync(text))],
    ["gzip\r\nContent-Encoding: br", brotliCompressSync(gzipSync(text))],
  ];
  const rules = [
    [{ contains: "Welcome to the harbor" }, "open"],
    [{ excludes: "Welcome to the harbor" }, "mismatch"],
  ] as const;

  test.each(coded)(
    "a body with the content coding %j is decoded before its rules are matched",
    async (coding, bytes) => {
      const lengths = [`Content-Length: ${bytes.length}\r\n\r\n`, "Connection: close\r\n\r\n"];
      for (const [body, state] of rules)
        for (const length of lengths) {
          const head = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\n${length}`);
          await using server = await serveBytes(Buffer.concat([head, bytes]), { end: true });
          expect(await check({ protocol: http, ...server, settings: { body } })).toMatchObject({ state });
        }
    },
  );

  test("a transfer coding is decoded, too, and an empty body is accepted", async () => {
    const zipped = gzipSync(text);
    const answers = [
      [`Transfer-Encoding: gzip, chunked\r\n\r\n${zipped.length.toString(16)}\r\n`, zipped, "\r\n0\r\n\r\n"],
      ["Transfer-Encoding: gzip\r\nConnection: close\r\n\r\n", zipped, ""],
    ] as const;
    for (const [body, state] of rules)
      for (const [head, bytes, end] of answers) {
        const parts = [Buffer.from(`HTTP/1.1 200 OK\r\n${head}`), bytes, Buffer.from(end)];
        await using server = await serveBytes(Buffer.concat(parts), { end: true });
        expect(await check({ protocol: http, ...server, settings: { body } })).toMatchObject({ state });
      }
    await using empty = await serveBytes(page("200 OK", "", "Content-Encoding: gzip\r\n"));
    const settings = { body: { excludes: "x" } };
    expect(await check({ protocol: http, ...empty, settings })).toMatchObject({ state: "open" });
  });

  test.each([
    ["compress", Buffer.from("whatever"), "content coding compress"],
    ["gzip", Buffer.from("<html>in the clear</html>"), "the body is not gzip"],
    ["gzip", gzipSync(text).subarray(0, 25), "the body is not gzip"],
    ["br", Buffer.alloc(64, 0xff), "the body is not br"],
    ["zstd", Buffer.alloc(64, 0xff), "the body is not zstd"],
    // A window of 2 GB, which RFC 9659 need not grant.
    ["zstd", Buffer.from("28b52ffd00b0010000", "hex"), "the body is not zstd"],
    ["gzip,".repeat(9), gzipSync(text), "9 content codings"],
  ])("a body in %s that cannot be decoded fails every rule, even excludes", async (coding, bytes, message) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    await using server = await serveBytes(Buffer.concat([Buffer.from(head), bytes]));
    const outcome = await check({ protocol: http, ...server, settings: { body: { excludes: "nothing" } } });
    expect(outcome).toMatchObject({ state: "mismatch", reason: "unexpected-answer" });
    expect(outcome.message).toContain(message);
    expect(await check({ protocol: http, ...server })).toMatchObject({ state: "open" });
  });

  test.each([
    ["gzip", gzipSync],
    ["br", (data: Buffer) => brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ["zstd", zstdCompressSync],
  ] as const)("the decoded size of %s is limited, and its first bytes are matched", async (coding, compress) => {
    const bomb = compress(Buffer.concat([Buffer.from("harbor"), Buffer.alloc(100_000_000, 0x20)]));
    const head = `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${bomb.length}\r\n\r\n`;
    await using server = await serveBytes(Buffer.concat([Buffer.from(head), bomb]));
    const before = process.memoryUsage().rss;
    const settings = { body: { contains: "harbor" } };
    const outcome = await check({ protocol: http, ...server, settings });
    expect(outcome).toMatchObject({ state: "open" });
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
  });

  test.each([
    ["closes", { "/": redirect("/a").replace("\r\n", "\r\nConnection: close\r\n") }],
    ["has a body without a length", { "/": "HTTP/1.1 302 Found\r\nLocation: /a\r\n\r\nthere" }],
    ["is of HTTP/1.0", { "/": redirect("/a").replace("HTTP/1.1", "HTTP/1.0") }],
    ["ends without a word", { "/": redirect("/a") }],
  ])("a redirect whose connection %s is followed on a new one", async (how, pages) => {
    const answers: Readonly<Record<string, string>> = { ...pages, "/a": page("200 OK", "arrived") };
    await using server = await serve((socket) => {
      let isFirst = true;
      onLines(socket, (line) => {
        const path = /^GET (\S+)/.exec(line)?.[1];
        if (path === undefined) return;
        if (!isFirst) return void socket.destroy();
        isFirst = false;
        if (how.startsWith("ends")) socket.write(answers[path]!);
        else socket.end(answers[path]!);
      });
    });
    const settings = { status: [200], body: { contains: "arrived" } };
    const outcome = await check({ protocol: http, ...server, settings });
    expect(outcome).toMatchObject({ state: "open", evidence: { status: 200, redirects: 1, path: "/a" } });
    expect(outcome.traffic.bytesReceived).toBe(answers["/"]!.length + answers["/a"]!.length);
    expect(server.connections).toBe(2);
  });

  test.each([
    ["is refused", "closed", "connection-refused"],
    ["stays silent", "mismatch", "no-answer"],
    ["is reset", "mismatch", "connection-reset"],
    ["speaks something else", "mismatch", "wrong-protocol"],
  ])("a new connection for a redirect that %s is an outcome, in time", async (how, state, reason) => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      if (how === "is refused") server.close();
      socket.end(redirect("/a").replace("\r\n", "\r\nConnection: close\r\n"));
      server.removeAllListeners("connection").on("connection", (second) => {
        second.on("error", () => {});
        if (how === "is reset") second.once("data", () => second.resetAndDestroy());
        if (how.startsWith("speaks")) second.write("SSH-2.0-x\r\n");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const startedAt = performance.now();
    expect(await check({ protocol: http, port }, 500)).toMatchObject({
      state,
      // What came over the first connection counts as an answer that is not whole.
      reason: reason === "no-answer" ? "incomplete-answer" : reason,
    });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    server.close();
  });

  test("a redirect is followed on a connection that HTTP/1.0 keeps", async () => {
    const first = redirect("/a").replace("HTTP/1.1", "HTTP/1.0").replace("\r\n", "\r\nConnection: Keep-Alive\r\n");
    await using server = await site({ "/": first, "/a": page("200 OK") });
    expect(await check({ protocol: http, ...server, settings: { status: [200] } })).toMatchObject({ state: "open" });
    expect(server.connections).toBe(1);
  });

  test("304 is no redirect, even with a Location", async () => {
    await using server = await site({ "/": "HTTP/1.1 304 Not Modified\r\nLocation: /a\r\n\r\n" });
    expect(await check({ protocol: http, ...server })).toMatchObject({ state: "open", evidence: { status: 304 } });
  });

  test.each([
    ["HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "open"],
    ["HTTP/1.1 101 Switching Protocols\r\n\r\n", "open"],
    // An interim answer, then one of HTTP/1.0 with a chunked body: framed as it says.
    ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "open"],
    // Chunked counts before a length, and needs no end of line beyond LF.
    ['HTTP/1.1 200 OK\nContent-Length: 99\nTransfer-Encoding: Chunked\n\n0001 ; a="b"\nx\n0\nTrailer: x\n\n', "open"],
    ["HTTP/1.1 200 OK\r\n folded: before any field\r\nContent-Length: 1\r\n\r\nx", "open"],
    ["HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx", "open"],
    ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy", "mismatch"],
    ["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx", "mismatch"],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n", "mismatch"],
    [`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${"T: x\r\n".repeat(60)}\r\n`, "mismatch"],
    ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "mismatch"],
  ])("%j is %s under a rule for its body", async (answer, state) => {
    await using server = await serveBytes(answer);
    const settings = { status: ["100-299"], body: { excludes: "z" } };
    expect(await check({ protocol: http, ...server, settings }, 500)).toMatchObject({ state });
  });

  test("repeated header fields are joined to one list", async () => {
    const fields = "Cache-Control: no-cache\r\nX: y\r\ncache-control: no-store\r\nContent-Length: 0\r\n\r\n";
    await using server = await serveBytes(`HTTP/1.1 200 OK\r\n${fields}`);
    const settings = { responseHeaders: { "Cache-Control": { pattern: "^no-cache, no-store$" } } };
    expect(await check({ protocol: http, ...server, settings })).toMatchObject({ state: "open" });
  });

  test("a pattern prone to catastrophic backtracking is matched with the whole body", async () => {
    await using server = await serveBytes(page("200 OK", `${"a".repeat(60_000)}!`));
    const settings = { body: { pattern: "^(a+)+$" } };
    expect(await check({ protocol: http, ...server, settings })).toMatchObject({
      reason: "unexpected-answer",
      message: expect.stringContaining("the body must match /^(a+)+$/, got: aaa"),
    });
  });

  test.each([
    [{ path: "no-slash" }, "path: must start with /"],
    [{ path: "/a b" }, "path: must start with /"],
    [{ headers: { "X-A": "a\r\nHost: b" } }, "headers.X-A: must be one line"],
    [{ headers: { Host: "b" } }, "headers: Host (use hostHeader)"],
    [{ hostHeader: "a b/c@d" }, "hostHeader: must be a host"],
    [{ status: ["2xx"] }, "status[0]"],
    [{ status: ["300-200"] }, "status[0]: must not end below its start"],
    [{ body: { pattern: "(" } }, "body.pattern: must be a regular expression"],
    [{ body: { pattern: "a(?=b)" } }, "body.pattern: must run in linear time"],
    [{ body: { pattern: "a" }, maxBodyBytes: 65_537 }, "maxBodyBytes: must be at most 65536 with body.pattern"],
    [{ body: {} }, "body: needs contains"],
    [{ method: "HEAD", body: { contains: "x" } }, "body: an answer to HEAD has no body"],
    [{ method: "HEAD", watchTitle: true }, "watchTitle: an answer to HEAD has no title"],
    [{ watchHeaders: Array(9).fill("x") }, "watchHeaders: must be at most 8 names"],
    [{ tls: {} }, "tls: there is no such setting"],
  ])("refuses %j", (settings, message) => {
    expect(() => http.prepare(settings)).toThrow(message);
  });
});
