import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { documentClient } from "../../../shared/store/client.ts";
import { serve } from "../../support/servers.ts";

test("a request that DynamoDB does not answer fails after three seconds, not with its function's time", async () => {
  await using silent = await serve(() => {});
  const client = documentClient({
    endpoint: `http://127.0.0.1:${silent.port}`,
    region: "local",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
    maxAttempts: 1,
  });
  const startedAt = performance.now();
  await expect(client.send(new GetCommand({ TableName: "t", Key: { pk: "a" } }))).rejects.toThrow();
  expect(performance.now() - startedAt).toBeGreaterThan(2_900);
  expect(performance.now() - startedAt).toBeLessThan(4_500);
}, 10_000);
