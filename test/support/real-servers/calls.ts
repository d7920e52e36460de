/** Debian's servers of internet telephony: SIP, and STUN and TURN. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RealServer } from "./server.ts";

export const servers: readonly RealServer[] = [
  {
    name: "coturn",
    debian: "coturn",
    program: "/usr/bin/turnserver",
    version: ["--version"],
    arguments: ({ folder, port }) => [
      "-n",
      "-L",
      "127.0.0.1",
      "-p",
      String(port),
      "--no-tls",
      "--no-dtls",
      "--no-cli",
      "--no-auth",
      "-m",
      "1",
      "--pidfile",
      join(folder, "pid"),
      "-b",
      join(folder, "db"),
      "--log-file",
      "stdout",
    ],
    checks: [
      { protocol: "stun", settings: {} },
      { protocol: "stun", settings: { transport: "tcp" } },
    ],
  },

  {
    name: "kamailio",
    debian: "kamailio kamailio-tls-modules",
    program: "/usr/sbin/kamailio",
    version: ["-v"],
    arguments({ folder, port, securePort, certificate }) {
      writeFileSync(join(folder, "cert.pem"), certificate.certificate);
      writeFileSync(join(folder, "key.pem"), certificate.key);
      writeFileSync(
        join(folder, "tls.cfg"),
        `[server:default]\nmethod = TLSv1.2+\nprivate_key = ${folder}/key.pem\ncertificate = ${folder}/cert.pem\n`,
      );
      writeFileSync(
        join(folder, "kamailio.cfg"),
        `#!KAMAILIO
children=1
tcp_children=1
log_stderror=yes
enable_tls=yes
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
listen=tls:127.0.0.1:${securePort}
loadmodule "sl.so"
loadmodule "tls.so"
modparam("tls", "config", "${folder}/tls.cfg")
request_route { sl_send_reply("200", "Berthed"); }
`,
      );
      return [
        "-DD",
        "-E",
        "-f",
        join(folder, "kamailio.cfg"),
        "-P",
        join(folder, "pid"),
        "-Y",
        folder,
        "-m",
        "16",
        "-M",
        "4",
      ];
    },
    checks: [
      { protocol: "sip", settings: { status: [200] } },
      { protocol: "sip", settings: { transport: "tcp" } },
      { protocol: "sips", secure: true, settings: {} },
      { protocol: "sip", secure: true, settings: { transport: "tcp", tls: {} } },
    ],
  },
  {
    name: "sipp",
    debian: "sip-tester",
    program: "/usr/bin/sipp",
    version: ["-v"],
    arguments: ({ port }) => ["-sn", "uas", "-i", "127.0.0.1", "-p", String(port), "-nostdin", "-aa"],
    checks: [{ protocol: "sip", settings: {} }],
  },
];
