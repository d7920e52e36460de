import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Listening, listen } from "../../../../infra/local/http-server/listen.ts";

let server: Listening;
beforeAll(async () => {
  server = await listen("127.0.0.1", 0);
});
afterAll(() => server.close(0));

const ask = async (raw: string) => {
  const socket = connect(server.port, "127.0.0.1");
  socket.write(raw);
  const [head = "", body = ""] = (await text(socket)).split("\r\n\r\n");
  return { status: Number(head.split(" ")[1]), isJson: head.includes("application/json"), body: JSON.parse(body) };
};

test.each([
  [
    "headers that are too large",
    `GET / HTTP/1.1\r\nhost: x\r\nx: ${"x".repeat(20_000)}\r\n\r\n`,
    431,
    "Request Header Fields Too Large",
  ],
  ["what is no HTTP", "hello\r\n\r\n", 400, "Bad Request"],
])("%s get the gateway's answer", async (_, raw, status, message) => {
  expect(await ask(raw)).toEqual({ status, isJson: true, body: { message } });
});
