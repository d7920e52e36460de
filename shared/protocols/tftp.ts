/**
 * TFTP: open when the server answers a read request with ERROR or DATA (RFC 1350, sections 4, 5 and 7). We ask for no
 * options, so that there are none to acknowledge (RFC 2347).
 * The file asked for should be missing: "file not found" is the answer of a working server. Answers come from a new port
 * (section 4), so only the server's address and the form of the answer identify them.
 * One datagram per check: for each one the server opens a port and, if it has the file, sends a block repeatedly.
 */
import { z } from "zod";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { oneLine, parseSettings } from "../wire/settings.ts";
import { udpFields, udpProbe } from "../wire/udp.ts";

const READ_REQUEST = 1;
const DATA = 3;
const ERROR = 5;
const BLOCK_BYTES = 512;
const FILE_NOT_FOUND = 1;

const settings = z.strictObject({
  file: oneLine(128).default("harborlight-check").describe("The file to ask for, preferably a missing one."),
  mode: z.enum(["octet", "netascii"]).default("octet").describe("Mode of the transfer."),
  expect: z
    .enum(["any", "file", "missing"])
    .default("any")
    .describe("Whether the file must exist, must be missing, or either."),
  ...udpFields({ count: 1, spacingMs: 1000 }),
});
type Settings = z.infer<typeof settings>;

const understand = (datagram: Buffer, { file, expect }: Settings): Finding => {
  const opcode = datagram.length >= 4 ? datagram.readUInt16BE() : 0;
  if (opcode !== DATA && opcode !== ERROR)
    throw new ProbeFailure("wrong-protocol", "expected a TFTP answer, got something else", {
      evidence: { firstBytes: datagram.subarray(0, 8).toString("hex") },
    });
  const cursor = new Cursor(datagram, "TFTP answer", 2);
  if (opcode === ERROR) {
    const code = cursor.u16();
    const text = printable(cursor.text());
    const evidence = { answer: "error", code, message: text };
    if (expect === "file" || (expect === "missing" && code !== FILE_NOT_FOUND && !/not found|no such/i.test(text)))
      throw new ProbeFailure(
        "unexpected-answer",
        `expected ${file} to be ${expect === "file" ? "there" : "missing"}, got error ${code} "${text}"`,
        { evidence },
      );
    return { evidence, message: `TFTP error ${code}: ${text || "no text"}` };
  }
  if (cursor.u16() !== 1 || cursor.left > BLOCK_BYTES)
    throw new ProbeFailure("wrong-protocol", "expected the first block of a file by TFTP, got something else");
  const evidence = { answer: "data", bytes: cursor.left };
  if (expect === "missing")
    throw new ProbeFailure("unexpected-answer", `expected ${file} to be missing, got its first block`, { evidence });
  return { evidence, message: `the TFTP server sends ${file}` };
};

export const tftp: Protocol = {
  title: "TFTP",
  summary: "Open when the server answers a read request, be it with the file or with an error.",
  reference: "RFC 1350, sections 4, 5 and 7; RFC 2347",
  transports: ["udp"],
  defaultPort: 69,
  settings,
  example: { settings: { expect: "missing" } },
  prepare(input) {
    const wanted = parseSettings(settings, input);
    const question = Buffer.concat([Buffer.of(0, READ_REQUEST), Buffer.from(`${wanted.file}\0${wanted.mode}\0`)]);
    return udpProbe(wanted, {
      answersFromAnyPort: true,
      ask: () => question,
      read: (datagram) => understand(datagram, wanted),
    });
  },
};
