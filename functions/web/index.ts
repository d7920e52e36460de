/** Lambda entry point of web: answers with the dashboard's files, which lie beside the bundle. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import type { WebFiles } from "../../shared/web-files.ts";
import { createFileServer } from "./files.ts";

const serve = createFileServer(JSON.parse(readFileSync(join(__dirname, "files.json"), "utf8")) as WebFiles);

export const handler = async ({
  rawPath,
  headers,
  requestContext: { http },
}: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> =>
  serve({ method: http.method, path: rawPath, headers });
