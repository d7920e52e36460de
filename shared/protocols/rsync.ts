/**
 * rsync daemon: open when it greets with @RSYNCD and its version and lists its modules (rsync's csprotocol.txt, "The rsync
 * daemon protocol"). We read only the names that the daemon shows to everyone, and no files.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { oneLine, parseSettings } from "../wire/settings.ts";

const settings = z.strictObject({
  module: oneLine(128).optional().describe("A module that the list must show."),
});

/** Message of the day and modules together. */
const MAX_LINES = 500;

const talk = async (connection: Connection, wanted: z.output<typeof settings>): Promise<Finding> => {
  const greeting = await connection.readLine();
  const [, version, digests = ""] = /^@RSYNCD: (\d{1,3}(?:\.\d{1,3})?)(?: (.*))?$/.exec(greeting) ?? [];
  if (version === undefined)
    throw new ProbeFailure("wrong-protocol", `expected @RSYNCD and a version, got: ${printable(greeting)}`);
  // Every daemon accepts version 30.0, and it needs no list of digests.
  connection.write("@RSYNCD: 30.0\n#list\n");
  const modules: string[] = [];
  let refusal: string | undefined;
  for (let count = 0; count < MAX_LINES && refusal === undefined; count += 1) {
    const line = await connection.readLine();
    if (line === "@RSYNCD: EXIT") break;
    if (line.startsWith("@ERROR")) refusal = printable(line.replace(/^@ERROR:? */, ""));
    // The message of the day comes first, and the daemon ends it with an empty line.
    if (line === "") modules.length = 0;
    // A module is a name, padded, a tab, and a comment.
    const module = /^([^\t]{1,128}?) *\t/.exec(line)?.[1];
    if (module !== undefined) modules.push(printable(module, 40));
    if (count === MAX_LINES - 1) throw new ProbeFailure("answer-too-long", `more than ${MAX_LINES} lines in the list`);
  }
  if (refusal !== undefined && /max connections|unavailable|failed/i.test(refusal))
    throw new ProbeFailure("service-unavailable", `the daemon answers: ${refusal}`);
  const evidence = {
    protocol: version,
    ...(digests && { digests: printable(digests, 80) }),
    moduleCount: modules.length,
    modules: modules.slice(0, 10),
    ...(refusal && { refused: refusal }),
  };
  if (wanted.module !== undefined && !modules.includes(wanted.module))
    throw new ProbeFailure("unexpected-answer", `expected the module ${wanted.module} in the list`, { evidence });
  return { evidence, message: `rsync daemon, protocol ${version}`, facts: { "rsync.protocol": version } };
};

export const rsync: Protocol = {
  title: "rsync",
  summary: "Open when the daemon greets with its version; lists the modules that it shows.",
  reference: "rsync: csprotocol.txt",
  transports: ["tcp"],
  defaultPort: 873,
  settings,
  example: { settings: {} },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", talk: (connection) => talk(connection, wanted) };
  },
};
