/** The registry. To add a protocol: its file, its test, its row here. */

import { ftp } from "./ftp.ts";
import { http } from "./http.ts";
import { https } from "./https.ts";
import { imap } from "./imap.ts";
import { imaps } from "./imaps.ts";
import { memcached } from "./memcached.ts";
import { mysql } from "./mysql.ts";
import { pop3 } from "./pop3.ts";
import { pop3s } from "./pop3s.ts";
import { postgresql } from "./postgresql.ts";
import type { Protocol } from "./protocol.ts";
import { redis } from "./redis.ts";
import { smtp } from "./smtp.ts";
import { smtps } from "./smtps.ts";
import { ssh } from "./ssh.ts";
import { submission } from "./submission.ts";
import { tcp } from "./tcp.ts";
import { telnet } from "./telnet.ts";

export const protocols: Readonly<Record<string, Protocol>> = {
  ftp,
  http,
  https,
  imap,
  imaps,
  memcached,
  mysql,
  pop3,
  pop3s,
  postgresql,
  redis,
  smtp,
  smtps,
  ssh,
  submission,
  tcp,
  telnet,
};
