/** Child process: the targets that C has none of (TLS, a spoken protocol, slow names), and those of C where there is no gcc. */
import { connect } from "node:net";
import { serveDns } from "../../support/dns-server.ts";
import { onLines, serve, serveTls, serveUdp } from "../../support/servers.ts";

export interface TargetPorts {
  readonly tcp: readonly number[];
  readonly udp: readonly number[];
  readonly tls: readonly number[];
  /** The same, 25 ms away. */
  readonly farTls: readonly number[];
  readonly spoken: readonly number[];
  /** Says something after a second. */
  readonly waiting: readonly number[];
  /** A name server that takes a second. */
  readonly nameServer: string;
}

const several = async (count: number, make: () => Promise<{ readonly port: number }>) =>
  (await Promise.all(Array.from({ length: count }, make))).map(({ port }) => port);

/** Of a network between: each byte arrives so much later. */
const DELAY_MS = 25;
const behindNetwork = (port: number) =>
  serve((near) => {
    const far = connect(port, "127.0.0.1");
    far.on("error", () => near.destroy());
    near.on("data", (data) => setTimeout(() => far.write(data), DELAY_MS)).on("close", () => far.destroy());
    far.on("data", (data) => setTimeout(() => near.write(data), DELAY_MS));
  });

const dns = await serveDns(() => ({ addresses: ["127.0.0.1"], delayMs: 1000 }));
const tls = await several(4, () => serveTls((socket) => socket.resume()));
let next = 0;
const ports: TargetPorts = {
  tcp: await several(100, () => serve((socket) => socket.resume())),
  udp: await several(100, () => serveUdp((message, reply) => reply(message))),
  tls,
  farTls: await several(4, () => behindNetwork(tls[next++]!)),
  spoken: await several(20, () => serve((socket) => onLines(socket, () => socket.end("+PONG\r\n")))),
  waiting: await several(20, () => serve((socket) => setTimeout(() => socket.write("x"), 1000))),
  nameServer: dns.address,
};
process.send?.(ports);
