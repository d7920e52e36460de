import { expect, test } from "vitest";
import { byPlainId, synthesise } from "./synthesised.ts";

const { home, resources } = await synthesise();

test("the API: throttled by route, logged, closed to other origins", () => {
  const routes = Object.values(home.findResources("AWS::ApiGatewayV2::Route")).map(
    ({ Properties }) => Properties.RouteKey,
  );
  const open = [
    "$default",
    "ANY /v1",
    "ANY /v1/acknowledge",
    "ANY /v1/badges/{file}",
    "ANY /v1/health",
    "ANY /v1/openapi.json",
    "ANY /status/{proxy+}",
  ];
  open.push("POST /v1/sessions");
  expect(routes.toSorted()).toEqual([...open, "ANY /v1/{proxy+}"].toSorted());
  home.resourceCountIs("AWS::ApiGatewayV2::Integration", 3);
  home.hasResourceProperties("AWS::ApiGatewayV2::Integration", { PayloadFormatVersion: "2.0" });
  const stage = byPlainId(resources, "PublicApiStage");
  expect(stage.Properties).toMatchObject({
    StageName: "$default",
    AutoDeploy: true,
    DefaultRouteSettings: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 40 },
    RouteSettings: Object.fromEntries(open.map((key) => [key, { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 10 }])),
  });
  // API Gateway refuses settings of a route that does not exist yet.
  const routeIds = Object.keys(home.findResources("AWS::ApiGatewayV2::Route"));
  expect(stage).toMatchObject({ DependsOn: expect.arrayContaining(routeIds) });
  const format = JSON.parse(stage.Properties.AccessLogSettings.Format);
  expect(format).toMatchObject({ path: "$context.path", status: "$context.status" });
  expect(JSON.stringify(format)).not.toMatch(/authorizer|header|querystring/i);
  expect(resources[stage.Properties.AccessLogSettings.DestinationArn["Fn::GetAtt"][0]]).toMatchObject({
    DeletionPolicy: "Delete",
    // Outside this folder each group takes its part of the account's one policy for log delivery.
    Properties: { RetentionInDays: 14, LogGroupName: "/aws/vendedlogs/harborlight-api" },
  });
  expect(byPlainId(resources, "PublicApiHttp").Properties).not.toHaveProperty("CorsConfiguration");
});
