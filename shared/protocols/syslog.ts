/**
 * Syslog: a server never answers (RFC 5424, section 6; UDP: RFC 5426), so by UDP only a closed port can be detected, by its
 * ICMP error. Silence is therefore `unknown` unless the settings say what it means.
 * By TCP (RFC 6587, section 3.4.1) and TLS (RFC 5425) a server is open when it takes the connection and one message.
 * Every datagram is one line in the server's log, of severity debug by default.
 */
import { z } from "zod";
import { ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { oneLine, parseSettings } from "../wire/settings.ts";
import { tcpProbe, udpOrTcp, udpProbe } from "../wire/udp.ts";

const FACILITIES = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;
const SEVERITIES = { emerg: 0, alert: 1, crit: 2, err: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const;

const settings = udpOrTcp(
  {
    facility: z
      .enum(Object.keys(FACILITIES) as [keyof typeof FACILITIES])
      .default("user")
      .describe("Facility of the message."),
    severity: z
      .enum(Object.keys(SEVERITIES) as [keyof typeof SEVERITIES])
      .default("debug")
      .describe("Severity of the message."),
    hostname: z
      .string()
      .max(255)
      .regex(/^[\x21-\x7e]+$/, "must be ASCII without spaces")
      .default("harborlight")
      .describe("Host name in the message."),
    message: oneLine(200).default("Harborlight checks that this port takes messages").describe("Text of the message."),
  },
  { count: 2, spacingMs: 100, silence: "unknown" },
);
type Settings = z.infer<typeof settings>;

const line = ({ facility, severity, hostname, message }: Settings, now: number): string => {
  const priority = FACILITIES[facility] * 8 + SEVERITIES[severity];
  return `<${priority}>1 ${new Date(now).toISOString()} ${hostname} harborlight - - - ${message}`;
};

export const syslog: Protocol = {
  title: "Syslog",
  summary:
    "By UDP nothing answers: `closed` where ICMP says so, else what `silence` says. By TCP open when it connects.",
  reference: "RFC 5424, section 6; RFC 5425; RFC 5426; RFC 6587, section 3.4.1",
  transports: ["udp", "tcp"],
  defaultPort: 514,
  settings,
  example: { settings: { silence: "up" } },
  prepare(input) {
    const wanted = parseSettings(settings, input);
    if (wanted.transport === "tcp")
      return tcpProbe(wanted, async (connection, target) => {
        const text = line(wanted, target.now());
        connection.write(`${Buffer.byteLength(text)} ${text}`);
        return { message: "the server accepted the connection and one message was sent; syslog does not answer" };
      });
    return udpProbe(wanted, {
      silenceMeans: "syslog never answers, so silence is all a healthy server gives",
      ask: (_n, _random, target) => Buffer.from(line(wanted, target.now())),
      read(answer) {
        throw new ProbeFailure("wrong-protocol", "expected silence, since syslog never answers, but something did", {
          evidence: { answer: printable(answer.subarray(0, 64).toString("latin1")) },
        });
      },
    });
  },
};
