import { describe, expect, test } from "vitest";
import { AwsError } from "../../../../infra/local/http-server/aws-error.ts";
import { createAuthoriser } from "../../../../infra/local/iam/iam.ts";
import {
  denial,
  type Input,
  permissionsOfEventSource,
  requiredPermissions,
  type Service,
} from "../../../../infra/local/iam/request.ts";
import { synthesised } from "../../../support/schema.ts";

const AWS = "us-east-1:000000000000";
const TABLE = `arn:aws:dynamodb:${AWS}:table/monitors`;
const TOPIC = `arn:aws:sns:${AWS}:alerts`;
const QueueUrl = "http://127.0.0.1:4001/000000000000/jobs";

describe("the permissions a request needs", () => {
  test.each<[Service, string, Input, string[]]>([
    ["dynamodb", "PutItem", { TableName: "monitors" }, [`dynamodb:PutItem ${TABLE}`]],
    ["dynamodb", "GetItem", { TableName: TABLE }, [`dynamodb:GetItem ${TABLE}`]],
    ["dynamodb", "Query", { TableName: "monitors" }, [`dynamodb:Query ${TABLE}`]],
    ["dynamodb", "Query", { TableName: "monitors", IndexName: "due" }, [`dynamodb:Query ${TABLE}/index/due`]],
    ["dynamodb", "Scan", { TableName: "monitors", IndexName: "due" }, [`dynamodb:Scan ${TABLE}/index/due`]],
    [
      "dynamodb",
      "BatchGetItem",
      { RequestItems: { monitors: {}, history: {} } },
      [`dynamodb:BatchGetItem ${TABLE}`, `dynamodb:BatchGetItem arn:aws:dynamodb:${AWS}:table/history`],
    ],
    ["dynamodb", "BatchWriteItem", { RequestItems: { monitors: [] } }, [`dynamodb:BatchWriteItem ${TABLE}`]],
    [
      "dynamodb",
      "TransactWriteItems",
      { TransactItems: [{ Put: { TableName: "monitors" } }, { ConditionCheck: { TableName: "history" } }] },
      [`dynamodb:PutItem ${TABLE}`, `dynamodb:ConditionCheckItem arn:aws:dynamodb:${AWS}:table/history`],
    ],
    ["dynamodb", "TransactGetItems", { TransactItems: [{ Get: { TableName: TABLE } }] }, [`dynamodb:GetItem ${TABLE}`]],
    ["dynamodb", "ListTables", {}, ["dynamodb:ListTables *"]],
    ["sqs", "SendMessage", { QueueUrl }, [`sqs:SendMessage arn:aws:sqs:${AWS}:jobs`]],
    ["sqs", "SendMessageBatch", { QueueUrl }, [`sqs:SendMessage arn:aws:sqs:${AWS}:jobs`]],
    ["sqs", "DeleteMessageBatch", { QueueUrl }, [`sqs:DeleteMessage arn:aws:sqs:${AWS}:jobs`]],
    ["sqs", "GetQueueUrl", { QueueName: "jobs" }, [`sqs:GetQueueUrl arn:aws:sqs:${AWS}:jobs`]],
    ["sns", "Publish", { TopicArn: TOPIC }, [`sns:Publish ${TOPIC}`]],
    ["sns", "PublishBatch", { TopicArn: TOPIC }, [`sns:Publish ${TOPIC}`]],
    ["sns", "Publish", { PhoneNumber: "+1" }, ["sns:Publish *"]],
    ["sns", "Unsubscribe", { SubscriptionArn: `${TOPIC}:0-1-2` }, [`sns:Unsubscribe ${TOPIC}`]],
    ["lambda", "Invoke", { FunctionName: "probe" }, [`lambda:InvokeFunction arn:aws:lambda:${AWS}:function:probe`]],
    [
      "lambda",
      "Invoke",
      { FunctionName: "probe", Qualifier: "live" },
      [`lambda:InvokeFunction arn:aws:lambda:${AWS}:function:probe:live`],
    ],
  ])("%s %s %j", (service, operation, input, expected) => {
    expect(
      requiredPermissions(service, operation, input).map(({ action, resource }) => `${action} ${resource}`),
    ).toEqual(expected);
  });

  test("a subscription says protocol and endpoint", () => {
    const input = { TopicArn: TOPIC, Protocol: "https", Endpoint: "https://example.com" };
    expect(requiredPermissions("sns", "Subscribe", input)).toEqual([
      {
        action: "sns:Subscribe",
        resource: TOPIC,
        context: { "sns:Protocol": "https", "sns:Endpoint": "https://example.com" },
      },
    ]);
  });

  test.each<[string, Input]>([
    ["SendEmail", { Source: "Harborlight <ops@example.com>", "Destination.ToAddresses.member.1": "A <a@b.c>" }],
    [
      "SendRawEmail",
      {
        "RawMessage.Data": btoa("Subject: x\r\nFrom: Harborlight <ops@example.com>\r\n\r\nFrom: other@example.com"),
        "Destinations.member.1": "a@b.c",
      },
    ],
  ])("%s says who sends to whom", (operation, input) => {
    expect(requiredPermissions("ses", operation, input)).toMatchObject([
      {
        action: `ses:${operation}`,
        resource: `arn:aws:ses:${AWS}:identity/ops@example.com`,
        context: { "ses:FromAddress": "ops@example.com", "ses:Recipients": ["a@b.c"] },
      },
    ]);
  });

  test("a request that names no resource is refused as the caller's mistake", () => {
    expect(() => requiredPermissions("dynamodb", "PutItem", {})).toThrow(AwsError);
    expect(() => requiredPermissions("sqs", "SendMessage", { QueueUrl: 3 })).toThrow("QueueUrl is required");
  });
});

test.each<[Service, string, number]>([
  ["dynamodb", "AccessDeniedException", 400],
  ["sqs", "AccessDeniedException", 400],
  ["sns", "AuthorizationError", 403],
  ["ses", "AccessDenied", 403],
  ["lambda", "AccessDeniedException", 403],
])("a denial of %s is %s with status %i and says who wanted what", (service, code, status) => {
  const role = "arn:aws:iam::000000000000:role/home-ProbeRole";
  const error = denial(service, role, "probe", { action: "x:Y", resource: "arn:z" }, "implicitly-denied");
  expect(error).toMatchObject({
    code,
    status,
    message:
      "User: arn:aws:sts::000000000000:assumed-role/home-ProbeRole/probe is not authorized to perform: x:Y " +
      "on resource: arn:z because no identity-based policy allows the x:Y action",
  });
});

describe("the app's own roles", () => {
  test("may read the event sources of their functions, and nobody may drop a table", () => {
    const resources = synthesised();
    const { authorise } = createAuthoriser(resources);
    const mappings = resources.filter(({ type }) => type === "AWS::Lambda::EventSourceMapping");
    expect(mappings.length).toBe(3);
    for (const { properties } of mappings) {
      const { EventSourceArn, FunctionName } = properties as Record<string, string>;
      const reader = resources.find(({ ref }) => ref === FunctionName)!;
      for (const permission of permissionsOfEventSource(EventSourceArn!)) {
        expect([permission, authorise(String(reader.properties.Role), permission)]).toEqual([permission, "allowed"]);
      }
    }
    const tables = resources.filter(({ type }) => type.startsWith("AWS::DynamoDB"));
    for (const { arn } of resources.filter(({ type }) => type === "AWS::IAM::Role")) {
      for (const { name } of tables) {
        for (const permission of requiredPermissions("dynamodb", "DeleteTable", { TableName: name })) {
          expect(authorise(arn!, permission)).toBe("implicitly-denied");
        }
      }
    }
  });
});
