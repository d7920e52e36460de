/** Runs the whole stack on this machine. Settings come from environment variables. */
import { writeSync } from "node:fs";
import { refusalOf } from "./disk/disk.ts";
import { StartError } from "./http-server/listen.ts";
import { readSettings } from "./settings.ts";
import { type RunningStack, startStack } from "./stack.ts";

// Output may go to a file on a full disk or to a closed pipe: such an error must not end the process.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
const log = (line: string): void => {
  try {
    writeSync(2, `${line}\n`); // unlike the stream, this works again once the disk has room
  } catch {}
};

/** One sentence for errors that the owner can fix; a stack trace only for bugs of Harborlight. */
const explain = (error: Error & { code?: unknown }): string => {
  if (error instanceof StartError) return error.message;
  const isOurs = error instanceof TypeError || error instanceof ReferenceError || error instanceof SyntaxError;
  if (isOurs && error.code === undefined) return `a bug in Harborlight, please report it: ${error.stack}`;
  const refusal = refusalOf(error);
  return refusal === undefined
    ? `cannot start: ${error.message}`
    : `cannot start, because the disk of the data folder takes no data: ${refusal} (${error.message})`;
};

const start = async (): Promise<RunningStack> => {
  try {
    return await startStack({ ...readSettings(process.env), log });
  } catch (error) {
    log(`harborlight: ${explain(error as Error)}`);
    process.exit(1);
  }
};

const stack = await start();
// The link logs in once. Over the network it would do so for whoever sees it, so it is for this machine only.
const isLoopback = /^http:\/\/(localhost|127\.|\[::1\])/.test(stack.apiUrl);
const code = isLoopback ? await stack.createLoginCode() : null;
const dashboard = code === null ? "" : `login#${code}`;
process.stdout.write(`API ${stack.apiUrl}\ntoken ${stack.token}\ndashboard ${stack.apiUrl}/${dashboard}\n`);

let isStopping = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (isStopping) process.exit(1); // the second signal ends it at once
    isStopping = true;
    stack.stop().then(
      () => process.exit(0),
      (error: Error) => {
        log(`harborlight: ${error.stack}`);
        process.exit(1);
      },
    );
  });
}
