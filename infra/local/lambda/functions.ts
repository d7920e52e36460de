import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { PutMetric } from "../cloudwatch/metrics.ts";
import type { Disk } from "../disk/disk.ts";
import { AwsError } from "../http-server/aws-error.ts";
import type { LambdaAnswer } from "../http-server/gateway.ts";
import { QUEUE_DEFAULTS, Queue } from "../sqs/queue.ts";
import { REGION, type Resource } from "../template/template.ts";
import { cpuShareOf } from "./cpu-share.ts";
import { type FunctionSettings, LambdaFunction } from "./lambda.ts";
import { ACCOUNT_CONCURRENCY, AccountConcurrency, checkEnvironment, checkPayload } from "./limits.ts";

/** A function of the template with its role, its access key and its queue of asynchronous events. */
export interface DeployedFunction {
  readonly resource: Resource;
  readonly run: LambdaFunction;
  readonly role: string;
  readonly accessKeyId: string;
  /** Asynchronous invocation, which is retried (by default twice, after 1 and 2 minutes) when the handler fails. */
  invokeLater(payload: string): void;
}

/** Lambda's defaults for asynchronous invocations. */
const MAX_RETRIES = 2;
const MAX_EVENT_AGE_SECONDS = 21_600;
const RETRY_SECONDS = [60, 120];

export const newAccessKeyId = (): string => `AKIA${randomBytes(10).toString("hex").toUpperCase().slice(0, 16)}`;

export const createFunctions = (
  resources: readonly Resource[],
  options: {
    readonly dataFolder: string;
    /** Folder in which Node keeps the compiled code of the bundles. */
    readonly compileCache: string;
    readonly gatewayUrl: string;
    readonly putMetric: PutMetric;
    readonly disk?: Disk;
    /** Concurrent invocations of all functions. Default: Lambda's, 1,000. */
    readonly accountConcurrency?: number | undefined;
    /** Whether each function has only the share of a processor that its memory buys on Lambda. Default false. */
    readonly limitsCpu?: boolean | undefined;
  },
) => {
  const account = new AccountConcurrency(options.accountConcurrency ?? ACCOUNT_CONCURRENCY);
  const ofEvents = (name: string): { retries: number; ageSeconds: number } => {
    const config = resources.find(
      ({ type, properties }) => type === "AWS::Lambda::EventInvokeConfig" && properties.FunctionName === name,
    );
    if (config?.properties.DestinationConfig !== undefined) {
      throw new Error(`${config.logicalId}: destinations of asynchronous events are not supported here`);
    }
    return {
      retries: Number(config?.properties.MaximumRetryAttempts ?? MAX_RETRIES),
      ageSeconds: Number(config?.properties.MaximumEventAgeInSeconds ?? MAX_EVENT_AGE_SECONDS),
    };
  };
  const deployed = resources.filter(({ type }) => type === "AWS::Lambda::Function").map(deploy);
  const stopped = new AbortController();
  let loops: Promise<void>[] = [];

  function deploy(resource: Resource): DeployedFunction & { readonly later: Queue; readonly retries: number } {
    const { properties, name, arn } = resource;
    const { retries, ageSeconds } = ofEvents(name);
    const accessKeyId = newAccessKeyId();
    const [file, exportName] = String(properties.Handler).split(".") as [string, string];
    const own = (properties.Environment as { Variables?: Record<string, string> } | undefined)?.Variables ?? {};
    checkEnvironment(own);
    const memoryMegabytes = Number(properties.MemorySize ?? 128);
    const settings: FunctionSettings = {
      name,
      arn: arn!,
      file: join(resource.assetFolder!, `${file}.js`),
      exportName,
      environment: environmentOf(resource, own, accessKeyId),
      timeoutSeconds: Number(properties.Timeout ?? 3),
      memoryMegabytes,
      compileCache: options.compileCache,
      ...(options.limitsCpu && { cpuShare: cpuShareOf(memoryMegabytes) }),
      logFile: join(options.dataFolder, "logs", `${name}.log`),
    };
    const run = new LambdaFunction(settings, options.putMetric, account, options.disk);
    const later = new Queue({
      name: `${name}-later`,
      arn: "",
      settings: {
        ...QUEUE_DEFAULTS,
        retentionSeconds: ageSeconds,
        // Longer than the function's timeout, so that no event is handled twice at once.
        visibilityTimeoutSeconds: run.settings.timeoutSeconds + 30,
      },
      file: join(options.dataFolder, "events", `${name}.jsonl`),
      deadLetters: () => undefined,
      disk: options.disk,
    });
    return {
      resource,
      run,
      role: String(properties.Role),
      accessKeyId,
      later,
      retries,
      invokeLater: (payload) => later.send(payload),
    };
  }

  /** The variables that Lambda sets, the endpoints of the services here, and the function's own variables. */
  function environmentOf(resource: Resource, own: Record<string, string>, accessKeyId: string): Record<string, string> {
    const endpoints = ["DYNAMODB", "DYNAMODB_STREAMS", "SQS", "SNS", "SES", "LAMBDA"].map((service) => [
      `AWS_ENDPOINT_URL_${service}`,
      options.gatewayUrl,
    ]);
    return {
      PATH: process.env.PATH ?? "",
      TZ: ":UTC",
      LANG: "en_US.UTF-8",
      // A busy machine answers late; a short timeout would fail requests for nothing.
      DYNAMODB_TIMEOUT_MS: "30000",
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: "local",
      AWS_LAMBDA_FUNCTION_NAME: resource.name,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(Number(resource.properties.MemorySize ?? 128)),
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${resource.name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: "local",
      AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      LAMBDA_TASK_ROOT: resource.assetFolder!,
      _HANDLER: String(resource.properties.Handler),
      // The owner's own AWS profile must not leak in.
      AWS_CONFIG_FILE: join(options.dataFolder, "no-aws-config"),
      AWS_SHARED_CREDENTIALS_FILE: join(options.dataFolder, "no-aws-config"),
      AWS_EC2_METADATA_DISABLED: "true",
      ...Object.fromEntries(endpoints),
      ...own,
    };
  }

  const handleLater = async ({ run, later, retries }: (typeof deployed)[number]): Promise<void> => {
    const running = new Set<Promise<void>>();
    while (!stopped.signal.aborted) {
      if (running.size >= run.concurrency) {
        await Promise.race(running);
        continue;
      }
      for (const message of await later.receive({ max: 1, waitSeconds: 20, signal: stopped.signal })) {
        // Throttling is not a failed attempt: Lambda returns the event to its queue.
        const work = run.invokeWhenFree(message.body, stopped.signal).then(({ failed }) => {
          running.delete(work);
          if (failed && stopped.signal.aborted) return; // cut off by the stop: it is handled at the next start
          if (!failed || message.receiveCount > retries) later.delete(message.receipt!);
          else later.changeVisibility(message.receipt!, RETRY_SECONDS[message.receiveCount - 1]!);
        });
        running.add(work);
      }
    }
    await Promise.all(running);
  };

  /** By name or ARN. */
  const find = (nameOrArn: string): DeployedFunction | undefined =>
    deployed.find(({ resource }) => resource.name === nameOrArn || resource.arn === nameOrArn);

  /** The `Invoke` operation. */
  const invoke = async (nameOrArn: string, payload: string, invocationType: string): Promise<LambdaAnswer> => {
    const found = find(nameOrArn);
    if (!found) throw new AwsError("ResourceNotFoundException", `Function not found: ${nameOrArn}`, { status: 404 });
    const text = payload === "" ? "{}" : payload;
    checkPayload(text, invocationType);
    if (invocationType === "DryRun") return { status: 204, headers: {}, payload: "" };
    if (invocationType === "Event") {
      found.invokeLater(text);
      return { status: 202, headers: {}, payload: "" };
    }
    const result = await found.run.invoke(text);
    const error: Record<string, string> = result.failed ? { "x-amz-function-error": "Unhandled" } : {};
    return { status: 200, headers: { "x-amz-executed-version": "$LATEST", ...error }, payload: result.payload };
  };

  return {
    all: deployed as readonly DeployedFunction[],
    find,
    invoke,
    start: () => {
      loops = deployed.map(handleLater);
    },
    /** Takes no new event, lets running invocations end within the grace period, and ends all threads. */
    stop: async (graceMs: number) => {
      stopped.abort();
      await Promise.race([Promise.all(loops), delay(graceMs, undefined, { ref: false })]);
      await Promise.all(deployed.map(({ run }) => run.stop(0)));
      await Promise.all(loops);
      for (const { later } of deployed) later.close();
    },
  };
};

export type Functions = ReturnType<typeof createFunctions>;
