import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { type DatabaseOptions, type LocalDatabase, openDatabase } from "../../infra/local/dynamodb/database.ts";
import { tableDefinitions } from "./schema.ts";
import { Usage } from "./usage.ts";

const text = async (request: IncomingMessage) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

/** Serves a database over HTTP on a free port of loopback, for the SDK to talk to. */
async function serveDatabase(database: LocalDatabase) {
  const server = createServer(async (request, response) => {
    try {
      const target = String(request.headers["x-amz-target"]);
      const { status, body } = await database.handle(target, JSON.parse(await text(request)), "test");
      response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(body));
    } catch (error) {
      response.writeHead(500).end(String((error as Error).stack));
    }
  });
  // Node closes idle connections after 5 s; a request that goes out at that moment is reset, and the SDK here does not retry.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The SDK's own client, pointed at a local endpoint; it does not retry, so that a fault shows at once. */
const localClient = (endpoint: string) =>
  new DynamoDBClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  });

/**
 * A fresh local DynamoDB in memory with the schema of the synthesised template, and a client that talks to it over
 * HTTP. `database` has what HTTP does not show: streams, and `sweep` for what has expired.
 */
export async function startTables(options: Pick<DatabaseOptions, "now" | "intercept" | "dataFolder"> = {}) {
  const definitions = tableDefinitions();
  const usage = new Usage();
  const database = await openDatabase({ ...options, onCapacity: usage.add, tables: Object.values(definitions) });
  const server = await serveDatabase(database);
  const client = DynamoDBDocumentClient.from(localClient(server.endpoint), {
    marshallOptions: { removeUndefinedValues: true },
  });
  const stop = async () => {
    client.destroy();
    await server.close();
    await database.close();
  };
  return {
    client,
    tables: { monitors: definitions.monitors.name, history: definitions.history.name },
    definitions,
    endpoint: server.endpoint,
    database,
    usage,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
