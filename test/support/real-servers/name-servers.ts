/** Debian's name servers, which answer over UDP and TCP. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RealServer } from "./server.ts";

const ZONE = `$ORIGIN example.test.
$TTL 60
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
@ IN MX 10 mail
@ IN TXT "harborlight"
ns IN A 192.0.2.1
www IN A 192.0.2.7
www IN A 192.0.2.8
www IN AAAA 2001:db8::7
mail IN A 192.0.2.25
`;

const dnsChecks = [
  {
    protocol: "dns",
    settings: {
      name: "www.example.test",
      type: "A",
      answers: ["192.0.2.7", "192.0.2.8"],
      match: "exact",
      mixedCase: true,
    },
  },
  {
    protocol: "dns",
    settings: { transport: "tcp", name: "example.test", type: "MX", answers: ["10 mail.example.test."] },
  },
  { protocol: "dns", settings: { name: "missing.example.test", type: "A", rcode: ["NXDOMAIN"] } },
  { protocol: "dns", settings: { name: "version.bind", type: "TXT", class: "CH" } },
  { protocol: "dns", settings: {} },
] as const;

export const servers: readonly RealServer[] = [
  {
    name: "bind9",
    debian: "bind9",
    program: "/usr/sbin/named",
    version: ["-v"],
    arguments({ folder, port }) {
      writeFileSync(join(folder, "zone"), ZONE);
      writeFileSync(
        join(folder, "named.conf"),
        `options { directory "${folder}"; pid-file "${folder}/pid"; session-keyfile "${folder}/session";
          listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; dnssec-validation no; };
        controls { };
        zone "example.test" { type primary; file "${folder}/zone"; };`,
      );
      return ["-g", "-n", "1", "-c", join(folder, "named.conf")];
    },
    checks: dnsChecks,
  },
  {
    name: "unbound",
    debian: "unbound",
    program: "/usr/sbin/unbound",
    version: ["-V"],
    arguments({ folder, port }) {
      writeFileSync(
        join(folder, "unbound.conf"),
        `server:
  interface: 127.0.0.1
  port: ${port}
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: "${folder}/pid"
  use-syslog: no
  num-threads: 1
  local-zone: "example.test." static
  local-data: "www.example.test. A 192.0.2.7"
  local-data: "www.example.test. A 192.0.2.8"
  local-data: "example.test. MX 10 mail.example.test."
remote-control:
  control-enable: no
`,
      );
      return ["-d", "-p", "-c", join(folder, "unbound.conf")];
    },
    checks: dnsChecks.slice(0, 4),
  },
  {
    name: "dnsmasq",
    debian: "dnsmasq-base",
    program: "/usr/sbin/dnsmasq",
    version: ["--version"],
    arguments: ({ folder, port }) => [
      "-k",
      "-C",
      "/dev/null",
      "-R",
      "-h",
      "-u",
      "root",
      "-x",
      join(folder, "pid"),
      "-p",
      String(port),
      "-a",
      "127.0.0.1",
      "-z",
      "--host-record=www.example.test,192.0.2.7",
      "--local=/example.test/",
      "--mx-host=example.test,mail.example.test,10",
    ],
    checks: [
      { protocol: "dns", settings: { name: "www.example.test", type: "A", answers: ["192.0.2.7"], match: "exact" } },
      ...dnsChecks.slice(1),
    ],
  },
  {
    name: "knot",
    debian: "knot",
    program: "/usr/sbin/knotd",
    version: ["--version"],
    arguments({ folder, port }) {
      writeFileSync(join(folder, "zone"), ZONE);
      writeFileSync(
        join(folder, "knot.conf"),
        `server:
  rundir: "${folder}"
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "${folder}"
zone:
  - domain: example.test
    file: "${folder}/zone"
`,
      );
      return ["-c", join(folder, "knot.conf")];
    },
    checks: dnsChecks,
  },
  {
    name: "nsd",
    debian: "nsd",
    program: "/usr/sbin/nsd",
    version: ["-v"],
    arguments({ folder, port }) {
      writeFileSync(join(folder, "zone"), ZONE);
      writeFileSync(
        join(folder, "nsd.conf"),
        `server:
  ip-address: 127.0.0.1@${port}
  username: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: "${folder}/pid"
  xfrdfile: "${folder}/xfrd"
  zonelistfile: "${folder}/zones"
  xfrdir: "${folder}"
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: example.test
  zonefile: zone
`,
      );
      return ["-d", "-c", join(folder, "nsd.conf")];
    },
    checks: dnsChecks,
  },
  {
    name: "pdns-recursor",
    debian: "pdns-recursor",
    program: "/usr/sbin/pdns_recursor",
    version: ["--version"],
    arguments({ folder, port }) {
      writeFileSync(join(folder, "zone"), ZONE);
      return [
        "--daemon=no",
        `--config-dir=${folder}`,
        `--socket-dir=${folder}`,
        `--local-address=127.0.0.1:${port}`,
        "--setuid=",
        "--setgid=",
        "--threads=1",
        `--auth-zones=example.test=${folder}/zone`,
        "--disable-syslog",
        "--security-poll-suffix=",
      ];
    },
    checks: dnsChecks.slice(0, 3),
  },
];
