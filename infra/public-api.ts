import { RemovalPolicy, Validations } from "aws-cdk-lib";
import { AccessLogFormat } from "aws-cdk-lib/aws-apigateway";
import {
  type CfnStage,
  HttpApi,
  HttpMethod,
  HttpRoute,
  HttpRouteKey,
  HttpStage,
  LogGroupLogDestination,
} from "aws-cdk-lib/aws-apigatewayv2";
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

/** All calls that have no route of their own. */
const ALL_CALLS = "/v1/{proxy+}";

/**
 * Calls without a token. Each has a route of its own, because API Gateway throttles by route: a crowd at one of them takes
 * nothing from the calls with a token. `ANY`, so that HEAD and wrong methods count with GET.
 */
export const PUBLIC_ROUTES = [
  { path: "/v1", method: HttpMethod.ANY },
  { path: "/v1/health", method: HttpMethod.ANY },
  { path: "/v1/openapi.json", method: HttpMethod.ANY },
  { path: "/v1/badges/{file}", method: HttpMethod.ANY },
  { path: "/v1/acknowledge", method: HttpMethod.ANY },
  { path: "/v1/sessions", method: HttpMethod.POST },
] as const;

/** Status pages, for everybody: a crowd there takes nothing from the API and the dashboard. `ANY`, as above. */
const STATUS_PAGES = { path: "/status/{proxy+}", method: HttpMethod.ANY } as const;

/** Everything else is the dashboard. Its throttle of its own bounds what scans for other paths cost. */
const PAGES = HttpRouteKey.DEFAULT;

interface Throttle {
  readonly ratePerSecond: number;
  readonly burst: number;
}

const routeSettings = ({ ratePerSecond, burst }: Throttle) => ({
  ThrottlingRateLimit: ratePerSecond,
  ThrottlingBurstLimit: burst,
});

export interface PublicApiProps {
  readonly settings: Settings;
  /** Answers `/v1`. */
  readonly handler: IFunction;
  /** Answers `/status`. */
  readonly statusPage: IFunction;
  /** Answers all other paths. */
  readonly web: IFunction;
}

/** The HTTP API: calls and the dashboard at one address, throttled by route. Browsers of other origins may not call it. */
export class PublicApi extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, props: PublicApiProps) {
    super(scope, id);
    const { appId, apiThrottle, publicThrottle, logRetentionDays } = props.settings;
    const httpApi = new HttpApi(this, "Http", { createDefaultStage: false });
    const accessLog = new LogGroup(this, "AccessLog", {
      logGroupName: accessLogName(appId),
      retention: logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const stage = new HttpStage(this, "Stage", {
      httpApi,
      stageName: "$default",
      autoDeploy: true,
      throttle: { rateLimit: apiThrottle.ratePerSecond, burstLimit: apiThrottle.burst },
      accessLogSettings: { destination: new LogGroupLogDestination(accessLog), format: ACCESS_LOG },
    });
    const integration = new HttpLambdaIntegration("Integration", props.handler);
    // The first route owns the integration in the template: another order would replace it.
    httpApi.addRoutes({ path: ALL_CALLS, methods: [HttpMethod.ANY], integration });
    for (const { path, method } of PUBLIC_ROUTES) httpApi.addRoutes({ path, methods: [method], integration });
    httpApi.addRoutes({
      path: STATUS_PAGES.path,
      methods: [STATUS_PAGES.method],
      integration: new HttpLambdaIntegration("StatusPages", props.statusPage),
    });
    new HttpRoute(this, "Pages", {
      httpApi,
      routeKey: PAGES,
      integration: new HttpLambdaIntegration("PagesIntegration", props.web),
    });
    const open = [...[...PUBLIC_ROUTES, STATUS_PAGES].map(({ path, method }) => `${method} ${path}`), PAGES.key];
    const own = open.map((key) => [key, routeSettings(publicThrottle)]);
    (stage.node.defaultChild as CfnStage).addPropertyOverride("RouteSettings", Object.fromEntries(own));
    // API Gateway refuses settings of a route that does not exist yet.
    const routes = [...httpApi.node.children, ...this.node.children].filter((child) => child instanceof HttpRoute);
    stage.node.addDependency(...routes);
    this.url = httpApi.apiEndpoint;
    Validations.of(this).acknowledge({
      id: "AwsSolutions::AwsSolutions-APIG4",
      reason: "The function checks the bearer token itself: an authorizer would cost a second invocation per request.",
    });
  }
}
