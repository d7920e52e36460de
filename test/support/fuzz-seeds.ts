/** Right answers of many protocols, whole conversations at once: what `fuzz.ts` mutates. */
import { createHash } from "node:crypto";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { element, integer, octets } from "../../shared/wire/ber.ts";
import { getRequest, requestId } from "../../shared/wire/snmp-pdu.ts";
import { Switch } from "./switch.ts";

/** Bodies as servers code them: what decodes them is not ours, what bounds it is. */
const PAGE = "<html>Welcome</html>".repeat(40);
const coded = (coding: string, bytes: Buffer) =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${bytes.length}\r\n\r\n`),
    bytes,
  ]);
const zipped = gzipSync(PAGE);

/** The first answer of a switch: its uptime, the state of its table, the number of its interfaces, its name. */
const switchAnswer = () => {
  const device = new Switch(2);
  device.community = "public";
  const oids = ["1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.31.1.5.0", "1.3.6.1.2.1.2.1.0", "1.3.6.1.2.1.1.5.0"];
  const request = getRequest(requestId(RANDOM), ...oids);
  return device.answer(element(0x30, integer(1), octets("public"), request))!;
};

/** What the fuzz gives for randomness, always the same: Kafka's broker, for one, sends some of it back. */
export const RANDOM = createHash("sha512").update("fuzz").digest();

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ""), "hex");
const latin1 = (text: string) => Buffer.from(text, "latin1");

const ssh = Buffer.concat([
  latin1("SSH-2.0-Test_1.0\r\n"),
  (() => {
    const lists = ["curve25519-sha256", "ssh-ed25519", "a", "a", "b", "b", "none", "none", "", ""];
    const payload = Buffer.concat([
      Buffer.from([20]),
      Buffer.alloc(16),
      ...lists.flatMap((list) => [Buffer.from([0, 0, 0, list.length]), latin1(list)]),
      Buffer.alloc(5),
    ]);
    return Buffer.concat([Buffer.from([0, 0, 0, payload.length + 5, 4]), payload, Buffer.alloc(4)]);
  })(),
  hex(
    `0000006c 04 1f 00000033 0000000b 7373682d65643235353139 00000020 ${"07".repeat(32)} 00000020 ${"08".repeat(32)} 00000004 09090909`,
  ),
  Buffer.alloc(16),
]);

export const SEEDS: Readonly<Record<string, readonly Buffer[]>> = {
  ssh: [ssh],
  ftp: [
    latin1("220-Hi\r\n220 (vsFTPd 3.0.3)\r\n211-Features:\r\n AUTH TLS\r\n SIZE\r\n211 End\r\n"),
    latin1("220 x\r\n500 ?\r\n200 ok\r\n"),
  ],
  telnet: [Buffer.concat([hex("fffd18fffb01fffa1801fff0"), latin1("\r\nlogin: ")])],
  smtp: [
    latin1("220 mail ESMTP Exim 4.96\r\n250-mail\r\n250-SIZE 1\r\n250 STARTTLS\r\n"),
    latin1("220 x\r\n502 ?\r\n250 hi\r\n"),
  ],
  submission: [latin1("220 mail ESMTP Postfix\r\n250-mail\r\n250 AUTH PLAIN\r\n")],
  pop3: [latin1("+OK ready <1.2@x>\r\n+OK\r\nTOP\r\nIMPLEMENTATION X 1.2\r\n.\r\n")],
  imap: [latin1('* OK ready\r\n* CAPABILITY IMAP4rev1 ID\r\na1 OK\r\n* ID ("name" "X" "version" "2.1")\r\na4 OK\r\n')],
  http: [
    latin1("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 7\r\n\r\nWelcome"),
    latin1("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7;a=b\r\nWelcome\r\n0\r\n\r\n"),
    latin1(
      "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nWelcome",
    ),
    latin1("HTTP/1.0 302 Found\r\nLocation: /a\r\nConnection: close\r\n\r\nthere"),
    coded("gzip", zipped),
    coded("deflate", deflateSync(PAGE)),
    coded("deflate", deflateRawSync(PAGE)),
    coded("br", brotliCompressSync(PAGE)),
    coded("zstd", zstdCompressSync(PAGE)),
    coded("gzip, br, zstd", zstdCompressSync(brotliCompressSync(zipped))),
    coded("gzip", gzipSync(Buffer.alloc(10_000_000))),
    Buffer.concat([
      latin1(`HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${zipped.length.toString(16)}\r\n`),
      zipped,
      latin1("\r\n0\r\nX: y\r\n\r\n"),
    ]),
  ],
  mysql: [
    Buffer.concat([
      hex(
        "4a000000 0a 382e302e333600 07000000 73616c7473616c7400 fef7 2d 0200 ffdf 15 00000000000000000000 6d6f726573616c746d6f726500",
      ),
      latin1("caching_sha2_password\0"),
      hex("13000002 ff1504 233238303030 446e69656420757365"),
    ]),
    hex("17000000 ff1004 546f6f206d616e7920636f6e6e656374696f6e73"),
  ],
  postgresql: [
    hex("520000000800000000 5300000017 7365727665725f76657273696f6e00 31352e3600 5a0000000549"),
    hex("5200000017 0000000a 534352414d2d5348412d3235360000"),
    Buffer.concat([hex("450000002b"), latin1("SFATAL\0VFATAL\0C28000\0Mno such role\0\0\0\0")]),
  ],
  redis: [latin1("+PONG\r\n$32\r\nredis_version:7.0.15\r\nos:Linux 6\r\n\r\n"), latin1("-NOAUTH x\r\n")],
  memcached: [latin1("VERSION 1.6.18\r\n")],
  mongodb: [
    Buffer.concat([
      hex(
        "4a000000 01000000 01000000 dd070000 00000000 00 35000000 08 69735772697461626c655072696d61727900 01 10 6d6178576972655665727369 6f6e00 15000000 01 6f6b00 000000000000f03f 00",
      ),
      hex(
        "36000000 02000000 03000000 dd070000 00000000 00 21000000 02 76657273696f6e00 06000000 372e302e3500 01 6f6b00 000000000000f03f 00",
      ),
    ]),
  ],
  amqp: [
    hex(
      "01 0000 0000003d 000a 000a 00 09 00000021 0770726f64756374 53 00000006 526162626974 0776657273696f6e 53 00000001 33 00000005 504c41494e 00000005 656e5f5553 ce",
    ),
    hex("414d5150 03010000"),
  ],
  mqtt: [hex("20020000"), hex("20020005"), hex("2003008700")],
  ldap: [
    hex("300c 020102 6507 0a0100 0400 0400"),
    hex(
      "3027 020102 6422 0400 301e 301c 040b 6f626a656374436c617373 310d 0403 746f70 0406 646f6d61696e 300c 020102 6507 0a0100 0400 0400",
    ),
  ],
  rdp: [hex("030000130ed000001234000209080002000000"), hex("0300000b06d00000123400")],
  bgp: [
    hex(`${"ff".repeat(16)} 0027 01 04 5ba0 00b4 c0000209 0a 0208 0200 4104 00030d40`),
    hex(`${"ff".repeat(16)} 0015 03 0605`),
  ],
  smb: [
    Buffer.concat([
      hex("00000080 fe534d42 4000"),
      Buffer.alloc(10),
      hex("01000000"),
      Buffer.alloc(44),
      hex("4100 0100 1103 0000"),
      Buffer.alloc(16, 1),
      hex("41000000"),
      Buffer.alloc(36),
    ]),
  ],
  kafka: [Buffer.concat([hex("00000016"), RANDOM.subarray(0, 4), hex("0000 00000002 0000 0000 000b 0012 0000 0004")])],
  cassandra: [
    hex("84000001 06 00000017 0001 000b 43514c5f56455253494f4e 0001 0005 332e342e36"),
    hex("84000001 00 00000009 0000000a 0003 626164"),
  ],
  rtsp: [latin1("RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: x\r\nPublic: OPTIONS, PLAY\r\n\r\n")],
  nntp: [latin1("200 news ready\r\n101 list\r\nVERSION 2\r\nIMPLEMENTATION INN 2.7\r\n.\r\n")],
  irc: [latin1(":irc NOTICE * :hi\r\nPING :1\r\n:irc CAP * LS * :sasl=PLAIN\r\n:irc CAP * LS :tls\r\n")],
  vnc: [latin1("RFB 003.008\n\x02\x13\x02"), latin1("RFB 003.003\n\0\0\0\0\0\0\0\x03bad")],
  rsync: [latin1("@RSYNCD: 31.0 md5\nhello\nbackup  \tcopies\n@RSYNCD: EXIT\n")],
  minecraft: [latin1('\x3c\x00\x3a{"version":{"name":"1.21","protocol":767},"description":"x"}')],
  xmpp: [
    latin1(
      "<?xml version='1.0'?><stream:stream from='x'><stream:features><mechanism>PLAIN</mechanism></stream:features>",
    ),
  ],
  dns: [
    hex(
      "0000 8180 0001 0001 0000 0000 03777777 07 6578616d706c65 03636f6d 00 0001 0001 c00c 0001 0001 0000003c 0004 c0000201",
    ),
  ],
  ntp: [hex(`240100e8 00000000 00000000 47505300 ${"e9".repeat(32)}`)],
  sip: [
    latin1(
      "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nCSeq: 1 OPTIONS\r\nServer: x\r\nContent-Length: 0\r\n\r\n",
    ),
  ],
  stun: [hex("0101000c 2112a442 000000000000000000000000 0020 0008 0001 a147 e112a643")],
  coap: [hex("60450001 00 c0ff68656c6c6f")],
  interfaces: [switchAnswer()],
  snmp: [
    hex("302e 020101 0406 7075626c6963 a221 020101 020100 020100 3016 3014 06082b06010201010100 0408 4c696e7578203600"),
  ],
};
