import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import dynalite from "dynalite";
import type { TableDefinition } from "../../infra/local/dynamodb/table-definition.ts";

/** Sends one request of DynamoDB's API. */
export type Call = (target: string, body: unknown) => Promise<{ status: number; body: Record<string, unknown> }>;

/** Creates a table in a database other than ours, and waits until it can be used. */
export async function createTable(call: Call, { name, attributes, keys, indexes }: TableDefinition): Promise<void> {
  const { status, body } = await call("DynamoDB_20120810.CreateTable", {
    TableName: name,
    AttributeDefinitions: attributes,
    KeySchema: keys,
    ...(indexes.length > 0 && { GlobalSecondaryIndexes: indexes }),
    BillingMode: "PAY_PER_REQUEST",
  });
  if (status !== 200) throw new Error(`the table ${name} could not be created: ${JSON.stringify(body)}`);
  for (;;) {
    const described = await call("DynamoDB_20120810.DescribeTable", { TableName: name });
    if ((described.body.Table as { TableStatus?: string } | undefined)?.TableStatus === "ACTIVE") return;
    await sleep(10);
  }
}

/**
 * Starts dynalite, an independent DynamoDB.
 * @param path the folder of its files; default: in memory
 * @returns a function that sends one request as it is on the wire
 */
export async function startDynalite(path?: string) {
  const server = dynalite({ createTableMs: 0, path }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const call: Call = async (target, body) => {
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
  const stop = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { call, stop };
}
