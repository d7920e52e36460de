import { sips } from "../../../shared/protocols/sips.ts";
import { protocolSuite } from "../../support/protocol-suite.ts";
import { refuses } from "../../support/refuses.ts";
import { respond } from "../../support/sip-server.ts";

protocolSuite("sips", {
  protocol: sips,
  secure: true,
  good: ({ socket, write }) => void socket.once("data", (question) => write(respond(question))),
  expected: { evidence: { status: 200, server: "Buoy/1.2", tls: { subject: "localhost" } } },
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n"],
  endless: [{ first: "SIP/2.0 200 OK\r\n", forever: "Header: x\r\n" }],
});

refuses(sips, [
  [{ transport: "tcp" }, "transport"],
  [{ tls: { warnDays: -1 } }, "tls.warnDays"],
  [{ packets: {} }, "packets"],
  [{ status: [] }, "status"],
]);
