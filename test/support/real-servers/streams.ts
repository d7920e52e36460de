/** Debian's servers for the web, files, shells, desktops and routes. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { certificateFiles, folderIn, write } from "./files.ts";
import type { RealServer } from "./server.ts";

const website = (folder: string): string => {
  const root = folderIn(folder, "site");
  write(root, "index.html", "<title>Harborlight</title>");
  execFileSync("chmod", ["755", folder]);
  return root;
};

const webChecks: RealServer["checks"] = [
  { protocol: "http", settings: { status: [200], body: { contains: "Harborlight" } } },
  { protocol: "https", settings: { status: [200], body: { contains: "Harborlight" } }, secure: true },
];

export const servers: readonly RealServer[] = [
  {
    name: "openssh",
    debian: "openssh-server",
    program: "/usr/sbin/sshd",
    version: ["-V"],
    arguments({ folder, port }) {
      mkdirSync("/run/sshd", { recursive: true }); // where it drops its privileges
      const key = join(folder, "key");
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
      const config = write(
        folder,
        "sshd_config",
        `HostKey ${key}\nPidFile none\nUsePAM no\nListenAddress 127.0.0.1:${port}\n`,
      );
      return ["-D", "-e", "-f", config];
    },
    checks: [{ protocol: "ssh", settings: {} }],
  },
  {
    name: "dropbear",
    debian: "dropbear-bin",
    program: "/usr/sbin/dropbear",
    version: ["-V"],
    arguments({ folder, port }) {
      const key = join(folder, "key");
      execFileSync("dropbearkey", ["-t", "rsa", "-s", "2048", "-f", key], { stdio: "pipe" });
      return ["-F", "-E", "-p", `127.0.0.1:${port}`, "-r", key, "-P", join(folder, "pid")];
    },
    checks: [{ protocol: "ssh", settings: {} }],
  },
  {
    name: "vsftpd",
    debian: "vsftpd",
    program: "/usr/sbin/vsftpd",
    version: [],
    arguments(context) {
      const { certificateFile, keyFile } = certificateFiles(context);
      const { folder, port } = context;
      const config = write(
        folder,
        "vsftpd.conf",
        `listen=YES
listen_address=127.0.0.1
listen_port=${port}
background=NO
anonymous_enable=YES
secure_chroot_dir=${folderIn(folder, "empty")}
ssl_enable=YES
allow_anon_ssl=YES
rsa_cert_file=${certificateFile}
rsa_private_key_file=${keyFile}
seccomp_sandbox=NO
`,
        0o600,
      );
      return [config];
    },
    checks: [
      { protocol: "ftp", settings: {} },
      { protocol: "ftp", settings: { starttls: "required", tls: { verify: false } } },
    ],
  },
  {
    name: "telnetd",
    debian: "inetutils-telnetd, socat",
    program: "/usr/sbin/telnetd",
    launcher: "/usr/bin/socat",
    version: ["--version"],
    arguments: ({ port }) => [`TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork`, "EXEC:/usr/sbin/telnetd,nofork"],
    checks: [{ protocol: "telnet", settings: {} }],
  },
  {
    name: "nginx",
    debian: "nginx-light",
    program: "/usr/sbin/nginx",
    version: ["-v"],
    arguments(context) {
      const { certificateFile, keyFile } = certificateFiles(context);
      const { folder, port, securePort } = context;
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
      const config = write(
        folder,
        "nginx.conf",
        `daemon off;
pid ${folder}/pid;
error_log stderr;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n  ")}
  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${securePort} ssl http2;
    ssl_certificate ${certificateFile};
    ssl_certificate_key ${keyFile};
    root ${website(folder)};
    location = /moved { return 302 /index.html; }
    location = /away { return 302 http://192.0.2.1/; }
  }
}
`,
      );
      return ["-c", config, "-p", folder, "-e", "stderr"];
    },
    checks: [
      ...webChecks,
      { protocol: "http", settings: { path: "/moved", status: [200], body: { contains: "Harborlight" } } },
      { protocol: "http", settings: { path: "/away", status: [302] } },
      { protocol: "http", settings: { method: "HEAD" } },
    ],
  },
  {
    name: "lighttpd",
    debian: "lighttpd",
    program: "/usr/sbin/lighttpd",
    version: ["-v"],
    arguments({ folder, port }) {
      const config = write(
        folder,
        "lighttpd.conf",
        `server.document-root = "${website(folder)}"
server.port = ${port}
server.bind = "127.0.0.1"
index-file.names = ( "index.html" )
`,
      );
      return ["-D", "-f", config];
    },
    checks: webChecks.slice(0, 1),
  },
  {
    name: "samba",
    debian: "samba",
    program: "/usr/sbin/smbd",
    version: ["-V"],
    arguments({ folder, port }) {
      const places = ["lock", "state", "cache", "pid", "private", "ncalrpc"];
      const lines = places.map(
        (name) =>
          `${name} ${name === "private" || name === "ncalrpc" ? "dir" : "directory"} = ${folderIn(folder, name)}`,
      );
      const config = write(
        folder,
        "smb.conf",
        `[global]
smb ports = ${port}
interfaces = lo
bind interfaces only = yes
server role = standalone
disable spoolss = yes
load printers = no
log file = ${folder}/log
${lines.join("\n")}
`,
      );
      return ["--foreground", "--no-process-group", "-s", config];
    },
    checks: [{ protocol: "smb", settings: {} }],
  },
  {
    name: "rsync",
    debian: "rsync",
    program: "/usr/bin/rsync",
    version: ["--version"],
    arguments({ folder, port }) {
      const config = write(
        folder,
        "rsyncd.conf",
        `use chroot = no\nmotd file = /dev/null\n[backup]\n  path = ${folder}\n  comment = copies\n`,
      );
      return ["--daemon", "--no-detach", `--config=${config}`, `--port=${port}`, "--address=127.0.0.1"];
    },
    checks: [{ protocol: "rsync", settings: { module: "backup" } }],
  },
  {
    name: "bird",
    debian: "bird2",
    program: "/usr/sbin/bird",
    version: ["--version"],
    arguments({ folder, port }) {
      const config = write(
        folder,
        "bird.conf",
        `router id 192.0.2.9;
protocol device { }
protocol bgp monitor {
  local 127.0.0.1 port ${port} as 64500;
  neighbor 127.0.0.1 as 64496;
  strict bind yes;
  passive yes;
  multihop;
  ipv4 { import none; export none; };
}
`,
      );
      return ["-f", "-c", config, "-s", join(folder, "control"), "-P", join(folder, "pid")];
    },
    checks: [
      { protocol: "bgp", settings: { answer: "open" }, afterMs: 2000 },
      // The wrong AS: BIRD says what it is before it refuses.
      { protocol: "bgp", settings: { asn: 65_000 }, afterMs: 2000 },
    ],
  },
  {
    name: "gobgpd",
    debian: "gobgpd",
    program: "/usr/bin/gobgpd",
    version: ["--version"],
    arguments({ folder, port, securePort }) {
      const config = write(
        folder,
        "gobgpd.toml",
        `[global.config]
as = 64500
router-id = "192.0.2.9"
port = ${port}
local-address-list = ["127.0.0.1"]
[[neighbors]]
[neighbors.config]
neighbor-address = "127.0.0.1"
peer-as = 64496
[neighbors.transport.config]
passive-mode = true
`,
      );
      return ["-f", config, "--api-hosts", `127.0.0.1:${securePort}`];
    },
    // It rests five seconds after a session has ended.
    checks: [{ protocol: "bgp", settings: { answer: "open" }, afterMs: 8000 }],
  },
  {
    name: "xrdp",
    debian: "xrdp",
    program: "/usr/sbin/xrdp",
    version: ["--version"],
    arguments(context) {
      const { certificateFile, keyFile } = certificateFiles(context);
      const { folder, port } = context;
      const config = write(
        folder,
        "xrdp.ini",
        `[Globals]
ini_version=1
fork=true
port=tcp://127.0.0.1:${port}
security_layer=negotiate
certificate=${certificateFile}
key_file=${keyFile}
[Logging]
LogFile=${folder}/log
LogLevel=WARNING
EnableSyslog=false
[Xorg]
name=Xorg
lib=libxup.so
`,
      );
      return ["--nodaemon", "--config", config];
    },
    checks: [
      { protocol: "rdp", settings: {} },
      { protocol: "rdp", settings: { starttls: "required", tls: { verify: false } } },
    ],
  },
  {
    name: "tigervnc",
    debian: "tigervnc-standalone-server",
    program: "/usr/bin/Xtigervnc",
    version: ["-version"],
    arguments({ folder, port }) {
      const password = write(folder, "passwd", "harborli", 0o600);
      const display = `:${1000 + (port % 1000)}`;
      return [
        display,
        "-rfbport",
        String(port),
        "-localhost",
        "-nolisten",
        "tcp",
        "-SecurityTypes",
        "VncAuth,TLSVnc",
        "-PasswordFile",
        password,
      ];
    },
    // More visits than it allows strangers.
    checks: Array.from({ length: 8 }, () => ({ protocol: "vnc", settings: {} })),
  },
];
