import { RemovalPolicy, Validations } from "aws-cdk-lib";
import { AccessLogFormat } from "aws-cdk-lib/aws-apigateway";
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { accessLogName } from "./names.ts";
import type { Settings } from "./settings.ts";

/** Fields of the access log: never a header or a query string, which may hold secrets. */
const ACCESS_LOG = AccessLogFormat.custom(
  JSON.stringify({
    at: "$context.requestTimeEpoch",
    requestId: "$context.requestId",
    sourceIp: "$context.identity.sourceIp",
    method: "$context.httpMethod",
    path: "$context.path",
    status: "$context.status",
    bytes: "$context.responseLength",
    latencyMs: "$context.responseLatency",
    error: "$context.integrationErrorMessage",
  }),
);

/**
 * All calls, and what a browser asks for at the address alone. No `$default`, so that scans for other paths invoke
 * nothing. The first route owns the integration in the template: another order would replace it.
 */
const PATHS = ["/v1/{proxy+}", "/v1", "/", "/favicon.ico"];

/** The HTTP API: all routes to one function, throttled as a whole. Browsers of other origins may not call it. */
export class PublicApi extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, props: { readonly settings: Settings; readonly handler: IFunction }) {
    super(scope, id);
    const { appId, apiThrottle, logRetentionDays } = props.settings;
    const httpApi = new HttpApi(this, "Http", { createDefaultStage: false });
    const accessLog = new LogGroup(this, "AccessLog", {
      logGroupName: accessLogName(appId),
      retention: logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new HttpStage(this, "Stage", {
      httpApi,
      stageName: "$default",
      autoDeploy: true,
      throttle: { rateLimit: apiThrottle.ratePerSecond, burstLimit: apiThrottle.burst },
      accessLogSettings: { destination: new LogGroupLogDestination(accessLog), format: ACCESS_LOG },
    });
    const integration = new HttpLambdaIntegration("Integration", props.handler);
    for (const path of PATHS) httpApi.addRoutes({ path, methods: [HttpMethod.ANY], integration });
    this.url = httpApi.apiEndpoint;
    Validations.of(this).acknowledge({
      id: "AwsSolutions::AwsSolutions-APIG4",
      reason: "The function checks the bearer token itself: an authorizer would cost a second invocation per request.",
    });
  }
}
