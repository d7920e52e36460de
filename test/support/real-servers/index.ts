/** All servers that `test/real-servers.ts` starts. Adding one: a row in the file of its kind. */
import { servers as calls } from "./calls.ts";
import { servers as databases } from "./databases.ts";
import { servers as datagrams } from "./datagrams.ts";
import { servers as mail } from "./mail.ts";
import { servers as nameServers } from "./name-servers.ts";
import type { RealServer } from "./server.ts";
import { servers as snmp } from "./snmp.ts";
import { servers as streams } from "./streams.ts";

export const realServers: readonly RealServer[] = [
  ...streams,
  ...mail,
  ...databases,
  ...nameServers,
  ...datagrams,
  ...snmp,
  ...calls,
];
