/** What each function may do and is told: exact, so that a line more or less in the stack fails here. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { PUBLIC_READS, PUBLIC_WRITES } from "../../shared/store/keys.ts";
import { functionOf, grantsOf, ofType, type Resource, type Resources, render, synthesise } from "./synthesised.ts";

const CONTEXT = { alertSender: "ops@example.com", locations: ["us-east-1", "eu-west-1"] };
const { resources } = await synthesise(CONTEXT);

const MONITORS = "TablesMonitors.Arn";
const HISTORY = "TablesHistory.Arn";
const PROBE_MONITORS = "arn:aws:dynamodb:us-east-1:ACCOUNT:table/harborlight-monitors";
const PROBE_HISTORY = "arn:aws:dynamodb:us-east-1:ACCOUNT:table/harborlight-history";
const JOBS = ["us-east-1", "eu-west-1"].map((region) => `arn:aws:sqs:${region}:ACCOUNT:harborlight-jobs-${region}`);
const PROBES = ["us-east-1", "eu-west-1"].map(
  (region) => `arn:aws:lambda:${region}:ACCOUNT:function:harborlight-probe-${region}`,
);

/** `dynamodb:GetItem,PutItem` on each of the resources. */
const may = (calls: string, ...on: string[]) => {
  const [service, names] = calls.split(":") as [string, string];
  return names.split(",").flatMap((name) => on.map((resource) => `${service}:${name} ${resource}`));
};
const log = (name: string) => may("logs:CreateLogStream,PutLogEvents", `${name}Logs.Arn`);
const consume = (queue: string) =>
  may("sqs:ReceiveMessage,ChangeMessageVisibility,GetQueueUrl,DeleteMessage,GetQueueAttributes", `${queue}.Arn`);

const MAIL = ["configuration-set", "identity"].map(
  (kind) =>
    `ses:SendRawEmail arn:aws:ses:us-east-1:ACCOUNT:${kind}/* if {"StringEquals":{"ses:FromAddress":"ops@example.com"}}`,
);

/** The secrets of alert channels, in the table of monitors. */
const notSecrets = (table: string) => [
  `Deny dynamodb:* ${table} if {"ForAnyValue:StringLike":{"dynamodb:LeadingKeys":["CHANNEL#*","LINK-SECRET"]}}`,
];

/** Items with these partition keys alone. */
const onlyOf = (partitionKeys: readonly string[]) =>
  `if ${JSON.stringify({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": partitionKeys } })}`;

const GRANTS: Record<string, string[]> = {
  dispatch: [
    ...log("Dispatch"),
    ...may("dynamodb:GetItem,BatchGetItem,Query,UpdateItem", MONITORS),
    ...notSecrets(MONITORS),
    ...may("dynamodb:Query", HISTORY),
    ...may("dynamodb:Query", ...["due", "look-by", "members"].map((index) => `${MONITORS}/index/${index}`)),
    ...may("sqs:SendMessage", ...JOBS),
  ],
  probe: [
    ...log("SiteProbe"),
    ...may("dynamodb:GetItem,BatchGetItem,UpdateItem", PROBE_MONITORS),
    ...notSecrets(PROBE_MONITORS),
    ...may("dynamodb:Query", `${PROBE_MONITORS}/index/members`),
    ...may("dynamodb:Query,GetItem,PutItem", PROBE_HISTORY),
    ...consume("SiteJobs"),
  ],
  "state-change": [
    ...log("StateChange"),
    ...may("dynamodb:GetItem,Query,PutItem,UpdateItem,DeleteItem", MONITORS),
    ...notSecrets(MONITORS),
    ...may("dynamodb:GetItem,Query,PutItem,UpdateItem", HISTORY),
    ...may("dynamodb:DescribeStream,GetRecords,GetShardIterator", "TablesMonitors.StreamArn"),
    ...may("dynamodb:ListStreams", "*"),
    ...may("sns:Publish", "System"),
    ...may("sqs:SendMessage", ...JOBS),
    ...may("sqs:SendMessage,GetQueueAttributes,GetQueueUrl", "Undecided.Arn"),
  ],
  deliver: [
    ...log("DeliveryDeliver"),
    ...may("dynamodb:GetItem,Query,PutItem,UpdateItem", MONITORS),
    ...may("sns:Publish", "Alerts", "People"),
    ...MAIL,
    ...may("dynamodb:DescribeStream,GetRecords,GetShardIterator", "TablesMonitors.StreamArn"),
    ...may("dynamodb:ListStreams", "*"),
    ...may("sqs:SendMessage", ...JOBS),
  ],
  api: [
    ...log("Api"),
    ...may("dynamodb:GetItem,BatchGetItem,Query,PutItem,UpdateItem,DeleteItem", MONITORS),
    ...may("dynamodb:Query", `${MONITORS}/index/listed`, `${MONITORS}/index/attention`, `${MONITORS}/index/changed`),
    ...may("dynamodb:GetItem,Query", HISTORY),
    ...may("sns:Publish", "Alerts", "People"),
    ...MAIL,
    ...may("sns:GetTopicAttributes", "Alerts", "People"),
    ...may("sns:Subscribe,ListSubscriptionsByTopic,Publish", "Alerts", "People", "System"),
    ...may("sns:Unsubscribe,GetSubscriptionAttributes,SetSubscriptionAttributes", "arn:aws:sns:us-east-1:ACCOUNT:*"),
    ...may("lambda:InvokeFunction", "DispatchFunction.Arn", ...PROBES),
    ...may("sqs:SendMessage", ...JOBS),
  ],
  compact: [
    ...log("Compact"),
    ...may("dynamodb:GetItem,Query,UpdateItem", MONITORS),
    ...may("dynamodb:PutItem", `${MONITORS} ${onlyOf(["NOTICE#*", "SUBSCRIPTION"])}`),
    ...may("sns:ListSubscriptionsByTopic", "Alerts", "People", "System"),
    ...may("sns:GetTopicAttributes", "Alerts", "People"),
    ...notSecrets(MONITORS),
    ...may(
      "dynamodb:Query",
      ...["members", "due", "look-by", "listed", "attention"].map((index) => `${MONITORS}/index/${index}`),
    ),
    ...may("dynamodb:GetItem,Query,PutItem,UpdateItem,BatchWriteItem", HISTORY),
  ],
  "status-page": [
    ...log("StatusPage"),
    ...may("dynamodb:GetItem,BatchGetItem,Query", `${MONITORS} ${onlyOf(PUBLIC_READS)}`),
    ...may("dynamodb:PutItem,UpdateItem,DeleteItem", `${MONITORS} ${onlyOf(PUBLIC_WRITES)}`),
    ...may("dynamodb:Query", `${MONITORS}/index/listed`, `${MONITORS}/index/changed`),
    ...may("dynamodb:GetItem,Query", HISTORY),
  ],
  web: log("Web"),
};

const location = (region: string) => ({
  name: region,
  region,
  kind: "public",
  families: ["ipv4"],
  port25: false,
  probeFunctionName: `harborlight-probe-${region}`,
});
const withQueue = (region: string) => ({
  ...location(region),
  jobsQueueUrl: `https://sqs.${region}.amazonaws.com/ACCOUNT/harborlight-jobs-${region}`,
});
const LOCATIONS = ["us-east-1", "eu-west-1"].map(withQueue);
const RETENTION = { blockDays: 14, rosterDays: 15, chunkDays: 400, dayMonths: 25 };
const CONTROL_TARGETS = ["1.1.1.1:443", "8.8.8.8:443", "9.9.9.9:443", "208.67.222.222:443"];

const ENVIRONMENT: Record<string, Record<string, unknown>> = {
  dispatch: { MONITORS_TABLE: "TablesMonitors", HISTORY_TABLE: "TablesHistory", LOCATIONS },
  probe: {
    MONITORS_TABLE: "harborlight-monitors",
    HISTORY_TABLE: "harborlight-history",
    TABLES_REGION: "us-east-1",
    LOCATION: location("us-east-1"),
    CONTROL_TARGETS,
    SWEEP_TARGETS: [],
    INSTALLATION: "harborlight us-east-1 ACCOUNT",
    RETENTION,
  },
  "state-change": {
    MONITORS_TABLE: "TablesMonitors",
    HISTORY_TABLE: "TablesHistory",
    LOCATIONS,
    RETENTION,
    ALERTS_TOPIC_ARN: "Alerts",
    PEOPLE_TOPIC_ARN: "People",
    SYSTEM_TOPIC_ARN: "System",
    ALERT_SENDER: "ops@example.com",
    API_URL: "PublicApiHttp.ApiEndpoint",
  },
  deliver: {
    MONITORS_TABLE: "TablesMonitors",
    LOCATIONS,
    ALERTS_TOPIC_ARN: "Alerts",
    PEOPLE_TOPIC_ARN: "People",
    SYSTEM_TOPIC_ARN: "System",
    ALERT_SENDER: "ops@example.com",
    API_URL: "PublicApiHttp.ApiEndpoint",
  },
  api: {
    MONITORS_TABLE: "TablesMonitors",
    HISTORY_TABLE: "TablesHistory",
    LOCATIONS,
    RETENTION,
    ALERTS_TOPIC_ARN: "Alerts",
    PEOPLE_TOPIC_ARN: "People",
    SYSTEM_TOPIC_ARN: "System",
    SUBSCRIPTION_DEAD_LETTER_ARN: "UndeliveredToSubscriber.Arn",
    DISPATCH_FUNCTION_NAME: "DispatchFunction",
    SWEEP_TARGETS: [],
    INSTALLATION: "harborlight us-east-1 ACCOUNT",
    ALERT_SENDER: "ops@example.com",
  },
  compact: {
    MONITORS_TABLE: "TablesMonitors",
    HISTORY_TABLE: "TablesHistory",
    LOCATIONS,
    RETENTION,
    ALERTS_TOPIC_ARN: "Alerts",
    PEOPLE_TOPIC_ARN: "People",
    SYSTEM_TOPIC_ARN: "System",
    ALERT_SENDER: "ops@example.com",
  },
  "status-page": {
    MONITORS_TABLE: "TablesMonitors",
    HISTORY_TABLE: "TablesHistory",
    ALERT_SENDER: "ops@example.com",
  },
};

const parsed = (value: unknown) => {
  const text = render(value);
  return /^[[{]/.test(text) ? JSON.parse(text) : text;
};

describe.each(Object.keys(GRANTS))("%s", (service) => {
  test("may make exactly the calls it makes", () => {
    expect(grantsOf(resources, service)).toEqual([...GRANTS[service]!].sort());
  });

  test("is told exactly what it reads", () => {
    const { Variables } = functionOf(resources, service)[1].Properties.Environment;
    const variables = Object.fromEntries(Object.entries(Variables).map(([name, value]) => [name, parsed(value)]));
    expect(variables).toEqual({
      POWERTOOLS_SERVICE_NAME: service,
      POWERTOOLS_METRICS_NAMESPACE: "Harborlight/harborlight",
      POWERTOOLS_LOG_LEVEL: "WARN",
      HARBORLIGHT_VERSION: expect.stringMatching(/^\d+\.\d+\.\d+/),
      ...ENVIRONMENT[service],
    });
  });
});

describe("channels that are off by default", () => {
  const FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:on-alert";

  test("let only the functions that send publish to phone numbers and invoke the named functions", async () => {
    const context = { ...CONTEXT, smsAlerts: true, alertFunctions: [FUNCTION] };
    const { resources: on } = await synthesise(context);
    const more = (service: string) => grantsOf(on, service).filter((grant) => !GRANTS[service]!.includes(grant));
    expect(Object.fromEntries(Object.keys(GRANTS).map((service) => [service, more(service)]))).toEqual({
      ...Object.fromEntries(Object.keys(GRANTS).map((service) => [service, []])),
      api: [`lambda:InvokeFunction ${FUNCTION}`, "sns:Publish *"],
      deliver: [`lambda:InvokeFunction ${FUNCTION}`, "sns:Publish *"],
    });
    for (const service of ["api", "deliver"]) {
      const { Variables } = functionOf(on, service)[1].Properties.Environment;
      expect([Variables.SMS_ALERTS, parsed(Variables.ALERT_FUNCTIONS)]).toEqual(["true", [FUNCTION]]);
    }
  });

  test("refuse what is no ARN of a function", async () => {
    await expect(synthesise({ ...CONTEXT, alertFunctions: ["on-alert"] })).rejects.toThrow("ARN of a Lambda function");
  });
});

test("these are all functions there are", () => {
  const services = ofType(resources, "AWS::Lambda::Function").map(
    ([, { Properties }]) => Properties.Environment.Variables.POWERTOOLS_SERVICE_NAME,
  );
  expect(new Set(services)).toEqual(new Set(Object.keys(GRANTS)));
  expect(services).toHaveLength(Object.keys(GRANTS).length);
});

test("the sender's identity outlives its place in the template: flipping alertSenderIsVerified deletes nothing", () => {
  const [[, identity]] = ofType(resources, "AWS::SES::EmailIdentity") as [[string, Resource]];
  expect(identity.DeletionPolicy).toBe("Retain");
});

test("what stands already is taken over: tables of a deploy that failed, an identity that SES has", () => {
  const { scripts } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(scripts.deploy).toContain("--import-existing-resources");
  // CloudFormation imports what has a name of its own and is retained.
  const named = Object.values(resources).filter(
    ({ Properties: { TableName, EmailIdentity } }) => TableName ?? EmailIdentity,
  );
  expect(named.map(({ DeletionPolicy }) => DeletionPolicy)).toEqual(["Retain", "Retain", "Retain"]);
});

test("a sender that SES knows already is not made again", async () => {
  const known = await synthesise({ ...CONTEXT, alertSenderIsVerified: true });
  known.home.resourceCountIs("AWS::SES::EmailIdentity", 0);
  expect(grantsOf(known.resources, "deliver")).toEqual(grantsOf(resources, "deliver"));
});

/** As Lambda measures: all variables as one JSON object, with the references filled in as CloudFormation would. */
const environmentBytes = (variables: Record<string, unknown>, template: Resources) => {
  const filled = (value: unknown): string => {
    const text = render(value).replaceAll("ACCOUNT", "123456789012");
    if (typeof value === "string" || text.startsWith("[")) return text;
    const id = String(Object.values(value as object).flat()[0]);
    const name = template[id]?.Properties.TableName ?? `harborlight-${id}-ABCDEFGHIJKL`;
    return /Alerts|System|Undeliv/.test(id) ? `arn:aws:sns:us-east-1:123456789012:${name}` : name;
  };
  const entries = Object.entries(variables).map(([name, value]) => [name, filled(value)]);
  return Buffer.byteLength(JSON.stringify(Object.fromEntries(entries)));
};

test("locations fit into the 4 KB of a function's environment, or are refused", async () => {
  const locations = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ name: `ap-southeast-${index}`, region: "ap-southeast-1" }));
  const { resources: large } = await synthesise({ ...CONTEXT, locations: locations(10) });
  const sizes = ofType(large, "AWS::Lambda::Function").map(([, { Properties }]) =>
    environmentBytes(Properties.Environment.Variables, large),
  );
  expect(Math.max(...sizes)).toBeLessThanOrEqual(4_096);
  // One more is refused here, because Lambda would refuse it: what is refused is not far below.
  expect(Math.max(...sizes)).toBeGreaterThan(3_700);
  await expect(synthesise({ ...CONTEXT, locations: locations(13) })).rejects.toThrow(
    /locations take \d+ bytes, which makes the environment of \S+ \d+ bytes as JSON; Lambda takes 4096/,
  );
});

test("without a sender no mail is promised and none may be sent", async () => {
  const silent = await synthesise();
  for (const service of ["state-change", "deliver"])
    expect(functionOf(silent.resources, service)[1].Properties.Environment.Variables).not.toHaveProperty(
      "ALERT_SENDER",
    );
  expect(grantsOf(silent.resources, "deliver").join()).not.toContain("ses:");
  silent.home.resourceCountIs("AWS::SES::EmailIdentity", 0);
});
