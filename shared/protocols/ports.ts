/**
 * Port watch: finds which TCP ports of a host or network are open, by plain connections (RFC 9293), and which of a few UDP ports answer,
 * and remembers them. Ports that open or close later are changes that people hear of.
 */
import { z } from "zod";
import type { Protocol } from "../contract/protocol.ts";
import { NAMED_PORTS, type Ports, parsePorts } from "../port-list.ts";
import { preparingOnce } from "../wire/settings.ts";

/** Attempts a second at one address: more looks like an attack, and fills the tables of small firewalls. */
const MAX_PER_SECOND = 1_000;
/** An answer takes seconds to wait for, and each port must be one of a protocol here. */
const MOST_UDP = 50;
const NAMES = Object.keys(NAMED_PORTS).join(", ");

const portList = (what: string) =>
  z
    .string()
    .max(2_000)
    .superRefine((text, context) => {
      const ports = parsePorts(text);
      if (typeof ports === "string")
        context.addIssue({
          code: "custom",
          message: `must be ports and ranges such as 22,80,8000-8100, or ${NAMES}: ${ports}`,
        });
    })
    .describe(what);

const settings = z
  .strictObject({
    ports: portList(`The ports to look at, such as \`22,80,8000-8100\`, or a list by its name: ${NAMES}.`).default(
      "top-1000",
    ),
    udp: portList(
      "UDP ports to ask, each in the protocol whose default port it is, such as `53,123,161`: at most 50. Only an answer shows that one is open. Default none.",
    )
      .refine((text) => portsOf(text).length <= MOST_UDP, { error: `must be at most ${MOST_UDP} ports` })
      .optional()
      .meta({ title: "UDP ports" }),
    perSecond: z
      .int()
      .min(1)
      .max(MAX_PER_SECOND)
      .optional()
      .meta({ title: "Connections a second" })
      .describe("Connections a second at one address. Default 100, from a VPC 300, on one machine 1000."),
    expected: portList(
      "The ports that must be open, for `expectedDown`. What is told as a change is measured against the first sweep.",
    )
      .optional()
      .meta({ title: "Expected ports" }),
    mayBe: portList("Ports that may be open or not, without anybody hearing of it. Default none.")
      .optional()
      .meta({ title: "Ports that may be open" }),
    expectedDown: z
      .boolean()
      .default(false)
      .meta({ title: "Down without an expected port" })
      .describe("Whether an expected port that is not open makes the monitor `down`, and is not only a change."),
    identify: z
      .boolean()
      .default(true)
      .meta({ title: "Ask what answers" })
      .describe("Whether newly open ports are asked which service answers there."),
  })
  .superRefine(({ ports, expected, mayBe, expectedDown }, context) => {
    const watched = new Set(portsOf(ports));
    for (const [path, text] of Object.entries({ expected, mayBe })) {
      const missing = portsOf(text).filter((port) => !watched.has(port));
      if (missing.length > 0)
        context.addIssue({
          code: "custom",
          path: [path],
          message: `must be among the ports: ${missing.slice(0, 5).join(", ")}`,
        });
    }
    if (expectedDown && expected === undefined)
      context.addIssue({
        code: "custom",
        path: ["expectedDown"],
        message: "needs expected: the ports that should be open",
      });
  });

/** None for a list that is not valid, of which its own field tells. */
const portsOf = (text: string | undefined): Ports => {
  const ports = text === undefined ? [] : parsePorts(text);
  return typeof ports === "string" ? [] : ports;
};

export const ports: Protocol = {
  title: "Port watch",
  summary: "Finds the open ports of a host or network, and tells when others open or these close.",
  reference: "RFC 9293",
  transports: ["tcp"],
  defaultPort: 0,
  isSweep: true,
  settings,
  example: { settings: { ports: "22,80,443,8000-8100", expected: "22,443", mayBe: "80" } },
  prepare: preparingOnce(settings, (parsed) => ({
    transport: "sweep",
    ports: portsOf(parsed.ports),
    udp: portsOf(parsed.udp),
    perSecond: parsed.perSecond ?? null,
    expected: parsed.expected === undefined ? null : portsOf(parsed.expected),
    mayBe: portsOf(parsed.mayBe),
    isDownWithoutExpected: parsed.expectedDown,
    identify: parsed.identify,
  })),
};
