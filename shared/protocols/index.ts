/** The registry. To add a protocol: its file, its test, its row here. */

import { coap } from "./coap.ts";
import { dns } from "./dns.ts";
import { dtls } from "./dtls.ts";
import { ftp } from "./ftp.ts";
import { http } from "./http.ts";
import { https } from "./https.ts";
import { imap } from "./imap.ts";
import { imaps } from "./imaps.ts";
import { isakmp } from "./isakmp.ts";
import { memcached } from "./memcached.ts";
import { minecraftBedrock } from "./minecraft-bedrock.ts";
import { mysql } from "./mysql.ts";
import { ntp } from "./ntp.ts";
import { openvpn } from "./openvpn.ts";
import { pop3 } from "./pop3.ts";
import { pop3s } from "./pop3s.ts";
import { postgresql } from "./postgresql.ts";
import type { Protocol } from "./protocol.ts";
import { quic } from "./quic.ts";
import { radius } from "./radius.ts";
import { redis } from "./redis.ts";
import { sip } from "./sip.ts";
import { sips } from "./sips.ts";
import { smtp } from "./smtp.ts";
import { smtps } from "./smtps.ts";
import { snmp } from "./snmp.ts";
import { sourceEngine } from "./source-engine.ts";
import { ssh } from "./ssh.ts";
import { stun } from "./stun.ts";
import { submission } from "./submission.ts";
import { syslog } from "./syslog.ts";
import { tcp } from "./tcp.ts";
import { telnet } from "./telnet.ts";
import { tftp } from "./tftp.ts";
import { udp } from "./udp.ts";
import { wireguard } from "./wireguard.ts";

export const protocols: Readonly<Record<string, Protocol>> = {
  coap,
  dns,
  dtls,
  ftp,
  http,
  https,
  imap,
  imaps,
  isakmp,
  memcached,
  "minecraft-bedrock": minecraftBedrock,
  mysql,
  ntp,
  openvpn,
  pop3,
  pop3s,
  postgresql,
  quic,
  radius,
  redis,
  sip,
  sips,
  smtp,
  smtps,
  snmp,
  "source-engine": sourceEngine,
  ssh,
  stun,
  submission,
  syslog,
  tcp,
  telnet,
  tftp,
  udp,
  wireguard,
};
