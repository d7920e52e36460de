import { runSimulation } from "@cloud-copilot/iam-simulate";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createAuthoriser,
  type Decision,
  evaluate,
  type Permission,
  type PolicyDocument,
} from "../../../../infra/local/iam/iam.ts";
import type { Resource } from "../../../../infra/local/template/template.ts";

const TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/monitors";
const QUEUE = "arn:aws:sqs:us-east-1:000000000000:jobs";
const IDENTITY = "arn:aws:ses:us-east-1:000000000000:identity/ops@example.com";
const policy = (...Statement: PolicyDocument["Statement"][]) => ({ Statement: Statement.flat() }) as PolicyDocument;

/** What an independent implementation says. */
async function simulate(
  documents: readonly PolicyDocument[],
  { action, resource, context = {} }: Permission,
): Promise<Decision> {
  const answer = await runSimulation(
    {
      identityPolicies: documents.map((document, index) => ({
        name: `policy${index}`,
        policy: { Version: "2012-10-17", ...document },
      })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      request: {
        action,
        resource: { resource, accountId: "000000000000" },
        principal: "arn:aws:sts::000000000000:assumed-role/role/session",
        contextVariables: context as Record<string, string | string[]>,
      },
    },
    {},
  );
  if (answer.resultType !== "single") throw new Error(JSON.stringify(answer));
  const decisions: Record<string, Decision> = {
    Allowed: "allowed",
    ExplicitlyDenied: "explicitly-denied",
    ImplicitlyDenied: "implicitly-denied",
  };
  return decisions[answer.overallResult]!;
}

const allowPut = { Effect: "Allow", Action: "dynamodb:PutItem", Resource: TABLE } as const;
const put: Permission = { action: "dynamodb:PutItem", resource: TABLE };
const mail = (context: Permission["context"]): Permission => ({
  action: "ses:SendEmail",
  resource: IDENTITY,
  context: context!,
});
const mailWhen = (Condition: Record<string, Record<string, string | string[]>>) =>
  policy({ Effect: "Allow", Action: "ses:SendEmail", Resource: "*", Condition });

const MATRIX: [string, PolicyDocument[], Permission, Decision][] = [
  ["no policy", [], put, "implicitly-denied"],
  ["exact grant", [policy(allowPut)], put, "allowed"],
  ["action in another case", [policy({ ...allowPut, Action: "DYNAMODB:putitem" })], put, "allowed"],
  ["resource in another case", [policy({ ...allowPut, Resource: TABLE.toUpperCase() })], put, "implicitly-denied"],
  ["another action", [policy(allowPut)], { ...put, action: "dynamodb:GetItem" }, "implicitly-denied"],
  ["another table", [policy(allowPut)], { ...put, resource: `${TABLE}2` }, "implicitly-denied"],
  [
    "a table's grant does not reach its index",
    [policy({ ...allowPut, Action: "dynamodb:Query" })],
    { action: "dynamodb:Query", resource: `${TABLE}/index/due` },
    "implicitly-denied",
  ],
  [
    "index by wildcard",
    [policy({ ...allowPut, Action: "dynamodb:Query", Resource: `${TABLE}/index/*` })],
    { action: "dynamodb:Query", resource: `${TABLE}/index/due` },
    "allowed",
  ],
  ["wildcard within an action", [policy({ ...allowPut, Action: "dynamodb:Put*" })], put, "allowed"],
  ["? is one character", [policy({ ...allowPut, Action: "dynamodb:?utItem" })], put, "allowed"],
  ["everything", [policy({ Effect: "Allow", Action: "*", Resource: "*" })], put, "allowed"],
  ["list of resources", [policy({ ...allowPut, Resource: [QUEUE, TABLE] })], put, "allowed"],
  [
    "a deny wins over a grant of another policy",
    [policy(allowPut), policy({ Effect: "Deny", Action: "dynamodb:*", Resource: "*" })],
    put,
    "explicitly-denied",
  ],
  ["NotAction grants the rest", [policy({ Effect: "Allow", NotAction: "sqs:*", Resource: "*" })], put, "allowed"],
  [
    "NotAction leaves its own out",
    [policy({ Effect: "Allow", NotAction: "dynamodb:*", Resource: "*" })],
    put,
    "implicitly-denied",
  ],
  [
    "NotResource leaves its own out",
    [policy({ Effect: "Allow", Action: "dynamodb:PutItem", NotResource: TABLE })],
    put,
    "implicitly-denied",
  ],
  [
    "condition met",
    [mailWhen({ StringEquals: { "ses:FromAddress": "a@b.c" } })],
    mail({ "ses:FromAddress": "a@b.c" }),
    "allowed",
  ],
  [
    "key of a condition in another case",
    [mailWhen({ StringEquals: { "SES:fromaddress": "a@b.c" } })],
    mail({ "ses:FromAddress": "a@b.c" }),
    "allowed",
  ],
  [
    "condition not met",
    [mailWhen({ StringEquals: { "ses:FromAddress": "a@b.c" } })],
    mail({ "ses:FromAddress": "x@b.c" }),
    "implicitly-denied",
  ],
  [
    "condition on what the request does not say",
    [mailWhen({ StringEquals: { "ses:FromAddress": "a@b.c" } })],
    mail({}),
    "implicitly-denied",
  ],
  [
    "any of a condition's values",
    [mailWhen({ StringLike: { "ses:FromAddress": ["x@*", "*@b.c"] } })],
    mail({ "ses:FromAddress": "a@b.c" }),
    "allowed",
  ],
  [
    "all recipients of a list",
    [mailWhen({ "ForAllValues:StringLike": { "ses:Recipients": "*@b.c" } })],
    mail({ "ses:Recipients": ["a@b.c", "b@b.c"] }),
    "allowed",
  ],
  [
    "one recipient outside of a list",
    [mailWhen({ "ForAllValues:StringLike": { "ses:Recipients": "*@b.c" } })],
    mail({ "ses:Recipients": ["a@b.c", "b@x.c"] }),
    "implicitly-denied",
  ],
  [
    "all values of an absent key",
    [mailWhen({ "ForAllValues:StringLike": { "ses:Recipients": "*@b.c" } })],
    mail({}),
    "allowed",
  ],
  [
    "two operators, one not met",
    [mailWhen({ StringEquals: { "ses:FromAddress": "a@b.c" }, Bool: { "aws:SecureTransport": "true" } })],
    mail({ "ses:FromAddress": "a@b.c", "aws:SecureTransport": "false" }),
    "implicitly-denied",
  ],
  [
    "a negated condition on an absent key",
    [mailWhen({ StringNotEquals: { "ses:FromAddress": "a@b.c" } })],
    mail({}),
    "allowed",
  ],
  [
    "IfExists on an absent key",
    [mailWhen({ StringEqualsIfExists: { "ses:FromAddress": "a@b.c" } })],
    mail({}),
    "allowed",
  ],
  [
    "an ARN by pattern",
    [mailWhen({ ArnLike: { "aws:SourceArn": "arn:aws:sns:*:000000000000:alerts-*" } })],
    mail({ "aws:SourceArn": "arn:aws:sns:us-east-1:000000000000:alerts-x" }),
    "allowed",
  ],
];

describe("decisions, ours and an independent simulator's", () => {
  test.each(MATRIX)("%s", async (_, documents, ask, expected) => {
    expect(evaluate(documents, ask)).toBe(expected);
    expect(await simulate(documents, ask)).toBe(expected);
  });
});

const oneOrMany = (values: string[]) =>
  fc.oneof(fc.constantFrom(...values), fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }));
const ACTIONS = [
  "dynamodb:PutItem",
  "dynamodb:*",
  "dynamodb:?utItem",
  "*",
  "sqs:SendMessage",
  "sqs:S*",
  "ses:SendEmail",
  "dynamodb:*Item",
];
const RESOURCES = [
  TABLE,
  `${TABLE}*`,
  "arn:aws:dynamodb:*:000000000000:table/*",
  "arn:aws:dynamodb:us-east-?:*:table/mon?tors",
  "arn:*:*:*:*:*",
  QUEUE,
  "arn:aws:sqs:*:*:j*",
  "arn:aws:ses:us-east-1:000000000000:identity/*",
  "*",
];
const CONDITIONS = fc.option(
  fc
    .record({
      quantifier: fc.constantFrom("", "ForAllValues:", "ForAnyValue:"),
      operator: fc.constantFrom(
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
      ),
      ifExists: fc.constantFrom("", "IfExists"),
      value: oneOrMany(["a@b.c", "A@b.c", "*@b.c", "?@b.c", "x"]),
    })
    .map(({ quantifier, operator, ifExists, value }) => ({
      // Single-valued operators go with the single-valued key, as in AWS's own advice.
      [`${quantifier}${operator}${quantifier ? "" : ifExists}`]: {
        [quantifier ? "ses:Recipients" : "ses:FromAddress"]: value,
      },
    })),
  { nil: undefined },
);
const statement = fc
  .record({
    Effect: fc.constantFrom("Allow" as const, "Allow" as const, "Deny" as const),
    not: fc.constantFrom("", "", "", "NotAction", "NotResource"),
    actions: oneOrMany(ACTIONS),
    resources: oneOrMany(RESOURCES),
    Condition: CONDITIONS,
  })
  .map(({ Effect, not, actions, resources, Condition }) => ({
    Effect,
    ...(not === "NotAction" ? { NotAction: actions } : { Action: actions }),
    ...(not === "NotResource" ? { NotResource: resources } : { Resource: resources }),
    ...(Condition ? { Condition } : {}),
  }));
const ask = fc.record({
  target: fc.constantFrom(["dynamodb:PutItem", TABLE], ["sqs:SendMessage", QUEUE], ["ses:SendEmail", IDENTITY]),
  from: fc.option(fc.constantFrom("a@b.c", "A@b.c", "x"), { nil: undefined }),
  recipients: fc.option(fc.array(fc.constantFrom("a@b.c", "z@b.c", "x"), { minLength: 1, maxLength: 3 }), {
    nil: undefined,
  }),
});

test("generated policies are decided as the simulator decides them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 4 }), ask, async (statements, request) => {
      const documents = [policy(statements)];
      const [action, resource] = request.target as [string, string];
      const context = {
        ...(action === "ses:SendEmail" && request.from ? { "ses:FromAddress": request.from } : {}),
        ...(action === "ses:SendEmail" && request.recipients ? { "ses:Recipients": request.recipients } : {}),
      };
      expect(evaluate(documents, { action, resource, context })).toBe(
        await simulate(documents, { action, resource, context }),
      );
    }),
    { numRuns: 1_000 },
  );
});

describe("a role of the template", () => {
  const resource = (type: string, logicalId: string, properties: Record<string, unknown>): Resource => ({
    logicalId,
    stack: "s",
    type,
    name: logicalId,
    ref: logicalId,
    arn: `arn:aws:iam::000000000000:role/${logicalId}`,
    properties,
  });

  test("has its inline, attached and AWS-managed policies", () => {
    const role = resource("AWS::IAM::Role", "Role", {
      Policies: [{ PolicyName: "p", PolicyDocument: policy(allowPut) }],
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"],
    });
    const attached = resource("AWS::IAM::Policy", "Attached", {
      Roles: ["Role"],
      PolicyDocument: policy({ Effect: "Allow", Action: "sqs:SendMessage", Resource: QUEUE }),
    });
    const { authorise } = createAuthoriser([role, attached]);
    expect(authorise(role.arn!, put)).toBe("allowed");
    expect(authorise(role.arn!, { action: "sqs:SendMessage", resource: QUEUE })).toBe("allowed");
    expect(authorise(role.arn!, { action: "logs:PutLogEvents", resource: "*" })).toBe("allowed");
    expect(authorise(role.arn!, { action: "sqs:DeleteMessage", resource: QUEUE })).toBe("implicitly-denied");
    expect(() => authorise("arn:aws:iam::000000000000:role/Other", put)).toThrow("no role");
  });

  test.each([
    [
      "an operator that is not known",
      { Condition: { DateLessThan: { "aws:CurrentTime": "2026-01-01" } } },
      "DateLessThan",
    ],
    ["a policy variable", { Resource: `${TABLE}/\${aws:username}` }, "variables"],
  ])("is refused with %s", (_, change, message) => {
    const role = resource("AWS::IAM::Role", "Role", {
      Policies: [{ PolicyDocument: policy({ ...allowPut, ...change } as typeof allowPut) }],
    });
    expect(() => createAuthoriser([role])).toThrow(message);
  });

  test("is refused with a managed policy that nobody knows", () => {
    const role = resource("AWS::IAM::Role", "Role", {
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"],
    });
    expect(() => createAuthoriser([role])).toThrow("AdministratorAccess");
  });
});
