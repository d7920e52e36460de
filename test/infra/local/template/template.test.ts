import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tableDefinition } from "../../../../infra/local/dynamodb/table-definition.ts";
import { loadTemplate, type Resource } from "../../../../infra/local/template/template.ts";
import { synthesised } from "../../../support/schema.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "harborlight-template-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes an assembly of these templates, by stack name, and loads it. */
function load(templates: Record<string, object>, place = { gatewayUrl: "http://127.0.0.1:1" }): Resource[] {
  const artifacts = Object.fromEntries(
    Object.keys(templates).map((name) => [
      name,
      { type: "aws:cloudformation:stack", properties: { templateFile: `${name}.json` } },
    ]),
  );
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ artifacts }));
  for (const [name, template] of Object.entries(templates)) {
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(template));
  }
  return loadTemplate(folder, place);
}

const Queue = { Type: "AWS::SQS::Queue" };
/** What a property of a function resolves to beside a queue and a topic. */
const resolved = (value: unknown) =>
  load({
    home: {
      Parameters: { Size: { Type: "Number", Default: 3 }, Bootstrap: { Type: "String" } },
      Rules: { Check: { Assertions: [] } },
      Conditions: { Never: { "Fn::Equals": ["a", "b"] } },
      Resources: {
        Queue,
        Named: { ...Queue, Properties: { QueueName: { "Fn::Join": ["-", ["jobs", { Ref: "AWS::Region" }]] } } },
        Topic: { Type: "AWS::SNS::Topic" },
        Identity: { Type: "AWS::SES::EmailIdentity", Properties: { EmailIdentity: "a@b.c" } },
        Table: { Type: "AWS::DynamoDB::GlobalTable", Properties: { TableName: "t" } },
        User: { Type: "AWS::Lambda::Function", Properties: { value } },
        Strange: { Type: "Custom::Strange" },
      },
    },
  }).find(({ logicalId }) => logicalId === "User")!.properties.value;

describe("intrinsic functions", () => {
  const account = "000000000000";
  test.each<[string, unknown, unknown]>([
    ["Ref of a queue is its URL", { Ref: "Queue" }, `http://127.0.0.1:1/${account}/home-Queue`],
    ["Ref of a queue with a name", { Ref: "Named" }, `http://127.0.0.1:1/${account}/jobs-us-east-1`],
    ["Ref of a topic is its ARN", { Ref: "Topic" }, `arn:aws:sns:us-east-1:${account}:home-Topic`],
    ["Ref of an identity is the identity", { Ref: "Identity" }, "a@b.c"],
    ["Ref of a table is its name", { Ref: "Table" }, "t"],
    ["Ref of a parameter is its default", { Ref: "Size" }, 3],
    [
      "GetAtt",
      { "Fn::GetAtt": ["Table", "StreamArn"] },
      `arn:aws:dynamodb:us-east-1:${account}:table/t/stream/2026-01-01T00:00:00.000`,
    ],
    ["GetAtt as text", { "Fn::GetAtt": "Queue.Arn" }, `arn:aws:sqs:us-east-1:${account}:home-Queue`],
    [
      "Join of nested parts",
      { "Fn::Join": [":", ["a", { Ref: "AWS::Partition" }, { "Fn::GetAtt": ["Queue", "QueueName"] }]] },
      "a:aws:home-Queue",
    ],
    [
      "Sub",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own syntax.
      { "Fn::Sub": ["${AWS::StackName}/${Table}/${Queue.Arn}/${x}/${!y}", { x: { Ref: "Size" } }] },
      `home/t/arn:aws:sqs:us-east-1:${account}:home-Queue/3/\${y}`,
    ],
    ["Select of a Split", { "Fn::Select": [1, { "Fn::Split": ["-", "a-b-c"] }] }, "b"],
    ["no value is left out", { kept: 1, gone: { Ref: "AWS::NoValue" } }, { kept: 1 }],
    ["no value of a list", [1, { Ref: "AWS::NoValue" }], [1]],
    [
      "a queue's URL made of names leads to this machine",
      { "Fn::Join": ["", ['{"url":"https://sqs.us-east-1.', { Ref: "AWS::URLSuffix" }, '/1/jobs"}']] },
      '{"url":"http://127.0.0.1:1/1/jobs"}',
    ],
  ])("%s", (_, value, expected) => {
    expect(resolved(value)).toEqual(expected);
  });

  test.each<[string, unknown, string]>([
    ["a function that is not known", { "Fn::If": ["Never", 1, 2] }, "home/User uses Fn::If"],
    ["a Ref to nothing", { Ref: "Absent" }, "home/User refers to Absent, which does not exist"],
    ["a GetAtt of nothing", { "Fn::GetAtt": ["Absent", "Arn"] }, "refers to Absent"],
    ["an attribute that is not known", { "Fn::GetAtt": ["Queue", "Colour"] }, "Colour of AWS::SQS::Queue (Queue)"],
    ["a Ref of a type that is not known", { Ref: "Strange" }, "Custom::Strange (Strange)"],
    ["a parameter without default", { Ref: "Bootstrap" }, "Bootstrap, which has no default"],
    ["an import of nothing", { "Fn::ImportValue": "x" }, "imports x, which no stack exports"],
    ["a selection of nothing", { "Fn::Select": [3, ["a"]] }, "picks nothing"],
  ])("%s is an error", (_, value, message) => {
    expect(() => resolved(value)).toThrow(message);
  });
});

test("a value exported by one stack is imported by another", () => {
  const resources = load({
    home: {
      Resources: { Queue },
      Outputs: { Out: { Value: { "Fn::GetAtt": ["Queue", "Arn"] }, Export: { Name: "q" } } },
    },
    probe: { Resources: { P: { Type: "AWS::SQS::QueuePolicy", Properties: { q: { "Fn::ImportValue": "q" } } } } },
  });
  expect(resources[1]).toMatchObject({
    stack: "probe",
    properties: { q: "arn:aws:sqs:us-east-1:000000000000:home-Queue" },
  });
});

test("a resource under a condition is an error, the CDK's own metadata is left out", () => {
  const Metadata = { Type: "AWS::CDK::Metadata", Condition: "Available" };
  expect(load({ home: { Resources: { Metadata } } })).toEqual([]);
  expect(() => load({ home: { Resources: { Queue: { ...Queue, Condition: "Never" } } } })).toThrow("condition Never");
});

test("a name that depends on itself is an error", () => {
  const Queues = { Queue: { ...Queue, Properties: { QueueName: { "Fn::GetAtt": ["Queue", "QueueName"] } } } };
  expect(() => load({ home: { Resources: Queues } })).toThrow("depends on itself");
});

test("derived names fit into 64 characters and stay apart", () => {
  const long = "L".repeat(80);
  const names = load({ home: { Resources: { [`${long}A`]: Queue, [`${long}B`]: Queue } } }).map(({ name }) => name);
  expect(new Set(names).size).toBe(2);
  expect(names.every((name) => name.length === 64)).toBe(true);
});

test("stacks of a nested assembly (a Stage) are loaded too", () => {
  mkdirSync(join(folder, "stage"));
  writeFileSync(
    join(folder, "stage", "manifest.json"),
    JSON.stringify({
      artifacts: {
        a: { type: "aws:cloudformation:stack", properties: { templateFile: "t.json", stackName: "named" } },
      },
    }),
  );
  writeFileSync(join(folder, "stage", "t.json"), JSON.stringify({ Resources: { Queue } }));
  const artifacts = { stage: { type: "cdk:cloud-assembly", properties: { directoryName: "stage" } } };
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ artifacts }));
  expect(loadTemplate(folder, { gatewayUrl: "http://127.0.0.1:1" })).toMatchObject([{ stack: "named" }]);
});

describe("the app's own template", () => {
  test("resolves whole, and its functions have code", () => {
    const resources = synthesised();
    expect(JSON.stringify(resources)).not.toMatch(/"(Ref|Fn::\w+)":/);
    const functions = resources.filter(({ type }) => type === "AWS::Lambda::Function");
    expect(functions.length).toBeGreaterThanOrEqual(5);
    for (const { assetFolder } of functions) expect(assetFolder).toMatch(/asset\./);
  });

  test("refers to tables and roles that are there", () => {
    const resources = synthesised();
    const names = resources.map(({ name }) => name);
    const arns = resources.map(({ arn }) => arn);
    for (const { properties } of resources.filter(({ type }) => type === "AWS::Lambda::Function")) {
      expect(arns).toContain(properties.Role);
      const { Variables = {} } = properties.Environment as { Variables?: Record<string, string> };
      for (const [variable, value] of Object.entries(Variables)) {
        if (variable.endsWith("_TABLE")) expect(names).toContain(value);
      }
    }
  });
});

describe("a table's definition", () => {
  const properties = {
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    StreamSpecification: { StreamViewType: "KEYS_ONLY" },
    TimeToLiveSpecification: { AttributeName: "until", Enabled: true },
  };
  test.each(["AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"])("is read from %s", (type) => {
    expect(tableDefinition(type, "t", properties)).toMatchObject({
      name: "t",
      keys: properties.KeySchema,
      indexes: [],
      stream: "KEYS_ONLY",
      expiryAttribute: "until",
    });
  });

  test("has no expiry and no stream where the template has none", () => {
    const { StreamSpecification: _, ...rest } = properties;
    const TimeToLiveSpecification = { AttributeName: "until", Enabled: false };
    expect(tableDefinition("AWS::DynamoDB::Table", "t", { ...rest, TimeToLiveSpecification })).toMatchObject({
      stream: null,
      expiryAttribute: null,
    });
  });

  test.each([
    ["local secondary indexes", { LocalSecondaryIndexes: [{}] }],
    ["one replica", { Replicas: [{ Region: "us-east-1" }, { Region: "eu-west-1" }] }],
  ])("is refused where the local database lacks something: %s", (message, change) => {
    expect(() => tableDefinition("AWS::DynamoDB::GlobalTable", "t", { ...properties, ...change })).toThrow(message);
  });
});
