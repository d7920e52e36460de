/** Debian's snmpd: with a community, and with users of version 3, whose values are compared with what `snmpget` prints. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Context, RealCheck, RealServer } from "./server.ts";

/** The pairs of hash and cipher that are checked, and net-snmp's names for them: its `AES-256-C` extends keys as the Reeder draft has it. */
const PAIRS = [
  { user: "one", auth: "SHA", priv: "AES-128", cipher: "AES" },
  { user: "two", auth: "SHA-256", priv: "AES-128", cipher: "AES" },
  { user: "three", auth: "SHA-512", priv: "AES-256", cipher: "AES-256" },
  { user: "four", auth: "SHA", priv: "AES-256", cipher: "AES-256-C" },
] as const;
type Pair = (typeof PAIRS)[number];
const AUTH_KEY = "lighthouse-1";
const PRIV_KEY = "lighthouse-2";
/** A text, an identifier, an address, and numbers of three types, which do not change between two reads. */
const OBJECTS = [
  "1.3.6.1.2.1.1.1.0",
  "1.3.6.1.2.1.1.2.0",
  "1.3.6.1.2.1.1.6.0",
  "1.3.6.1.2.1.4.20.1.1.127.0.0.1",
  "1.3.6.1.6.3.10.2.1.4.0",
  "1.3.6.1.2.1.2.2.1.5.1",
  "1.3.6.1.2.1.25.2.2.0",
];

const userOf = ({ user, auth, priv }: Pair) =>
  ({ user, level: "authPriv", auth, authKey: AUTH_KEY, priv, privKey: PRIV_KEY }) as const;
const asUser = (user: object, oid = OBJECTS[0]) => ({ version: "3", user, oid, packets: { count: 1 } });

const snmpget = ({ user, auth, cipher }: Pair, oid: string, { port }: Context): readonly string[] => {
  const account = ["-v3", "-l", "authPriv", "-u", user, "-a", auth, "-A", AUTH_KEY, "-x", cipher, "-X", PRIV_KEY];
  return ["/usr/bin/snmpget", ...account, "-Oqvn", `127.0.0.1:${port}`, oid];
};

const compared = (pair: Pair, oid: string): RealCheck => ({
  protocol: "snmp",
  settings: asUser(userOf(pair), oid),
  printedBy: (context) => snmpget(pair, oid, context),
});

const known = userOf(PAIRS[1]);
const wrong = (user: object): RealCheck => ({
  protocol: "snmp",
  settings: asUser(user),
  expected: { state: "mismatch", health: "down", reason: "wrong-credentials" },
});

export const servers: readonly RealServer[] = [
  {
    name: "snmpd",
    debian: "snmpd",
    program: "/usr/sbin/snmpd",
    version: ["-v"],
    environment: { SNMP_PERSISTENT_DIR: "." },
    arguments({ folder, port }) {
      writeFileSync(join(folder, "snmpd.conf"), "rocommunity harbor 127.0.0.1\nsysLocation pier 7\n");
      return ["-f", "-Lo", "-C", "-c", join(folder, "snmpd.conf"), "-p", join(folder, "pid"), `udp:127.0.0.1:${port}`];
    },
    checks: [
      { protocol: "snmp", settings: { community: "harbor" } },
      {
        protocol: "snmp",
        settings: { version: "1", community: "harbor", oid: "1.3.6.1.2.1.1.6.0", expect: { equals: "pier 7" } },
      },
      { protocol: "interfaces", settings: { community: "harbor" } },
      {
        protocol: "interfaces",
        settings: { community: "harbor", only: "Te*" },
        expected: { state: "mismatch", health: "down", reason: "unexpected-answer" },
      },
      { protocol: "snmp", settings: { version: "3" } },
      {
        protocol: "snmp",
        settings: { community: "wrong" },
        expected: { state: "open|filtered", health: "down", reason: "no-answer" },
      },
    ],
  },
  {
    name: "snmpd with users",
    debian: "snmpd snmp",
    program: "/usr/sbin/snmpd",
    version: ["-v"],
    environment: { SNMP_PERSISTENT_DIR: "." },
    arguments({ folder, port }) {
      const users = PAIRS.map(
        ({ user, auth, cipher }) =>
          `createUser ${user} ${auth} "${AUTH_KEY}" ${cipher} "${PRIV_KEY}"\nrouser ${user} priv\n`,
      );
      writeFileSync(join(folder, "snmpd.conf"), `${users.join("")}sysLocation pier 7\n`);
      return ["-f", "-Lo", "-C", "-c", join(folder, "snmpd.conf"), "-p", join(folder, "pid"), `udp:127.0.0.1:${port}`];
    },
    checks: [
      ...PAIRS.flatMap((pair) => OBJECTS.map((oid) => compared(pair, oid))),
      ...PAIRS.map((pair) => ({ protocol: "interfaces", settings: { version: "3", user: userOf(pair) } })),
      wrong({ ...known, user: "nobody" }),
      wrong({ ...known, authKey: "wrong-password" }),
      wrong({ ...known, auth: "SHA-512" }),
      wrong({ user: known.user, level: "authNoPriv", auth: known.auth, authKey: known.authKey }),
      {
        protocol: "snmp",
        settings: asUser({ ...known, privKey: "wrong-password" }),
        expected: { state: "open|filtered", health: "down", reason: "no-answer" },
      },
    ],
  },
];
