/** Registry of all protocols, by the name that monitors use. To add a protocol: its file, its test, its row here. */

import type { Protocol } from "../contract/protocol.ts";
import { amqp } from "./amqp.ts";
import { bgp } from "./bgp.ts";
import { cassandra } from "./cassandra.ts";
import { coap } from "./coap.ts";
import { dns } from "./dns.ts";
import { dtls } from "./dtls.ts";
import { ftp } from "./ftp.ts";
import { http } from "./http.ts";
import { https } from "./https.ts";
import { imap } from "./imap.ts";
import { imaps } from "./imaps.ts";
import { interfaces } from "./interfaces.ts";
import { irc } from "./irc.ts";
import { isakmp } from "./isakmp.ts";
import { kafka } from "./kafka.ts";
import { ldap } from "./ldap.ts";
import { memcached } from "./memcached.ts";
import { minecraft } from "./minecraft.ts";
import { minecraftBedrock } from "./minecraft-bedrock.ts";
import { mongodb } from "./mongodb.ts";
import { mqtt } from "./mqtt.ts";
import { mysql } from "./mysql.ts";
import { nntp } from "./nntp.ts";
import { ntp } from "./ntp.ts";
import { openvpn } from "./openvpn.ts";
import { pop3 } from "./pop3.ts";
import { pop3s } from "./pop3s.ts";
import { ports } from "./ports.ts";
import { postgresql } from "./postgresql.ts";
import { quic } from "./quic.ts";
import { radius } from "./radius.ts";
import { rdp } from "./rdp.ts";
import { redis } from "./redis.ts";
import { rsync } from "./rsync.ts";
import { rtsp } from "./rtsp.ts";
import { sip } from "./sip.ts";
import { sips } from "./sips.ts";
import { smb } from "./smb.ts";
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
import { vnc } from "./vnc.ts";
import { wireguard } from "./wireguard.ts";
import { xmpp } from "./xmpp.ts";

export const protocols: Readonly<Record<string, Protocol>> = {
  "minecraft-bedrock": minecraftBedrock,
  "source-engine": sourceEngine,
  amqp,
  bgp,
  cassandra,
  coap,
  dns,
  dtls,
  ftp,
  http,
  https,
  imap,
  imaps,
  interfaces,
  irc,
  isakmp,
  kafka,
  ldap,
  memcached,
  minecraft,
  mongodb,
  mqtt,
  mysql,
  nntp,
  ntp,
  openvpn,
  pop3,
  pop3s,
  ports,
  postgresql,
  quic,
  radius,
  rdp,
  redis,
  rsync,
  rtsp,
  sip,
  sips,
  smb,
  smtp,
  smtps,
  snmp,
  ssh,
  stun,
  submission,
  syslog,
  tcp,
  telnet,
  tftp,
  udp,
  vnc,
  wireguard,
  xmpp,
};
