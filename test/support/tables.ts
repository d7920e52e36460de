import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type DatabaseOptions, type LocalDatabase, openDatabase } from "../../infra/local/dynamodb/database.ts";
import { inProcessClient } from "./in-process-client.ts";
import { tableDefinitions } from "./schema.ts";
import { Usage } from "./usage.ts";

const text = async (request: IncomingMessage) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

/** Serves a database over HTTP on a free port of loopback, for other processes. */
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

/**
 * A fresh local DynamoDB in memory with the schema of the synthesised template, and the SDK's client on it: without HTTP,
 * which would take more time than the tables. `endpoint` answers the same over HTTP. `database` has what neither shows:
 * streams, and `sweep` for what has expired.
 */
export async function startTables(options: Pick<DatabaseOptions, "now" | "intercept" | "dataFolder"> = {}) {
  const definitions = tableDefinitions();
  const usage = new Usage();
  const database = await openDatabase({ ...options, onCapacity: usage.add, tables: Object.values(definitions) });
  const server = await serveDatabase(database);
  const client = inProcessClient(database, "test");
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
