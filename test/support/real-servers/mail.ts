/** Debian's mail, news and chat servers. */
import { execFileSync } from "node:child_process";
import { certificateFiles, folderIn, write } from "./files.ts";
import type { Context, RealServer } from "./server.ts";

const dovecot = (protocol: "imap" | "pop3", checks: RealServer["checks"]): RealServer => ({
  name: `dovecot (${protocol})`,
  debian: `dovecot-${protocol}d`,
  program: "/usr/sbin/dovecot",
  version: ["--version"],
  arguments(context) {
    const { certificateFile, keyFile } = certificateFiles(context);
    const { folder, port, securePort } = context;
    const base = folderIn(folder, "run");
    const config = write(
      folder,
      "dovecot.conf",
      `base_dir = ${base}
state_dir = ${base}
log_path = /dev/stderr
protocols = ${protocol}
listen = 127.0.0.1
ssl = yes
ssl_cert = <${certificateFile}
ssl_key = <${keyFile}
disable_plaintext_auth = yes
passdb {
  driver = static
  args = nopassword=n
}
service ${protocol}-login {
  inet_listener ${protocol} {
    port = ${port}
  }
  inet_listener ${protocol}s {
    port = ${securePort}
  }
}
`,
    );
    execFileSync("chmod", ["755", folder]);
    return ["-F", "-c", config];
  },
  checks,
});

const ssl = ({ certificateFile, keyFile }: ReturnType<typeof certificateFiles>) =>
  `key = "${keyFile}"; certificate = "${certificateFile}";`;

const prosody = ({ folder, port, securePort, ...rest }: Context): string => {
  const files = certificateFiles({ folder, port, securePort, ...rest });
  return `run_as_root = true
pidfile = "${folder}/pid"
data_path = "${folder}"
log = "*console"
interfaces = { "127.0.0.1" }
c2s_ports = { ${port} }
c2s_direct_tls_ports = { ${securePort} }
s2s_ports = { }
http_ports = { }
https_ports = { }
modules_enabled = { "tls", "saslauth", "disco", "c2s" }
modules_disabled = { "s2s", "http" }
c2s_require_encryption = true
ssl = { ${ssl(files)} }
c2s_direct_tls_ssl = { ${ssl(files)} }
VirtualHost "localhost"
  ssl = { ${ssl(files)} }
`;
};

export const servers: readonly RealServer[] = [
  {
    name: "postfix",
    debian: "postfix",
    program: "/usr/lib/postfix/sbin/master",
    version: [],
    arguments(context) {
      const { certificateFile, keyFile } = certificateFiles(context);
      const { folder, port, securePort } = context;
      execFileSync("chmod", ["755", folder]);
      const [queue, data] = [folderIn(folder, "queue"), folderIn(folder, "data", "postfix")];
      const config = folderIn(folder, "config");
      write(
        config,
        "main.cf",
        `compatibility_level = 3.6
queue_directory = ${queue}
data_directory = ${data}
mail_owner = postfix
setgid_group = postdrop
maillog_file_prefixes = ${folder}
maillog_file = ${folder}/mail.log
myhostname = mail.example.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
local_transport = error:no mail here
smtpd_tls_cert_file = ${certificateFile}
smtpd_tls_key_file = ${keyFile}
smtpd_tls_security_level = may
`,
      );
      write(
        config,
        "master.cf",
        `postlog unix-dgram n - n - 1 postlogd
127.0.0.1:${port} inet n - n - - smtpd
127.0.0.1:${securePort} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
anvil unix - - n - 1 anvil
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
error unix - - n - - error
`,
      );
      execFileSync("/usr/sbin/postfix", ["-c", config, "check"], { stdio: "pipe" });
      // Without -d it would leave our process group, and outlive us.
      return ["-c", config, "-d"];
    },
    checks: [
      { protocol: "smtp", settings: {} },
      { protocol: "smtp", settings: { starttls: "required", tls: { verify: false } } },
      { protocol: "submission", settings: { starttls: "if-offered", tls: { verify: false } } },
      { protocol: "smtps", settings: {}, secure: true },
    ],
  },
  dovecot("imap", [
    { protocol: "imap", settings: {} },
    { protocol: "imap", settings: { starttls: "required", tls: { verify: false } } },
    { protocol: "imaps", settings: {}, secure: true },
  ]),
  dovecot("pop3", [
    { protocol: "pop3", settings: {} },
    { protocol: "pop3", settings: { starttls: "required", tls: { verify: false } } },
    { protocol: "pop3s", settings: {}, secure: true },
  ]),
  {
    name: "leafnode",
    debian: "leafnode, socat",
    program: "/usr/sbin/leafnode",
    launcher: "/usr/bin/socat",
    version: ["-V"],
    arguments({ folder, port }) {
      execFileSync("chmod", ["755", folder]);
      const config = write(
        folder,
        "config",
        "server = news.example.test\nhostname = news.harborlight.net\nexpire = 20\n",
      );
      return [`TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork`, `EXEC:/usr/sbin/leafnode -F ${config},nofork`];
    },
    // It looks its own name up, and refuses with 503 where that is no name of the internet, as on most machines of tests.
    checks: [
      {
        protocol: "nntp",
        settings: {},
        expected: { state: "mismatch", health: "down", reason: "service-unavailable" },
      },
    ],
  },
  {
    name: "sn",
    debian: "sn, socat",
    program: "/usr/sbin/snntpd",
    launcher: "/usr/bin/socat",
    version: [],
    arguments: ({ port }) => [`TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork`, "EXEC:/usr/sbin/snntpd"],
    checks: [{ protocol: "nntp", settings: {}, expected: { state: "open", health: "up" } }],
  },
  {
    name: "ngircd",
    debian: "ngircd",
    program: "/usr/sbin/ngircd",
    version: ["--version"],
    arguments(context) {
      const { certificateFile, keyFile } = certificateFiles(context);
      const { folder, port, securePort } = context;
      const config = write(
        folder,
        "ngircd.conf",
        `[Global]
Name = irc.example.test
Info = test
AdminInfo1 = test
Listen = 127.0.0.1
Ports = ${port}
ServerUID = root
ServerGID = root
PidFile = ${folder}/pid
[Options]
Ident = no
DNS = no
PAM = no
IncludeDir = ${folderIn(folder, "conf.d")}
[SSL]
CertFile = ${certificateFile}
KeyFile = ${keyFile}
Ports = ${securePort}
`,
      );
      return ["-n", "-f", config];
    },
    checks: [
      { protocol: "irc", settings: {} },
      { protocol: "irc", settings: {}, secure: true },
    ],
  },
  {
    name: "inspircd",
    debian: "inspircd",
    program: "/usr/sbin/inspircd",
    version: ["--version"],
    arguments({ folder, port }) {
      const config = write(
        folder,
        "inspircd.conf",
        `<config format="xml">
<server name="irc.example.test" description="test" network="test" id="00A">
<admin name="a" nick="a" email="a@example.test">
<bind address="127.0.0.1" port="${port}" type="clients">
<connect allow="*" timeout="60" resolvehostnames="no">
<path configdir="${folder}" datadir="${folder}" logdir="${folder}" runtimedir="${folder}">
<pid file="${folder}/pid">
<module name="cap">
<log method="file" target="${folder}/log" type="*" level="default">
`,
      );
      return ["--nofork", "--runasroot", "--config", config];
    },
    checks: [{ protocol: "irc", settings: {} }],
  },
  {
    name: "prosody",
    debian: "prosody",
    program: "/usr/bin/prosody",
    version: ["--version"],
    arguments: (context) => ["-F", "--config", write(context.folder, "prosody.cfg.lua", prosody(context))],
    checks: [
      { protocol: "xmpp", settings: { domain: "localhost" } },
      { protocol: "xmpp", settings: { domain: "localhost", starttls: "required", tls: { verify: false } } },
      { protocol: "xmpp", settings: { domain: "localhost" }, secure: true },
    ],
  },
];
