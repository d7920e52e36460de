/** Debian's databases, caches, brokers and directories. */
import { execFileSync } from "node:child_process";
import { certificateFiles, folderIn, write } from "./files.ts";
import type { RealServer } from "./server.ts";

const POSTGRES = "/usr/lib/postgresql/15/bin";

const postgresql = (name: string, access: string, checks: RealServer["checks"]): RealServer => ({
  name: `postgresql (${name})`,
  debian: "postgresql",
  program: `${POSTGRES}/postgres`,
  launcher: "/usr/sbin/runuser",
  version: ["--version"],
  arguments(context) {
    const { folder, port } = context;
    const { certificateFile, keyFile } = certificateFiles(context, "postgres");
    const data = folderIn(folder, "data", "postgres");
    const asPostgres = ["-u", "postgres", "--"];
    execFileSync(
      "runuser",
      [...asPostgres, `${POSTGRES}/initdb`, "-D", data, "-A", "scram-sha-256", "--pwfile=/etc/hostname"],
      {
        stdio: "pipe",
        cwd: folder,
      },
    );
    write(data, "pg_hba.conf", access);
    const options = {
      port,
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      ssl: "on",
      ssl_cert_file: certificateFile,
      ssl_key_file: keyFile,
    };
    return [
      ...asPostgres,
      `${POSTGRES}/postgres`,
      "-D",
      data,
      ...Object.entries(options).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
    ];
  },
  checks,
});

export const servers: readonly RealServer[] = [
  {
    name: "mariadb",
    debian: "mariadb-server",
    program: "/usr/sbin/mariadbd",
    version: ["--version"],
    arguments(context) {
      const { folder, port } = context;
      const { certificateFile, keyFile } = certificateFiles(context, "mysql");
      const data = folderIn(folder, "data", "mysql");
      execFileSync("mariadb-install-db", ["--no-defaults", "--user=mysql", `--datadir=${data}`, "--skip-test-db"], {
        stdio: "pipe",
      });
      return [
        "--no-defaults",
        "--user=mysql",
        `--datadir=${data}`,
        `--port=${port}`,
        "--bind-address=127.0.0.1",
        `--socket=${data}/socket`,
        `--pid-file=${data}/pid`,
        `--ssl-cert=${certificateFile}`,
        `--ssl-key=${keyFile}`,
      ];
    },
    checks: [
      { protocol: "mysql", settings: {} },
      { protocol: "mysql", settings: { starttls: "if-offered", tls: { verify: false } } },
    ],
  },
  postgresql("scram", "host all all 127.0.0.1/32 scram-sha-256\n", [
    { protocol: "postgresql", settings: {} },
    { protocol: "postgresql", settings: { tls: { verify: false } } },
  ]),
  postgresql("trust", "host all postgres 127.0.0.1/32 trust\n", [
    { protocol: "postgresql", settings: { user: "postgres" } },
    { protocol: "postgresql", settings: { user: "nobody" } },
  ]),
  {
    name: "redis",
    debian: "redis-server",
    program: "/usr/bin/redis-server",
    version: ["--version"],
    arguments(context) {
      const { certificateFile, keyFile } = certificateFiles(context);
      const { folder, port, securePort } = context;
      return [
        ...["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder, "--daemonize", "no"],
        ...["--tls-port", String(securePort), "--tls-cert-file", certificateFile, "--tls-key-file", keyFile],
        ...["--tls-ca-cert-file", certificateFile, "--tls-auth-clients", "no"],
      ];
    },
    checks: [
      { protocol: "redis", settings: {} },
      { protocol: "redis", settings: {}, secure: true },
    ],
  },
  {
    name: "redis (password)",
    debian: "redis-server",
    program: "/usr/bin/redis-server",
    version: ["--version"],
    arguments: ({ folder, port }) =>
      `--port ${port} --bind 127.0.0.1 --dir ${folder} --daemonize no --requirepass secret --appendonly no`.split(" "),
    checks: [{ protocol: "redis", settings: {} }],
  },
  {
    name: "memcached",
    debian: "memcached",
    program: "/usr/bin/memcached",
    version: ["--version"],
    arguments: ({ port }) => ["-u", "nobody", "-l", "127.0.0.1", "-p", String(port), "-U", "0", "-m", "8", "-t", "1"],
    checks: [{ protocol: "memcached", settings: {} }],
  },
  {
    name: "mosquitto",
    debian: "mosquitto",
    program: "/usr/sbin/mosquitto",
    version: ["-h"],
    arguments(context) {
      const { certificateFile, keyFile } = certificateFiles(context);
      const { folder, port, securePort } = context;
      const config = write(
        folder,
        "mosquitto.conf",
        `user root
per_listener_settings true
listener ${port} 127.0.0.1
allow_anonymous true
listener ${securePort} 127.0.0.1
allow_anonymous false
certfile ${certificateFile}
keyfile ${keyFile}
`,
      );
      return ["-c", config];
    },
    checks: [
      { protocol: "mqtt", settings: {} },
      { protocol: "mqtt", settings: { version: "5.0" } },
      { protocol: "mqtt", settings: {}, secure: true },
    ],
  },
  {
    name: "rabbitmq",
    debian: "rabbitmq-server",
    program: "/usr/sbin/rabbitmq-server",
    launcher: "/bin/sh",
    version: [], // asked for its version, it starts
    arguments({ folder, port, securePort }) {
      const home = folderIn(folder, "home", "rabbitmq");
      const variables = {
        HOME: home,
        RABBITMQ_NODENAME: "harborlight@localhost",
        RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
        RABBITMQ_NODE_PORT: port,
        RABBITMQ_DIST_PORT: securePort,
        RABBITMQ_MNESIA_BASE: home,
        RABBITMQ_LOG_BASE: home,
        RABBITMQ_LOGS: "-",
        RABBITMQ_ENABLED_PLUGINS_FILE: write(folder, "plugins", "[rabbitmq_amqp1_0].\n"),
        RABBITMQ_CONF_ENV_FILE: "/dev/null",
        // An address book of its own, which ends with it.
        ERL_EPMD_PORT: port === 65_535 ? port - 1 : port + 1,
        ERL_EPMD_ADDRESS: "127.0.0.1",
      };
      const environment = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
      const server = [
        "exec",
        "runuser",
        "-u",
        "rabbitmq",
        "--",
        "env",
        ...environment,
        "/usr/lib/rabbitmq/bin/rabbitmq-server",
      ];
      const book = `export ERL_EPMD_PORT=${variables.ERL_EPMD_PORT} ERL_EPMD_ADDRESS=127.0.0.1; epmd &`;
      // The server gives up when the address book does not answer at once.
      const wait = "for i in $(seq 50); do epmd -names >/dev/null 2>&1 && break; sleep 0.1; done";
      return ["-c", `cd ${home}; ${book} ${wait}; ${server.join(" ")}`];
    },
    checks: [
      { protocol: "amqp", settings: {} },
      { protocol: "amqp", settings: { version: "1.0" } },
    ],
  },
  {
    name: "slapd",
    debian: "slapd",
    program: "/usr/sbin/slapd",
    version: ["-VV"],
    arguments(context) {
      const { certificateFile, keyFile } = certificateFiles(context);
      const { folder, port, securePort } = context;
      const config = write(
        folder,
        "slapd.conf",
        `include /etc/ldap/schema/core.schema
pidfile ${folder}/pid
TLSCertificateFile ${certificateFile}
TLSCertificateKeyFile ${keyFile}
database ldif
suffix "dc=example,dc=test"
directory ${folderIn(folder, "data")}
`,
      );
      return ["-d", "0", "-f", config, "-h", `ldap://127.0.0.1:${port}/ ldaps://127.0.0.1:${securePort}/`];
    },
    checks: [
      { protocol: "ldap", settings: {} },
      { protocol: "ldap", settings: { starttls: "required", tls: { verify: false } } },
      { protocol: "ldap", settings: {}, secure: true },
    ],
  },
];
