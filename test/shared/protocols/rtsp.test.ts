import { describe, expect, test } from "vitest";
import { rtsp } from "../../../shared/protocols/rtsp.ts";
import { check } from "../../support/check.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { onLines, serve, serveBytes } from "../../support/servers.ts";

protocolSuite("rtsp", {
  protocol: rtsp,
  good: answers("RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: Harbor/2\r\nPublic: OPTIONS, DESCRIBE, PLAY\r\n\r\n"),
  expected: { facts: { software: "Harbor/2" }, evidence: { status: 200, methods: ["OPTIONS", "DESCRIBE", "PLAY"] } },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    { says: "RTSP/1.0 503 Service Unavailable\r\n\r\n", reason: "service-unavailable" },
  ],
  endless: [{ first: "RTSP/1.0 200 OK\r\n", forever: "X: y\r\n" }],
});

describe("rtsp", () => {
  test.each([
    ["another request's number", "RTSP/1.0 200 OK\r\nCSeq: 77\r\n\r\n", "unexpected-answer"],
    ["no number", "RTSP/1.0 200 OK\r\n\r\n", null],
    ["no version of RTSP", "RTSP/9.9 200 OK\r\nCSeq: 1\r\n\r\n", "wrong-protocol"],
    [
      "503 behind 100",
      "RTSP/1.0 100 Continue\r\nCSeq: 1\r\n\r\nRTSP/1.0 503 Service Unavailable\r\nCSeq: 1\r\n\r\n",
      "service-unavailable",
    ],
    ["100 without end", "RTSP/1.0 100 Continue\r\nCSeq: 1\r\n\r\n".repeat(9), "unexpected-answer"],
    ["a refusal of a request that it could not read", "RTSP/1.0 400 Bad Request\r\n\r\n", null],
  ])("%s", async (_what, says, reason) => {
    await using listening = await serveBytes(says);
    expect(await check({ protocol: rtsp, ...listening })).toMatchObject({ reason });
  });

  test("a demand for a login counts as an answer", async () => {
    await using listening = await serveBytes("RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n");
    expect(await check({ protocol: rtsp, ...listening })).toMatchObject({ state: "open", evidence: { status: 401 } });
  });

  test("a missing stream fails", async () => {
    const seen: string[] = [];
    await using listening = await serve((socket) => {
      onLines(socket, (line) => seen.push(line));
      socket.write("RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n");
    });
    expect(await check({ protocol: rtsp, ...listening, settings: { path: "/door" } })).toMatchObject({
      reason: "unexpected-answer",
    });
    await expect.poll(() => seen[0]).toBe(`OPTIONS rtsp://127.0.0.1:${listening.port}/door RTSP/1.0`);
  });
});
