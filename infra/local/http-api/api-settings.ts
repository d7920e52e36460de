import { arnMatches } from "../iam/patterns.ts";
import type { Functions } from "../lambda/functions.ts";
import type { InvocationResult } from "../lambda/lambda.ts";
import { ACCOUNT, REGION, type Resource } from "../template/template.ts";
import type { HttpApiSettings, Throttle } from "./http-api.ts";

interface InvokePermission {
  readonly Action: string;
  readonly FunctionName: string;
  readonly Principal: string;
  readonly SourceArn?: string;
}

interface ApiFunction {
  /** Invokes the function of the API's calls without HTTP, as `npm run token` does. */
  readonly direct: (payload: string) => Promise<InvocationResult>;
}

/**
 * Reads the template's HTTP API: routes, integrations, permissions to invoke, throttling.
 * @throws when there is not exactly one API, or a route leads to no function
 */
export const readHttpApi = (resources: readonly Resource[], functions: Functions): HttpApiSettings & ApiFunction => {
  const ofType = (kind: string) => resources.filter(({ type }) => type === kind);
  const [api, second] = ofType("AWS::ApiGatewayV2::Api");
  if (!api || second) throw new Error("the template must have one HTTP API: one machine has one port for it");
  const [stage] = ofType("AWS::ApiGatewayV2::Stage");
  if (!stage) throw new Error(`the HTTP API ${api.logicalId} has no stage`);
  const permissions = ofType("AWS::Lambda::Permission").map(
    ({ properties }) => properties as unknown as InvokePermission,
  );

  const routes = ofType("AWS::ApiGatewayV2::Route").map(({ logicalId, properties }) => {
    const key = String(properties.RouteKey);
    const integrationId = String(properties.Target).replace(/^integrations\//, "");
    const integration = ofType("AWS::ApiGatewayV2::Integration").find(({ ref }) => ref === integrationId);
    const target = integration && functions.find(functionArn(String(integration.properties.IntegrationUri)));
    if (!target) throw new Error(`route ${logicalId} (${key}) leads to no function`);
    const [method, path] = key === "$default" ? ["*", "/$default"] : (key.split(" ") as [string, string]);
    const source = `arn:aws:execute-api:${REGION}:${ACCOUNT}:${api.ref}/${stage.ref}/${method === "ANY" ? "*" : method}${path}`;
    const isAllowed = permissions.some(
      ({ Action, FunctionName, Principal, SourceArn }) =>
        Action === "lambda:InvokeFunction" &&
        Principal === "apigateway.amazonaws.com" &&
        functions.find(FunctionName) === target &&
        (SourceArn === undefined || arnMatches(SourceArn, source)),
    );
    return { key, target, invoke: isAllowed ? (payload: string) => target.run.invoke(payload) : undefined };
  });

  // Other functions may serve pages at other routes, `$default` among them.
  const calls = routes.find(({ key }) => key === API_ROUTE);
  if (!calls) throw new Error(`the HTTP API ${api.logicalId} has no route ${API_ROUTE}`);

  const { DefaultRouteSettings: shared = {}, RouteSettings: own = {} } = stage.properties as StageThrottles;
  const unknown = Object.keys(own).find((key) => !routes.some((route) => route.key === key));
  if (unknown !== undefined) throw new Error(`RouteSettings of ${stage.logicalId} name ${unknown}, which is no route`);
  return {
    apiId: api.ref!,
    stage: stage.ref!,
    routes: routes.map((route) => ({ ...route, throttle: throttleOf(own[route.key]) })),
    direct: (payload) => calls.target.run.invokeWhenFree(payload, AbortSignal.timeout(30_000)),
    throttle: throttleOf(shared),
    cors: api.properties.CorsConfiguration as HttpApiSettings["cors"],
  };
};

/** The route of all calls of the API. */
const API_ROUTE = "ANY /v1/{proxy+}";

interface RouteSettings {
  readonly ThrottlingRateLimit?: number;
  readonly ThrottlingBurstLimit?: number;
}
interface StageThrottles {
  readonly DefaultRouteSettings?: RouteSettings;
  /** By route key. */
  readonly RouteSettings?: Readonly<Record<string, RouteSettings>>;
}

const throttleOf = ({ ThrottlingRateLimit, ThrottlingBurstLimit }: RouteSettings = {}): Throttle | undefined =>
  ThrottlingRateLimit === undefined || ThrottlingBurstLimit === undefined
    ? undefined
    : { ratePerSecond: ThrottlingRateLimit, burst: ThrottlingBurstLimit };

/** An integration names its function directly, or inside API Gateway's own invocation ARN. */
const functionArn = (uri: string): string => /functions\/(arn:[^/]+)\/invocations$/.exec(uri)?.[1] ?? uri;
