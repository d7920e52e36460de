/** `npm start`: the whole stack on this machine. Settings come from the environment. */
import { StartError } from "./listen.ts";
import { readSettings } from "./settings.ts";
import { type RunningStack, startStack } from "./stack.ts";

const log = (line: string) => process.stderr.write(`${line}\n`);

const start = async (): Promise<RunningStack> => {
  try {
    return await startStack({ ...readSettings(process.env), log });
  } catch (error) {
    log(error instanceof StartError ? `harborlight: ${error.message}` : `harborlight: ${(error as Error).stack}`);
    process.exit(1);
  }
};

const stack = await start();
process.stdout.write(`API ${stack.apiUrl}\ntoken ${stack.token}\n`);

let isStopping = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (isStopping) process.exit(1); // asked twice: now
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
