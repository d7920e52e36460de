/** The SDK's own client, answered by a local database in the same process: without sockets, which take most of the time. */
import { Readable } from "node:stream";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { LocalDatabase } from "../../infra/local/dynamodb/database.ts";

/**
 * @param caller whom the database books the requests on
 * @param requests counts what is asked
 * @param maxAttempts of one request; by default a fault shows at once
 */
export function inProcessClient(
  database: Pick<LocalDatabase, "handle">,
  caller: string,
  { requests = { count: 0 }, maxAttempts = 1 }: { requests?: { count: number }; maxAttempts?: number } = {},
) {
  const handle = async (request: { headers: Record<string, string>; body: Uint8Array }) => {
    requests.count++;
    const body = JSON.parse(new TextDecoder().decode(request.body));
    const answer = await database.handle(request.headers["x-amz-target"] ?? "", body, caller);
    const bytes = Buffer.from(JSON.stringify(answer.body));
    const headers = { "content-type": "application/x-amz-json-1.0", "content-length": String(bytes.length) };
    return { response: { statusCode: answer.status, headers, body: Readable.from([bytes]) } };
  };
  const client = new DynamoDBClient({
    endpoint: "http://127.0.0.1:1",
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts,
    // Signatures are checked by the gateway, and take a tenth of the time here.
    signer: { sign: (request: unknown) => Promise.resolve(request) } as never,
    requestHandler: {
      handle,
      updateHttpClientConfig: () => {},
      httpHandlerConfigs: () => ({}),
      destroy: () => {},
    } as never,
  });
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}
