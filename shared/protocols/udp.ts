/**
 * Raw UDP (RFC 768): open when an answer comes and is the expected one. UDP has no handshake, so a monitor must define what
 * to send, and either what answer it expects or what silence means.
 */
import { z } from "zod";
import type { Protocol } from "../contract/protocol.ts";
import {
  bytesSetting,
  describeBytes,
  expectSetting,
  prepareMatcher,
  toBytes,
  unexpected,
} from "../wire/expectation.ts";
import { preparingOnce } from "../wire/settings.ts";
import { udpFields, udpProbe } from "../wire/udp.ts";

const settings = z
  .strictObject({
    ...udpFields(),
    send: bytesSetting.meta({
      description: "One datagram, sent as often as packets.count says.",
      writeOnly: true,
    }),
    expect: expectSetting.optional(),
    silence: z.enum(["down", "up", "unknown"]).optional().describe("What it means when nothing answers."),
  })
  .superRefine(({ expect, silence }, context) => {
    if (expect === undefined && silence === undefined)
      context.addIssue({
        code: "custom",
        path: ["silence"],
        message:
          "is required without expect: many UDP services do not answer what they do not understand, so say what silence means (down, up or unknown), or what answer is expected",
      });
  });

export const udp: Protocol = {
  title: "UDP",
  summary: "Open when a datagram is answered, and as expected.",
  reference: "RFC 768",
  transports: ["udp"],
  defaultPort: null,
  settings,
  example: { port: 7, settings: { send: "ping", expect: { equals: "ping" } } },
  prepare: preparingOnce(settings, ({ send, expect, silence = "down", ...more }) => {
    const datagram = toBytes(send);
    const createMatcher = expect && prepareMatcher(expect);
    const wanted = { ...more, silence };
    return udpProbe(wanted, {
      ask: () => datagram,
      read(answer) {
        if (createMatcher) {
          const matcher = createMatcher();
          const used = matcher.match(answer.subarray(0, matcher.maxBytes));
          if (used === undefined || (expect.equals !== undefined && used < answer.length))
            throw unexpected(matcher.wanted(), answer);
        }
        return { evidence: { received: describeBytes(answer) } };
      },
    });
  }),
};
