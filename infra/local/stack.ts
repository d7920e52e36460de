import { accessSync, constants, existsSync, mkdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join, resolve } from "node:path";
import type { LoginCodeAnswer, LoginCodeRequest, TokenAnswer, TokenRequest } from "../../shared/payloads.ts";
import { TOKEN } from "../../shared/tokens.ts";
import { type Alarms, createAlarms } from "./cloudwatch/alarms.ts";
import type { PutMetric } from "./cloudwatch/metrics.ts";
import { writeAtomically } from "./disk/atomic-file.ts";
import { Disk, refusalOf } from "./disk/disk.ts";
import { type DatabaseOptions, type LocalDatabase, openDatabase } from "./dynamodb/database.ts";
import { migrate } from "./dynamodb/migration.ts";
import { tableDefinition } from "./dynamodb/table-definition.ts";
import { readHttpApi } from "./http-api/api-settings.ts";
import { createHttpApi } from "./http-api/http-api.ts";
import { type Caller, createGateway } from "./http-server/gateway.ts";
import { type Listening, listen, StartError } from "./http-server/listen.ts";
import { createAuthoriser } from "./iam/iam.ts";
import { installationIn } from "./installation.ts";
import { createEventSources } from "./lambda/event-sources.ts";
import { createFunctions, type Functions, newAccessKeyId } from "./lambda/functions.ts";
import { startSchedules } from "./scheduler/scheduled.ts";
import { createMailFolder, createSmtpTransport } from "./ses/mail.ts";
import { createSes, readSesAccount } from "./ses/ses.ts";
import { Deliveries } from "./sns/delivery.ts";
import { CERTIFICATE_PATH, createOpenPages } from "./sns/open-pages.ts";
import { openSigningKey } from "./sns/signing-certificate.ts";
import { createSns } from "./sns/sns.ts";
import { openQueues, type Queues } from "./sqs/queues.ts";
import { createSqs } from "./sqs/sqs.ts";
import { compileCacheOf, prepareAssembly, removeOldAssemblies } from "./template/assembly.ts";
import { DEFAULT_SENDER } from "./template/synth.ts";
import { ACCOUNT, loadOutputs, loadTemplate, type Resource } from "./template/template.ts";

export interface StackOptions {
  /** Folder of everything that is stored; created when it does not exist. */
  readonly dataFolder: string;
  /** Port of the API; 0 takes a free one. */
  readonly port: number;
  /** Admin token. Default: the one in the data folder, or a new one. */
  readonly token?: string | undefined;
  /** Names of the locations, all of which run on this machine. Default `["local"]`. */
  readonly locations?: readonly string[] | undefined;
  /** `host:port`, several and independent: while none of them can be reached, a failure says nothing about its target. Default none. */
  readonly controlTargets?: readonly string[] | undefined;
  /** What monitors of the protocol `ports` may sweep beside this machine and its networks. Default none. */
  readonly sweepTargets?: readonly string[] | undefined;
  /** Address that the API listens on. Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** URL at which others reach the API, for the links in messages; no slash at the end. Default: the address that it listens on. */
  readonly publicUrl?: string | undefined;
  /** SMTP server for mail. Default: mail goes to files in `<dataFolder>/mail`. */
  readonly smtpUrl?: string | undefined;
  /** Address that mail comes from. Default `harborlight@localhost`. */
  readonly alertSender?: string | undefined;
  /** Concurrent invocations of all functions; more are throttled as on AWS. Default 1000. */
  readonly accountConcurrency?: number | undefined;
  /** Whether each function has only the share of a processor that its memory buys on Lambda. Default false. */
  readonly limitsCpu?: boolean | undefined;
  /** Configuration set that all SES senders have by default, as if set up outside the template. Default none. */
  readonly defaultConfigurationSet?: string | undefined;
  /** Further context for the CDK app. */
  readonly context?: Readonly<Record<string, unknown>> | undefined;
  /** A cloud assembly to run instead of synthesising the app: tests share one. */
  readonly assembly?: string | undefined;
  /** Fault injection for tests: fails requests to the database, or loses their replies. */
  readonly intercept?: DatabaseOptions["intercept"];
  /** Gets the capacity that each request to the database consumed. */
  readonly onCapacity?: DatabaseOptions["onCapacity"];
  /** Gets log lines for the owner. Default: none. */
  readonly log?: ((line: string) => void) | undefined;
}

export interface RunningStack {
  readonly apiUrl: string;
  readonly gatewayUrl: string;
  readonly token: string;
  /** Makes a code that logs in once on the dashboard, within ten minutes; null if it cannot be made. */
  createLoginCode(): Promise<string | null>;
  /** Access key of the owner, who may call everything through the gateway. */
  readonly accessKeyId: string;
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly resources: readonly Resource[];
  readonly functions: Functions;
  readonly queues: Queues;
  readonly database: LocalDatabase;
  readonly alarms: Alarms;
  /** Ends everything in good order, within a few seconds. */
  stop(): Promise<void>;
}

/** Grace period for running invocations at a stop; an event whose handling is cut off is handled again at the next start. */
const STOP_GRACE_MS = 5_000;
const SWEEP_MS = 60_000;

/**
 * Runs the CDK app's templates on this machine, with an emulator for each AWS service that they use.
 * @throws {StartError} for errors that the owner can fix: a port in use, a folder in use or not writable, a bad token
 */
export const startStack = async (options: StackOptions): Promise<RunningStack> => {
  const dataFolder = resolve(options.dataFolder);
  const log = options.log ?? (() => {});
  const host = options.host ?? "127.0.0.1";
  prepareFolder(dataFolder);
  const disk = new Disk({ folder: dataFolder, log });
  const undo: (() => unknown)[] = [() => disk.stop()];
  try {
    const api = await listen(host, options.port);
    undo.push(() => api.close(0));
    const apiUrl = `http://${shownHost(host, "127.0.0.1")}:${api.port}`;
    const publicUrl = options.publicUrl ?? `http://${shownHost(host, ownAddress())}:${api.port}`;
    const assembly = options.assembly ?? (await prepareAssembly(dataFolder, contextOf(options)));
    const gateway = await listenAsBefore(join(dataFolder, "gateway-port"));
    undo.push(() => gateway.close(0));
    const gatewayUrl = `http://127.0.0.1:${gateway.port}`;
    const resources = loadTemplate(assembly, { gatewayUrl, apiUrl: publicUrl });

    const ofType = (kind: string) => resources.filter(({ type }) => type === kind);
    const tables = resources
      .filter(({ type }) => type === "AWS::DynamoDB::Table" || type === "AWS::DynamoDB::GlobalTable")
      .map(({ type, name, properties }) => tableDefinition(type, name, properties));
    // The database's file lock also locks the whole folder; the kernel releases it when the process ends in any way.
    const database = await openDatabase({
      tables,
      dataFolder,
      log,
      refused: (error) => disk.refused(error),
      ...(options.intercept ? { intercept: options.intercept } : {}),
      ...(options.onCapacity ? { onCapacity: options.onCapacity } : {}),
    }).catch((error: Error) => {
      throw refusalOf(error) === undefined ? new StartError(error.message, { cause: error }) : error;
    });
    disk.onRoom(database.reopen);
    undo.push(() => database.close());
    const migrated = await migrate(
      database,
      dataFolder,
      tables.filter(({ stream }) => stream !== null).map(({ name }) => name),
    ).catch((error: Error) => {
      throw new StartError(error.message, { cause: error });
    });
    if (migrated > 0) log?.(`migrated ${migrated} items of an earlier version`);
    removeOldAssemblies(dataFolder, assembly);
    writeAtomically(join(dataFolder, "gateway-port"), String(gateway.port));

    const queues = openQueues(resources, dataFolder, disk);
    undo.push(() => queues.close());
    const putMetric: PutMetric = (metric, value) => alarms.metrics.put(metric, value);
    const functions = createFunctions(resources, {
      compileCache: compileCacheOf(assembly),
      dataFolder,
      gatewayUrl,
      putMetric,
      disk,
      accountConcurrency: options.accountConcurrency,
      limitsCpu: options.limitsCpu,
    });
    undo.push(() => functions.stop(0));
    const { authorise } = createAuthoriser(resources);

    const senders = readSesAccount(resources, options.defaultConfigurationSet);
    const mail = options.smtpUrl
      ? createSmtpTransport(options.smtpUrl)
      : createMailFolder(join(dataFolder, "mail"), disk);
    undo.push(() => mail.close());
    const signing = openSigningKey(join(dataFolder, "sns"), log);
    const topicArns = ofType("AWS::SNS::Topic").map(({ arn }) => arn!);
    const sns = createSns({
      topicArns,
      file: join(dataFolder, "sns", "subscriptions.jsonl"),
      account: ACCOUNT,
      log,
      deliveries: (subscription) =>
        new Deliveries({
          file: join(dataFolder, "sns", "deliveries.jsonl"),
          smsFolder: join(dataFolder, "sms"),
          mail,
          mailSender: senders.identities.find(({ name }) => name.includes("@"))?.name ?? DEFAULT_SENDER,
          signer: { privateKey: signing.privateKey, certificateUrl: `${publicUrl}${CERTIFICATE_PATH}` },
          publicUrl,
          subscription,
          queueByArn: queues.byArn,
          invokeLater: (arn, payload) => {
            const target = functions.find(arn);
            target?.invokeLater(payload);
            return target !== undefined;
          },
          disk,
          log,
        }),
    });
    undo.push(() => sns.stop());
    const alarms = createAlarms(resources, {
      file: join(dataFolder, "alarms.jsonl"),
      topicArns,
      publish: sns.publish,
      functionArns: functions.all.map(({ resource }) => resource.arn!),
      invokeLater: (arn, payload) => functions.find(arn)?.invokeLater(payload),
      sample: (put) => {
        queues.measure(put);
        // The local database never throttles.
        for (const { name } of tables) {
          for (const metric of ["ReadThrottleEvents", "WriteThrottleEvents"])
            put({ namespace: "AWS/DynamoDB", name: metric, dimensions: { TableName: name } }, 0);
        }
      },
      disk,
      log,
    });
    disk.onChange(alarms.tellDisk);
    undo.push(() => alarms.stop());

    const accessKeyId = newAccessKeyId();
    const callers = new Map<string, Caller>([
      [accessKeyId, { name: "admin", role: undefined }],
      ...functions.all.map(
        ({ accessKeyId: key, resource, role }) => [key, { name: resource.name, role }] as [string, Caller],
      ),
    ]);
    // Served by the gateway too, because links in messages of earlier versions lead there.
    const open = createOpenPages(sns, signing.certificate);
    gateway.answerWith(
      createGateway({
        callerOf: (key) => callers.get(key),
        authorise,
        dynamodb: (target, body, caller) => database.handle(target, body, caller),
        sqs: createSqs(queues.byName, ({ name }) => `${gatewayUrl}/${ACCOUNT}/${name}`),
        sns: sns.handle,
        ses: createSes(mail, senders),
        lambda: functions.invoke,
        open,
        disk,
      }),
    );

    const settings = readHttpApi(resources, functions);
    const sources = createEventSources(resources, {
      functions,
      queueByArn: queues.byArn,
      streams: database.streams,
      authorise,
    });
    // The API answers last, so that a monitor created at once finds locations with heartbeats.
    functions.start();
    sns.deliveries.start();
    alarms.start();
    for (const source of sources) source.start();
    const stopSchedules = startSchedules(resources, { functions, authorise });
    undo.push(stopSchedules, () => Promise.all([functions.stop(0), ...sources.map((source) => source.stop())]));
    const token = await prepareToken(dataFolder, options.token, settings.direct, log);
    api.answerWith(createHttpApi(settings, { open, disk }));
    const sweeping = setInterval(() => {
      if (disk.isRefusing) return;
      database.sweep().catch((error: Error) => log(`expired items could not be removed: ${error.message}`));
    }, SWEEP_MS).unref();

    const outputs = loadOutputs(assembly, { gatewayUrl, apiUrl });
    writeOutputs(dataFolder, { ...outputs, gatewayUrl, accessKeyId });

    const end = async () => {
      clearInterval(sweeping);
      disk.stop();
      stopSchedules();
      alarms.stop();
      await Promise.all([
        api.close(STOP_GRACE_MS),
        Promise.all(sources.map((source) => source.stop())),
        // Ends the worker threads after the grace period, and with them the invocations that the sources wait for.
        functions.stop(STOP_GRACE_MS),
      ]);
      await sns.stop();
      await gateway.close(0);
      mail.close();
      queues.close();
      await database.close();
    };
    let ending: Promise<void> | undefined;
    const stop = () => {
      ending ??= end();
      return ending;
    };
    return {
      apiUrl,
      gatewayUrl,
      token,
      createLoginCode: () => prepareLogin(token, settings.direct),
      accessKeyId,
      outputs,
      resources,
      functions,
      queues,
      database,
      alarms,
      stop,
    };
  } catch (error) {
    for (const step of undo.reverse()) await Promise.resolve(step()).catch(() => {});
    throw error;
  }
};

/** The host of a URL. @param everywhere shown for a server that listens on all addresses */
const shownHost = (host: string, everywhere: string): string => {
  const shown = host === "0.0.0.0" || host === "::" ? everywhere : host;
  return shown.includes(":") ? `[${shown}]` : shown;
};

/** An address of this machine that others may reach, IPv4 first; the loopback address where there is no other. */
const ownAddress = (): string => {
  const all = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
  const [first] = all
    .filter(({ internal, scopeid }) => !internal && !scopeid)
    .toSorted((one, other) => one.family.localeCompare(other.family));
  return first?.address ?? "127.0.0.1";
};

const prepareFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const { message } = error as Error;
    throw new StartError(`cannot keep data in ${folder}: set HARBORLIGHT_DATA to a folder to write in (${message})`, {
      cause: error,
    });
  }
};

/** Listens on the port of the last start, if it is free: links in messages to subscribers have it. */
const listenAsBefore = async (file: string): Promise<Listening> => {
  const port = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return listen("127.0.0.1", 0);
  return listen("127.0.0.1", port).catch(() => listen("127.0.0.1", 0));
};

const contextOf = ({
  dataFolder,
  locations,
  controlTargets = [],
  alertSender,
  sweepTargets,
  context,
}: StackOptions) => ({
  locations: (locations ?? ["local"]).map((name) => ({ name, kind: "local", controlTargets })),
  alertSender: alertSender ?? DEFAULT_SENDER,
  sweepTargets,
  installation: installationIn(dataFolder),
  ...context,
});

const writeOutputs = (dataFolder: string, outputs: unknown): void =>
  writeAtomically(join(dataFolder, "outputs.json"), `${JSON.stringify(outputs, null, 2)}\n`);

type InvokeApi = (payload: string) => Promise<{ readonly failed: boolean; readonly payload: string }>;

/** Makes a code that logs in once on the dashboard. Null if it cannot be made: the token works as well. */
const prepareLogin = async (token: string, invokeApi: InvokeApi): Promise<string | null> => {
  const request: LoginCodeRequest = { command: "create-login-code", token };
  const { failed, payload } = await invokeApi(JSON.stringify(request));
  return failed ? null : (JSON.parse(payload) as LoginCodeAnswer).code;
};

/** Makes the admin token valid at the API. It is stored in a file that only the owner can read. */
const prepareToken = async (
  dataFolder: string,
  wanted: string | undefined,
  invokeApi: InvokeApi,
  log: (line: string) => void,
): Promise<string> => {
  const file = join(dataFolder, "token");
  const kept = existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
  const isDamaged = wanted === undefined && kept !== undefined && !TOKEN.test(kept);
  if (isDamaged) log(`${file} is damaged: a new admin token was made`);
  const known = wanted ?? (isDamaged ? undefined : kept);
  const request: TokenRequest = { command: "create-token", name: "one machine", scopes: ["admin"], token: known };
  const { failed, payload } = await invokeApi(JSON.stringify(request));
  if (failed) throw new StartError(`the admin token could not be made: ${describeFailure(payload)}`);
  const { token } = JSON.parse(payload) as TokenAnswer;
  writeAtomically(file, `${token}\n`);
  return token;
};

const describeFailure = (payload: string): string => {
  const { errorType, errorMessage } = JSON.parse(payload) as { errorType?: string; errorMessage?: string };
  return `${errorType ?? "error"}: ${errorMessage ?? payload}`;
};
