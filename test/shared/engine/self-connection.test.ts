/** Self-connections: the kernel may assign the checked port as the socket's own; these tests force it to. */
import dgram from "node:dgram";
import { Socket, type SocketConnectOpts } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { check } from "../../support/check.ts";
import { refusedPort, refusedUdpPort } from "../../support/servers.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const udp = { settings: { send: "ping", expect: { equals: "ping" }, packets: { count: 1 } } };

test("a closed TCP port is closed even if the socket connects to itself", async () => {
  const connect = Socket.prototype.connect;
  vi.spyOn(Socket.prototype, "connect").mockImplementation(function (this: Socket, ...given: unknown[]) {
    // `net.connect` hands its arguments over in a list of their own.
    const options = (given[0] as [SocketConnectOpts])[0] as { port: number; localPort?: number };
    options.localPort = options.port;
    return Reflect.apply(connect, this, given) as Socket;
  });
  const port = await refusedPort();
  for (const settings of [{}, { steps: [{ send: "ping", expect: { contains: "ping" } }] }])
    expect(await check({ protocol: "tcp", ...port, settings })).toMatchObject({
      state: "closed",
      health: "down",
      reason: "connection-refused",
      message: expect.stringContaining("the check's") as string,
    });
});

test("a closed UDP port is closed even if the socket receives its own datagram", async () => {
  const connect = dgram.Socket.prototype.connect;
  vi.spyOn(dgram.Socket.prototype, "connect").mockImplementation(function (this: dgram.Socket, port, ...rest) {
    this.bind(port, "127.0.0.1", () => Reflect.apply(connect, this, [port, ...rest]));
  });
  expect(await check({ protocol: "udp", ...(await refusedUdpPort()), ...udp })).toMatchObject({
    state: "closed",
    health: "down",
    reason: "port-unreachable",
    message: expect.stringContaining("the check's") as string,
  });
});
