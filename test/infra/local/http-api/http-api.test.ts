import { createConnection } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readHttpApi } from "../../../../infra/local/http-api/api-settings.ts";
import { toHttpAnswer } from "../../../../infra/local/http-api/http-event.ts";
import { createRouter } from "../../../../infra/local/http-api/routes.ts";
import { createTokenBucket } from "../../../../infra/local/http-api/token-bucket.ts";
import { type Fixture, startFixture } from "../fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({
    change: (template) => {
      template.HttpStage!.Properties.DefaultRouteSettings = { ThrottlingRateLimit: 1_000, ThrottlingBurstLimit: 1_000 };
      template.Http!.Properties.CorsConfiguration = {
        AllowOrigins: ["https://a.example"],
        AllowMethods: ["GET"],
        MaxAge: 60,
      };
    },
  });
});
afterAll(() => fixture[Symbol.asyncDispose]());

const call = (path: string, init?: RequestInit) => fetch(fixture.stack.apiUrl + path, init);

test("the function gets the event of payload format 2.0", async () => {
  const response = await call("/v1/monitors/a%20b?tag=x&tag=y&empty=&sp=a+b", {
    method: "POST",
    headers: { "X-Custom": "One", cookie: "a=1; b=2", "content-type": "application/json", "user-agent": "test" },
    body: '{"ü":1}',
  });
  const event = (await response.json()) as Record<string, unknown>;
  expect(event).toMatchObject({
    version: "2.0",
    routeKey: "ANY /v1/{proxy+}",
    rawPath: "/v1/monitors/a%20b",
    rawQueryString: "tag=x&tag=y&empty=&sp=a+b",
    queryStringParameters: { tag: "x,y", empty: "", sp: "a b" },
    cookies: ["a=1", "b=2"],
    pathParameters: { proxy: "monitors/a b" },
    body: '{"ü":1}',
    isBase64Encoded: false,
    requestContext: {
      accountId: "000000000000",
      http: {
        method: "POST",
        path: "/v1/monitors/a%20b",
        protocol: "HTTP/1.1",
        sourceIp: "127.0.0.1",
        userAgent: "test",
      },
      stage: "$default",
      time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
      timeEpoch: expect.any(Number),
    },
  });
  expect(event.headers).toMatchObject({ "x-custom": "One", "x-forwarded-proto": "http" });
  expect(event.headers).not.toHaveProperty("cookie");
});

test("a header sent twice is one, joined by a comma, and a body that is no text comes in base64", async () => {
  const { hostname, port } = new URL(fixture.stack.apiUrl);
  const socket = createConnection(Number(port), hostname);
  socket.write(
    "POST /v1/x HTTP/1.1\r\nHost: here\r\nX-Two: a\r\nX-Two: b\r\nContent-Type: application/octet-stream\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\u0001\u0002",
  );
  let text = "";
  for await (const chunk of socket) text += chunk;
  expect(JSON.parse(text.split("\r\n\r\n")[1]!)).toMatchObject({
    headers: { "x-two": "a,b", host: "here" },
    body: "AQI=",
    isBase64Encoded: true,
  });
});

describe("the function's answer becomes the response:", () => {
  test.for([
    [
      "status, headers, cookies, body",
      { statusCode: 201, headers: { "X-A": 1 }, cookies: ["a=1"], body: "é" },
      201,
      "é",
    ],
    ["base64", { statusCode: 200, body: "aGk=", isBase64Encoded: true }, 200, "hi"],
    ["a plain object", { hello: 1 }, 200, '{"hello":1}'],
    ["an empty one", { statusCode: 204 }, 204, ""],
    ["a body that is no text", { statusCode: 200, body: { a: 1 } }, 500, '{"message":"Internal Server Error"}'],
    ["a status that is none", { statusCode: "x" }, 500, '{"message":"Internal Server Error"}'],
  ] as const)("%s", async ([, result, status, body]) => {
    fixture.behave(() => ({ result }));
    const response = await call("/v1/x");
    expect([response.status, await response.text()]).toEqual([status, body]);
    if (status === 201) expect([response.headers.get("x-a"), response.headers.get("set-cookie")]).toEqual(["1", "a=1"]);
  });

  test("an error is a 500 without details", async () => {
    fixture.behave(() => ({ throw: "secret" }));
    const response = await call("/v1/x");
    expect([response.status, await response.text()]).toEqual([500, '{"message":"Internal Server Error"}']);
    fixture.behave(() => ({}));
  });

  test("to HEAD, which has the length of GET's body", async () => {
    fixture.behave(() => ({ result: { statusCode: 200, headers: { "Content-Length": "17" } } }));
    expect((await call("/v1/x", { method: "HEAD" })).headers.get("content-length")).toBe("17");
    fixture.behave(() => ({}));
  });

  test("of 304 has neither body nor length", async () => {
    fixture.behave(() => ({ result: { statusCode: 304, headers: { etag: '"x"' } } }));
    const response = await call("/v1/x");
    expect([response.status, response.headers.get("etag"), response.headers.get("content-length")]).toEqual([
      304,
      '"x"',
      null,
    ]);
    fixture.behave(() => ({}));
  });

  test("text and numbers", () => {
    expect(toHttpAnswer('"text"')?.body.toString()).toBe("text");
    expect(toHttpAnswer("7")?.body.toString()).toBe("7");
  });
});

test("answers itself where there is no route, and where the body is over 10 MB", async () => {
  const missing = await call("/v2/x");
  expect([missing.status, await missing.text()]).toEqual([404, '{"message":"Not Found"}']);
  const large = await call("/v1/x", { method: "POST", body: Buffer.alloc(10 * 1024 * 1024 + 1) });
  expect(large.status).toBe(413);
});

test("answers the browser's question about other origins from the template", async () => {
  const asked = await call("/v1/x", { method: "OPTIONS", headers: { origin: "https://a.example" } });
  expect(asked.status).toBe(204);
  expect(asked.headers.get("access-control-allow-methods")).toBe("GET");
  const foreign = await call("/v1/x", { headers: { origin: "https://b.example" } });
  expect(foreign.headers.get("access-control-allow-origin")).toBeNull();
});

test("without the permission to invoke the function everybody gets a 500, beyond the throttle a 429", async () => {
  await using own = await startFixture({
    change: (template) => {
      template.HttpPermission!.Properties.SourceArn = "arn:aws:execute-api:us-east-1:000000000000:other/*/*";
      template.HttpStage!.Properties.DefaultRouteSettings = { ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 2 };
    },
  });
  const statuses: number[] = [];
  for (let count = 0; count < 3; count += 1) statuses.push((await fetch(`${own.stack.apiUrl}/v1/x`)).status);
  expect(statuses).toEqual([500, 500, 429]);
});

describe("a route with settings of its own", () => {
  const withRoute = (RouteSettings: object) =>
    startFixture({
      change: (template) => {
        Object.assign(template, {
          HealthRoute: {
            ...template.HttpRoute!,
            Properties: { ...template.HttpRoute!.Properties, RouteKey: "ANY /v1/health" },
          },
        });
        template.HttpPermission!.Properties.SourceArn = "arn:aws:execute-api:us-east-1:000000000000:*/*/*";
        template.HttpStage!.Properties.DefaultRouteSettings = { ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 2 };
        Object.assign(template.HttpStage!.Properties, { RouteSettings });
      },
    });

  test("is throttled alone: a crowd there takes nothing from the other routes", async () => {
    await using own = await withRoute({ "ANY /v1/health": { ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1 } });
    const statuses: number[] = [];
    for (const path of ["health", "health", "health", "x", "y", "z"])
      statuses.push((await fetch(`${own.stack.apiUrl}/v1/${path}`)).status);
    expect(statuses).toEqual([200, 429, 429, 200, 200, 429]);
  });

  test("has to exist, as API Gateway demands", async () => {
    const settings = { "ANY /v1/other": { ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1 } };
    await expect(withRoute(settings)).rejects.toThrow("RouteSettings of HttpStage name ANY /v1/other");
  });
});

test("a direct invocation is of the API's function, whichever route comes first", async () => {
  await using own = await startFixture({
    change: (template) => {
      const { HttpIntegration, HttpRoute } = template;
      const withProperties = (resource: typeof HttpRoute, more: object) => ({
        ...resource!,
        Properties: { ...resource!.Properties, ...more },
      });
      const Target = { "Fn::Join": ["/", ["integrations", { Ref: "PagesIntegration" }]] };
      Object.assign(template, {
        PagesIntegration: withProperties(HttpIntegration, { IntegrationUri: { "Fn::GetAtt": ["Worker", "Arn"] } }),
        PagesRoute: withProperties(HttpRoute, { RouteKey: "$default", Target }),
      });
    },
  });
  const { resources, functions } = own.stack;
  await readHttpApi(resources.toReversed(), functions).direct("{}");
  expect(own.received.map(({ by }) => by)).toEqual([expect.stringMatching(/api/i)]);
});

test("a bucket fills with time, up to its burst", () => {
  let now = 0;
  const mayPass = createTokenBucket(2, 3, () => now);
  const passed = () => Array.from({ length: 5 }, mayPass).filter(Boolean).length;
  expect(passed()).toBe(3);
  now = 1_000;
  expect(passed()).toBe(2);
  now = 60_000;
  expect(passed()).toBe(3);
});

test("the most specific route wins", () => {
  const keys = ["$default", "ANY /v1/{proxy+}", "GET /v1/{id}", "GET /v1/health", "ANY /v1/health"];
  const route = createRouter(keys.map((key) => ({ key })));
  const found = (method: string, path: string) => route(method, path)?.route.key;
  expect(found("GET", "/v1/health")).toBe("GET /v1/health");
  expect(found("POST", "/v1/health")).toBe("ANY /v1/health");
  expect(found("GET", "/v1/x")).toBe("GET /v1/{id}");
  expect(found("GET", "/v1/x/y")).toBe("ANY /v1/{proxy+}");
  expect(found("GET", "/else")).toBe("$default");
  expect(route("GET", "/v1/a%20b/c")?.pathParameters).toEqual({ proxy: "a b/c" });
});
