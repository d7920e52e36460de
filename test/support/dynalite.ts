import { once } from "node:events";
import type { AddressInfo } from "node:net";
import dynalite from "dynalite";

/**
 * Starts dynalite, an independent DynamoDB.
 * @param path the folder of its files; default: in memory
 * @returns a function that sends one request as it is on the wire
 */
export async function startDynalite(path?: string) {
  const server = dynalite({ createTableMs: 0, path }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const call = async (target: string, body: unknown) => {
    const response = await fetch(`http://127.0.0.1:${port}`, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": target.includes(".") ? target : `DynamoDB_20120810.${target}`,
        "x-amz-date": "20260101T000000Z",
        authorization:
          "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x",
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const stop = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { call, stop };
}
