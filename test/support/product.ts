/** The product as a process of its own, as `npm start` runs it: it can be killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const STARTS_WITHIN_MS = 40_000;

export interface Product {
  readonly apiUrl: string;
  readonly token: string;
  readonly child: ChildProcess;
  /** `SIGKILL`: no goodbye of any kind. */
  kill(): Promise<void>;
  /** As Ctrl-C. @returns the exit code */
  stop(): Promise<number | null>;
}

export async function startProduct(
  dataFolder: string,
  port: number,
  env: Record<string, string> = {},
  startsWithinMs = STARTS_WITHIN_MS,
): Promise<Product> {
  const child = spawn(process.execPath, ["infra/local/main.ts"], {
    env: { ...process.env, HARBORLIGHT_DATA: dataFolder, HARBORLIGHT_PORT: String(port), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const said: Record<string, string> = {};
  const ready = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const [word = "", value] = line.split(" ");
      if (value) said[word] = value;
      if (said.API && said.token) return;
    }
    throw new Error(`it ended before it was ready: ${errors}`);
  })();
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`not ready after ${startsWithinMs} ms: ${errors}`)), startsWithinMs).unref();
  });
  await Promise.race([ready, late]);
  child.stdout.resume();
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, "exit");
    child.kill(signal);
    const [code] = await exited;
    return code as number | null;
  };
  return {
    apiUrl: said.API!,
    token: said.token!,
    child,
    kill: async () => void (await end("SIGKILL")),
    stop: () => end("SIGINT"),
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
