import { kafka } from "../../../shared/protocols/kafka.ts";
import { type Peer, protocolSuite } from "../../support/protocol-suite.ts";

const broker =
  (error: number, apis: readonly (readonly [number, number, number])[]) =>
  ({ socket, write }: Peer) =>
    socket.once("data", (request) => {
      const body = Buffer.alloc(4 + 2 + 4 + 6 * apis.length);
      request.copy(body, 0, 8, 12);
      body.writeUInt16BE(error, 4);
      body.writeUInt32BE(apis.length, 6);
      for (const [index, api] of apis.entries())
        for (const [place, value] of api.entries()) body.writeUInt16BE(value, 10 + 6 * index + 2 * place);
      const size = Buffer.alloc(4);
      size.writeUInt32BE(body.length);
      write(Buffer.concat([size, body]));
    });

protocolSuite("kafka", {
  protocol: kafka,
  good: broker(0, [
    [0, 0, 11],
    [1, 0, 17],
    [18, 0, 4],
    [74, 0, 0],
  ]),
  expected: {
    facts: { "kafka.apis": "4: Produce 0-11, Fetch 0-17, ApiVersions 0-4" },
    evidence: { apis: 4, highestApi: 74, versions: ["Produce 0-11", "Fetch 0-17", "ApiVersions 0-4"] },
  },
  // Nobody can know the correlation id without reading the request.
  wrong: ["SSH-2.0-OpenSSH_9.2\r\n", Buffer.concat([Buffer.from([0, 0, 0, 10]), Buffer.alloc(10)])],
});
