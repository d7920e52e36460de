import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createToken, findTarget } from "../../../infra/commands/token.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "harborlight-token-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (path: string, content: unknown) => {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), typeof content === "string" ? content : JSON.stringify(content));
};
const DEPLOYED = {
  "harborlight-probe-eu-west-1": { ProbeFunctionName: "harborlight-probe-eu-west-1" },
  harborlight: { ApiFunctionName: "harborlight-Api-1", AlertsTopicArn: "arn:aws:sns:eu-north-1:123456789012:alerts" },
};
const LOCAL = {
  gatewayUrl: "http://127.0.0.1:4001",
  accessKeyId: "AKIDOPERATOR",
  harborlight: { ApiFunctionName: "ApiFunction" },
};

describe("the function to ask", () => {
  test("is the one that is named", () => {
    write("cdk-outputs.json", DEPLOYED);
    expect(findTarget({ function: "mine", region: "eu-west-1" }, folder, {})).toEqual({
      functionName: "mine",
      client: { region: "eu-west-1" },
    });
  });

  test("else the deployed one, in its region", () => {
    write("cdk-outputs.json", DEPLOYED);
    write(".harborlight/outputs.json", LOCAL);
    expect(findTarget({}, folder, {})).toEqual({ functionName: "harborlight-Api-1", client: { region: "eu-north-1" } });
  });

  test("else the one on this machine, at its gateway", () => {
    write("data/outputs.json", LOCAL);
    const target = findTarget({}, folder, { HARBORLIGHT_DATA: join(folder, "data") });
    expect(target).toMatchObject({ functionName: "ApiFunction", client: { endpoint: "http://127.0.0.1:4001" } });
  });

  test("on this machine even after a deployment, when asked for", () => {
    write("cdk-outputs.json", DEPLOYED);
    write(".harborlight/outputs.json", LOCAL);
    expect(findTarget({ local: true }, folder, {}).functionName).toBe("ApiFunction");
  });

  test.each([
    ["nothing was deployed or started", {}, {}, "run npm run deploy or npm start first"],
    ["no stack runs here", {}, { local: true }, "start the one-machine stack with npm start first"],
    ["only probes were deployed", { "cdk-outputs.json": { probe: {} } }, {}, "has no output ApiFunctionName"],
    ["the outputs are damaged", { "cdk-outputs.json": "{" }, {}, "cannot be read as JSON"],
    ["the gateway is unknown", { ".harborlight/outputs.json": { ApiFunctionName: "x" } }, {}, "must have"],
  ])("is missed with advice when %s", (_, files, flags, message) => {
    for (const [path, content] of Object.entries(files)) write(path, content);
    expect(() => findTarget(flags, folder, {})).toThrow(message);
  });
});

describe("the token", () => {
  /** Lambda's Invoke, as far as one function needs it. */
  const serve = async (answer: unknown, headers: Record<string, string> = {}, status = 200) => {
    const requests: { url: string | undefined; payload: unknown }[] = [];
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      requests.push({ url: request.url, payload: JSON.parse(Buffer.concat(chunks).toString()) });
      response.writeHead(status, headers).end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    return {
      requests,
      target: { functionName: "api", client: { endpoint, region: "us-east-1", credentials, maxAttempts: 1 } },
      [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
    };
  };

  test("is what the function answers to create-token", async () => {
    await using lambda = await serve({ id: "1", token: "hl_1_secret", name: "ci", scopes: ["read"] });
    expect(await createToken(lambda.target, "ci", ["read"])).toBe("hl_1_secret");
    expect(lambda.requests).toEqual([
      {
        url: "/2015-03-31/functions/api/invocations",
        payload: { command: "create-token", name: "ci", scopes: ["read"] },
      },
    ]);
  });

  test("is refused in the function's words", async () => {
    await using lambda = await serve(
      { errorMessage: "scopes must name at least one" },
      { "x-amz-function-error": "Unhandled" },
    );
    await expect(createToken(lambda.target, "ci", ["x"])).rejects.toThrow("api refused: scopes must name at least one");
  });

  test("is missed when the caller may not invoke, or nobody listens", async () => {
    await using lambda = await serve(
      { message: "not authorized" },
      { "x-amzn-errortype": "AccessDeniedException" },
      403,
    );
    await expect(createToken(lambda.target, "ci", ["read"])).rejects.toThrow("cannot invoke api: not authorized");
    const client = { ...lambda.target.client, endpoint: "http://127.0.0.1:1" };
    await expect(createToken({ functionName: "api", client }, "ci", ["read"])).rejects.toThrow("cannot invoke api");
  });

  test("is missed when something else answers", async () => {
    await using lambda = await serve({});
    await expect(createToken(lambda.target, "ci", ["read"])).rejects.toThrow("answered without a token");
  });
});
