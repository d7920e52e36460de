/**
 * Debian's servers for the other protocols that speak UDP, each on loopback with a configuration of its own under a temporary
 * folder. Their ports are free ones; nothing of the machine's own configuration is read or written.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RealServer } from "./server.ts";

export const servers: readonly RealServer[] = [
  {
    name: "chrony",
    debian: "chrony",
    program: "/usr/sbin/chronyd",
    version: ["--version"],
    arguments({ folder, port }) {
      writeFileSync(
        join(folder, "chrony.conf"),
        `port ${port}\nbindaddress 127.0.0.1\nallow 127.0.0.1\ncmdport 0\nbindcmdaddress /\npidfile ${folder}/pid\nlocal stratum 8\n`,
      );
      // -x: never touches the machine's clock.
      return ["-x", "-d", "-u", "root", "-f", join(folder, "chrony.conf")];
    },
    checks: [
      { protocol: "ntp", settings: { offsetMs: { downAbove: 1000 }, stratum: { downAbove: 8 } } },
      {
        protocol: "ntp",
        settings: { stratum: { degradedAbove: 5 } },
        expected: { state: "open", health: "degraded", reason: "poor-quality" },
      },
    ],
  },
  {
    name: "freeradius",
    debian: "freeradius",
    program: "/usr/sbin/freeradius",
    version: ["-v"],
    arguments({ folder, port }) {
      mkdirSync(join(folder, "run"));
      writeFileSync(
        join(folder, "radiusd.conf"),
        `prefix = /usr
logdir = ${folder}
run_dir = ${folder}/run
libdir = /usr/lib/freeradius
pidfile = ${folder}/pid
correct_escapes = true
max_requests = 256
log {
  destination = stdout
}
security {
  status_server = yes
}
thread pool {
  start_servers = 1
  max_servers = 2
}
client here {
  ipaddr = 127.0.0.1
  secret = "quay"
}
server default {
  listen {
    type = auth
    ipaddr = 127.0.0.1
    port = ${port}
  }
  authorize {
  }
}
`,
      );
      return ["-f", "-l", "stdout", "-d", folder];
    },
    checks: [
      { protocol: "radius", settings: { secret: "quay" } },
      {
        protocol: "radius",
        settings: { secret: "wrong" },
        expected: { state: "open|filtered", health: "down", reason: "no-answer" },
      },
    ],
  },

  {
    name: "tftpd-hpa",
    debian: "tftpd-hpa",
    program: "/usr/sbin/in.tftpd",
    version: ["-V"],
    arguments({ folder, port }) {
      mkdirSync(join(folder, "files"));
      writeFileSync(join(folder, "files", "chart"), "soundings\n", { mode: 0o644 });
      return ["-L", "-a", `127.0.0.1:${port}`, "-u", "root", "-s", join(folder, "files")];
    },
    checks: [
      { protocol: "tftp", settings: { expect: "missing" } },
      { protocol: "tftp", settings: { file: "chart", expect: "file" } },
    ],
  },
  {
    name: "openvpn",
    debian: "openvpn",
    program: "/usr/sbin/openvpn",
    version: ["--version"],
    arguments({ folder, port, certificate }) {
      writeFileSync(join(folder, "cert.pem"), certificate.certificate);
      writeFileSync(join(folder, "key.pem"), certificate.key);
      const keys = [
        "--ca",
        join(folder, "cert.pem"),
        "--cert",
        join(folder, "cert.pem"),
        "--key",
        join(folder, "key.pem"),
      ];
      return [
        "--dev",
        "null",
        "--tls-server",
        "--dh",
        "none",
        ...keys,
        "--local",
        "127.0.0.1",
        "--lport",
        String(port),
      ];
    },
    // By TCP a server without a tunnel device takes one visit and restarts, which is too few for the tests here.
    checks: [{ protocol: "openvpn", settings: {} }],
  },
  {
    name: "caddy",
    debian: "caddy",
    program: "/usr/bin/caddy",
    version: ["version"],
    environment: { XDG_DATA_HOME: ".", XDG_CONFIG_HOME: "." },
    arguments({ folder, port }) {
      writeFileSync(
        join(folder, "Caddyfile"),
        `{\n admin off\n skip_install_trust\n auto_https disable_redirects\n}\nhttps://localhost:${port} {\n bind 127.0.0.1\n tls internal\n respond "ahoy"\n}\n`,
      );
      return ["run", "--config", join(folder, "Caddyfile"), "--adapter", "caddyfile"];
    },
    checks: [{ protocol: "quic", settings: { versions: ["1"] } }],
  },
  {
    name: "libcoap",
    debian: "libcoap3-bin",
    program: "/usr/bin/coap-server-notls",
    version: ["-h"],
    arguments: ({ port }) => ["-A", "127.0.0.1", "-p", String(port)],
    checks: [
      { protocol: "coap", settings: {} },
      { protocol: "coap", settings: { method: "get", code: ["2.05"] } },
      { protocol: "coap", settings: { method: "get", path: "/missing", code: ["4.04"] } },
    ],
  },
  {
    name: "libcoap by DTLS",
    debian: "libcoap3-bin",
    program: "/usr/bin/coap-server-openssl",
    version: ["-h"],
    // It speaks DTLS on the port after the plain one.
    arguments: ({ port }) => ["-A", "127.0.0.1", "-p", String(port - 1), "-k", "anchor"],
    checks: [{ protocol: "dtls", settings: {} }],
  },
  {
    name: "gnutls",
    debian: "gnutls-bin",
    program: "/usr/bin/gnutls-serv",
    version: ["--version"],
    arguments({ folder, port, certificate }) {
      writeFileSync(join(folder, "cert.pem"), certificate.certificate);
      writeFileSync(join(folder, "key.pem"), certificate.key);
      const keys = ["--x509certfile", join(folder, "cert.pem"), "--x509keyfile", join(folder, "key.pem")];
      return ["--udp", "--echo", "-p", String(port), ...keys];
    },
    checks: [{ protocol: "dtls", settings: {} }],
  },
  {
    name: "openssl",
    debian: "openssl",
    program: "/usr/bin/openssl",
    launcher: "/bin/sh",
    version: ["version"],
    arguments({ folder, port, certificate }) {
      writeFileSync(join(folder, "cert.pem"), certificate.certificate);
      writeFileSync(join(folder, "key.pem"), certificate.key);
      const keys = ["-cert", join(folder, "cert.pem"), "-key", join(folder, "key.pem")];
      const command = `-dtls1_2 -listen -accept 127.0.0.1:${port} ${keys.join(" ")}`;
      // It ends with its standard input.
      return ["-c", `sleep infinity | exec /usr/bin/openssl s_server ${command}`];
    },
    checks: [{ protocol: "dtls", settings: {} }],
  },
  {
    name: "rsyslog",
    debian: "rsyslog",
    program: "/usr/sbin/rsyslogd",
    version: ["-v"],
    arguments({ folder, port }) {
      writeFileSync(
        join(folder, "rsyslog.conf"),
        `global(workDirectory="${folder}")
module(load="imudp")
module(load="imtcp")
input(type="imudp" address="127.0.0.1" port="${port}")
input(type="imtcp" address="127.0.0.1" port="${port}")
*.* ${folder}/log
`,
      );
      return ["-n", "-f", join(folder, "rsyslog.conf"), "-i", join(folder, "pid")];
    },
    checks: [
      {
        protocol: "syslog",
        settings: {},
        expected: { state: "open|filtered", health: "unknown" },
      },
      { protocol: "syslog", settings: { transport: "tcp" } },
    ],
  },
  {
    name: "strongSwan",
    debian: "strongswan-charon strongswan-swanctl",
    program: "/usr/lib/ipsec/charon",
    version: ["--version"],
    environment: { STRONGSWAN_CONF: "strongswan.conf" },
    // On any other port it wants the non-ESP marker.
    ports: [500, 4500],
    arguments({ folder, port, securePort }) {
      writeFileSync(
        join(folder, "strongswan.conf"),
        `charon { port = ${port}
          port_nat_t = ${securePort}
          install_routes = no
          install_virtual_ip = no
          filelog { out { path = ${folder}/log
            default = 2
            flush_line = yes } }
          load = random nonce aes sha1 sha2 hmac kdf curve25519 gmp openssl pem pkcs1 x509 socket-default kernel-netlink vici
          plugins { vici { socket = unix://${folder}/vici } } }`,
      );
      writeFileSync(
        join(folder, "swanctl.conf"),
        `connections { two { version = 2
            local_addrs = 127.0.0.1
            local { auth = psk }
            remote { auth = psk }
            children { net { } } }
          one { version = 1
            local_addrs = 127.0.0.1
            local { auth = psk }
            remote { auth = psk }
            children { net { } } } }`,
      );
      return [];
    },
    after: ({ folder }) => [
      "/usr/sbin/swanctl",
      "--load-conns",
      "--uri",
      `unix://${folder}/vici`,
      "--file",
      join(folder, "swanctl.conf"),
    ],
    checks: [
      { protocol: "isakmp", settings: {} },
      { protocol: "isakmp", settings: { version: "1" } },
      { protocol: "isakmp", settings: {}, atSecurePort: true },
      { protocol: "isakmp", settings: { version: "1" }, atSecurePort: true },
    ],
  },
];
