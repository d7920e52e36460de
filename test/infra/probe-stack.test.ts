/** Further locations: other regions, VPCs, and several on one machine. */
import { Template } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import {
  byPlainId,
  createApp,
  functionOf,
  grantsOf,
  ofType,
  type Resources,
  render,
  synthesise,
} from "./synthesised.ts";

const VPC = {
  name: "office",
  kind: "vpc",
  region: "eu-central-1",
  vpcId: "vpc-0123456789abcdef0",
  subnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
  availabilityZones: ["eu-central-1a", "eu-central-1b"],
  securityGroupIds: ["sg-0123456789abcdef0"],
  families: ["ipv4", "ipv6"],
  port25: true,
};

test("a probe in another region works on the home region's tables and nothing else there", async () => {
  const { probes } = await synthesise({ locations: ["us-east-1", "eu-west-1"] });
  expect(probes).toHaveLength(1);
  const [probe] = probes as [Resources];
  const { FunctionName, Environment } = functionOf(probe, "probe")[1].Properties;
  expect(FunctionName).toBe("harborlight-probe-eu-west-1");
  expect(Environment.Variables).toMatchObject({
    MONITORS_TABLE: "harborlight-monitors",
    HISTORY_TABLE: "harborlight-history",
    TABLES_REGION: "us-east-1",
  });
  expect(JSON.parse(Environment.Variables.LOCATION)).toMatchObject({ name: "eu-west-1", region: "eu-west-1" });
  const monitors = "arn:aws:dynamodb:us-east-1:ACCOUNT:table/harborlight-monitors";
  const history = "arn:aws:dynamodb:us-east-1:ACCOUNT:table/harborlight-history";
  expect(grantsOf(probe, "probe").filter((grant) => grant.startsWith("dynamodb:"))).toEqual([
    `dynamodb:BatchGetItem ${monitors}`,
    `dynamodb:GetItem ${history}`,
    `dynamodb:GetItem ${monitors}`,
    `dynamodb:PutItem ${history}`,
    `dynamodb:Query ${history}`,
    `dynamodb:Query ${monitors}/index/members`,
    `dynamodb:UpdateItem ${monitors}`,
  ]);
  expect(byPlainId(probe, "SiteJobs").Properties.QueueName).toBe("harborlight-jobs-eu-west-1");
  expect(ofType(probe, "AWS::Lambda::EventSourceMapping")).toHaveLength(1);
  expect(ofType(probe, "AWS::DynamoDB::Table")).toHaveLength(0);
});

test("probe stacks are deployed before the home stack that sends them jobs", async () => {
  const { home, probes } = await createApp({ locations: ["us-east-1", "eu-west-1", "ap-southeast-1"] });
  expect(home.dependencies).toEqual(probes);
  expect(probes.map(({ region }) => region)).toEqual(["eu-west-1", "ap-southeast-1"]);
  expect(probes.map(({ stackName }) => stackName)).toEqual([
    "harborlight-probe-eu-west-1",
    "harborlight-probe-ap-southeast-1",
  ]);
});

test("alarms of another region reach the home region's bus; those of the home region are seen there as they are", async () => {
  const { probes, resources } = await synthesise({
    locations: ["us-east-1", "eu-west-1", { ...VPC, region: "us-east-1" }],
  });
  const [abroad, nearby] = probes as [Resources, Resources];
  const [[, rule]] = ofType(abroad, "AWS::Events::Rule") as [[string, Resources[string]]];
  expect(rule.Properties.EventPattern).toMatchObject({
    source: ["aws.cloudwatch"],
    "detail-type": ["CloudWatch Alarm State Change"],
  });
  expect(rule.Properties.EventPattern.resources.map(render)).toEqual(
    ["ProbeErrors", "ProbeThrottles", "JobsBacklog", "DeadJobs"].map((name) => `Alarms${name}.Arn`),
  );
  expect(render(rule.Properties.Targets[0].Arn)).toBe("arn:aws:events:us-east-1:ACCOUNT:event-bus/default");
  const forwarding = ofType(abroad, "AWS::IAM::Policy").flatMap(
    ([, { Properties }]) => Properties.PolicyDocument.Statement,
  );
  expect(
    forwarding.filter(({ Action }) => Action === "events:PutEvents").map(({ Resource }) => render(Resource)),
  ).toEqual(["arn:aws:events:us-east-1:ACCOUNT:event-bus/default"]);
  expect(ofType(nearby, "AWS::Events::Rule")).toHaveLength(0);
  const receiver = byPlainId(resources, "ReceiveAlarms").Properties;
  expect(receiver.EventPattern.detail).toEqual({
    alarmName: [{ prefix: "harborlight-probe-" }],
    state: { value: ["ALARM", "OK"] },
  });
  expect(render(receiver.Targets[0].Arn)).toBe("System");
});

test("a location in a VPC gets its subnets, security groups and families, and the calls Lambda needs there", async () => {
  const { probes } = await synthesise({ locations: ["us-east-1", VPC] });
  const [probe] = probes as [Resources];
  const { VpcConfig, Environment } = functionOf(probe, "probe")[1].Properties;
  expect(VpcConfig).toEqual({
    SubnetIds: VPC.subnetIds,
    SecurityGroupIds: VPC.securityGroupIds,
    Ipv6AllowedForDualStack: true,
  });
  expect(JSON.parse(Environment.Variables.LOCATION)).toMatchObject({
    kind: "vpc",
    families: ["ipv4", "ipv6"],
    port25: true,
  });
  // A VPC may have no way to the Internet: without targets of its own nothing is asked.
  expect(Environment.Variables.CONTROL_TARGETS).toBe("[]");
  expect(grantsOf(probe, "probe").filter((grant) => grant.startsWith("ec2:"))).toEqual(
    [
      "AssignPrivateIpAddresses",
      "CreateNetworkInterface",
      "DeleteNetworkInterface",
      "DescribeNetworkInterfaces",
      "DescribeSubnets",
      "UnassignPrivateIpAddresses",
    ].map((call) => `ec2:${call} *`),
  );
});

/** Physical names by stack; a name that moved to another stack would fail the deployment. */
const placesOf = async (context: Record<string, unknown>) => {
  const { home, probes } = await createApp({ region: "eu-west-1", ...context });
  return Object.fromEntries(
    [home, ...probes].flatMap((stack) => {
      const { Resources: all } = Template.fromStack(stack).toJSON() as { Resources: Resources };
      return Object.values(all).flatMap(({ Properties }) =>
        [Properties?.QueueName, Properties?.FunctionName, Properties?.TableName, Properties?.LogGroupName]
          .filter((name) => typeof name === "string")
          .map((name) => [`${stack.region} ${name}`, stack.stackName]),
      );
    }),
  );
};
const README_LOCATIONS = ["eu-west-1", "us-east-1", { ...VPC, region: "eu-west-1" }];

describe("no physical name moves to another stack when", () => {
  test.each<[string, unknown, unknown]>([
    ["the README's example follows a default installation", undefined, README_LOCATIONS],
    ["it does so with the home region at the end", undefined, ["us-east-1", "ap-southeast-1", "eu-west-1"]],
    ["the list is turned round", README_LOCATIONS, README_LOCATIONS.toReversed()],
    ["a VPC comes first", ["eu-west-1"], [{ ...VPC, region: "eu-west-1" }, "eu-west-1"]],
    ["the home region is taken out", README_LOCATIONS, README_LOCATIONS.slice(1)],
    ["it comes back", README_LOCATIONS.slice(1), README_LOCATIONS],
    [
      "it has a name of its own",
      [{ name: "here", region: "eu-west-1" }],
      ["us-east-1", { name: "here", region: "eu-west-1" }],
    ],
  ])("%s", async (_, before, after) => {
    const [old, now] = [await placesOf({ locations: before }), await placesOf({ locations: after })];
    const both = Object.keys(old).filter((name) => name in now);
    expect(both.length).toBeGreaterThan(0);
    expect(both.filter((name) => old[name] !== now[name])).toEqual([]);
  });
});

test("a VPC as the only location leaves no probe in the home stack", async () => {
  const { resources, probes } = await synthesise({ region: "eu-central-1", locations: [VPC] });
  expect(probes).toHaveLength(1);
  expect(() => functionOf(resources, "probe")).toThrow("no function");
});

test("several locations on one machine are a stack each", async () => {
  const locations = ["a", "b", "c"].map((name) => ({ name, kind: "local" }));
  const { resources, probes } = await synthesise({ local: true, locations });
  const names = [resources, ...probes].map((template) => functionOf(template, "probe")[1].Properties.FunctionName);
  expect(names).toEqual(["harborlight-probe-a", "harborlight-probe-b", "harborlight-probe-c"]);
  const { LOCATIONS } = functionOf(resources, "dispatch")[1].Properties.Environment.Variables;
  expect(JSON.parse(render(LOCATIONS))).toEqual(
    ["a", "b", "c"].map((name) => ({
      name,
      region: "us-east-1",
      kind: "local",
      families: ["ipv4", "ipv6"],
      port25: true,
      jobsQueueUrl: `https://sqs.us-east-1.amazonaws.com/ACCOUNT/harborlight-jobs-${name}`,
      probeFunctionName: `harborlight-probe-${name}`,
    })),
  );
});
