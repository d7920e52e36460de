/** Context that cannot be deployed is refused before anything is built, by the name of the field. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { HERE } from "../../infra/local/template/synth.ts";
import { InvalidContext, locationsSchema, PUBLIC_CONTROL_TARGETS } from "../../infra/locations.ts";
import { parseSettings } from "../../infra/settings.ts";

const VPC = {
  name: "office",
  kind: "vpc",
  region: "eu-central-1",
  vpcId: "vpc-0123456789abcdef0",
  subnetIds: ["subnet-0123456789abcdef0"],
  availabilityZones: ["eu-central-1a"],
  securityGroupIds: ["sg-01234567"],
};
const refused = (context: Record<string, unknown>) => {
  try {
    parseSettings(context, "us-east-1");
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidContext);
    return (error as Error).message;
  }
  throw new Error(`${JSON.stringify(context)} was accepted`);
};

describe("locations", () => {
  test("default to the home region", () => {
    expect(parseSettings({}, "eu-north-1").locations).toEqual([
      {
        name: "eu-north-1",
        kind: "public",
        region: "eu-north-1",
        families: ["ipv4"],
        port25: false,
        controlTargets: PUBLIC_CONTROL_TARGETS,
      },
    ]);
  });

  test.each([
    ["regions with commas", "eu-west-1, us-east-1"],
    ["JSON text, as the command line passes it", '["eu-west-1", {"name": "us-east-1"}]'],
    ["a list", ["eu-west-1", { name: "us-east-1" }]],
  ])("may be given as %s", (_, value) => {
    expect(
      locationsSchema("us-east-1")
        .parse(value)
        .map(({ name, region }) => [name, region]),
    ).toEqual([
      ["eu-west-1", "eu-west-1"],
      ["us-east-1", "us-east-1"],
    ]);
  });

  test("local ones live in the home region, reach everything and ask nobody", () => {
    expect(locationsSchema("us-east-1").parse([{ name: "a", kind: "local" }])).toEqual([
      { name: "a", kind: "local", region: "us-east-1", families: ["ipv4", "ipv6"], port25: true, controlTargets: [] },
    ]);
  });

  test("control targets of the app are the public locations' own; a VPC names its own", () => {
    const { locations } = parseSettings(
      {
        controlTargets: ["192.0.2.1:80", "[2001:db8::1]:443"],
        locations: ["us-east-1", { ...VPC, controlTargets: ["gateway.example.com:443"] }],
      },
      "us-east-1",
    );
    expect(locations.map(({ controlTargets }) => controlTargets)).toEqual([
      ["192.0.2.1:80", "[2001:db8::1]:443"],
      ["gateway.example.com:443"],
    ]);
  });

  test.each([
    [[], "locations must be a list with at least one location"],
    ["[", "locations must be JSON or region names"],
    [{}, "locations must be a list"],
    [[3], "locations[0] must be a region's name or an object, got 3"],
    [["home"], 'locations[0].region must be an AWS region such as "eu-west-1", got nothing'],
    [[{ region: "eu-west-1" }], "locations[0].name must be 1 to 32 lower-case letters"],
    [[{ name: "Büro", region: "eu-west-1" }], "locations[0].name must be"],
    [[{ name: "a#b", region: "eu-west-1" }], "locations[0].name must be"],
    [["eu-west-1", { name: "eu-west-1" }], 'locations[1].name must be unique, got "eu-west-1" again'],
    [[{ name: "a", kind: "cloud" }], "locations[0].kind must be one of public, vpc, local"],
    [[{ name: "a", region: "mars" }], "locations[0].region must be an AWS region"],
    [[{ name: "eu-west-1", vpcId: "vpc-01234567" }], "locations[0].vpcId is not a field of a public location"],
    [[{ name: "eu-west-1", familys: ["ipv4"] }], "locations[0].familys is not a field"],
    [[{ name: "eu-west-1", families: [] }], "locations[0].families must be a list of ipv4 and ipv6"],
    [[{ name: "eu-west-1", families: ["ipv5"] }], "locations[0].families[0] must be one of ipv4, ipv6"],
    [[{ name: "eu-west-1", families: ["ipv4", "ipv6"] }], "Lambda outside a VPC has no IPv6"],
    [[{ name: "eu-west-1", port25: true }], "locations[0].port25 cannot be true: AWS blocks outbound TCP 25"],
    [[{ ...VPC, port25: "yes" }], "locations[0].port25 must be true or false"],
    [[{ ...VPC, vpcId: "vpc-1" }], "locations[0].vpcId must be the id of a VPC"],
    [[{ ...VPC, vpcId: undefined }], "locations[0].vpcId must be the id of a VPC (vpc-…), got nothing"],
    [[{ ...VPC, subnetIds: [] }], "locations[0].subnetIds must be a list"],
    [[{ ...VPC, subnetIds: ["x"] }], "locations[0].subnetIds[0] must be"],
    [
      [{ ...VPC, availabilityZones: ["eu-central-1a", "eu-central-1b"] }],
      "one zone for each of the 1 subnetIds, got 2",
    ],
    [[{ ...VPC, securityGroupIds: "sg-01234567" }], "locations[0].securityGroupIds must be a list"],
    [
      ["us-east-1", { name: "virginia", region: "us-east-1" }],
      'locations[1] is a second public location of us-east-1, beside "us-east-1"',
    ],
    [[{ ...VPC, controlTargets: ["example.com"] }], "locations[0].controlTargets[0] must be host:port"],
  ])("refuses %j", (locations, message) => {
    expect(refused({ locations })).toContain(message);
  });
});

describe("settings", () => {
  test("have defaults", () => {
    expect(parseSettings({}, "us-east-1")).toMatchObject({
      appId: "harborlight",
      region: "us-east-1",
      local: false,
      dashboard: false,
      apiThrottle: { ratePerSecond: 100, burst: 40 },
      publicThrottle: { ratePerSecond: 10, burst: 10 },
      retention: { blockDays: 14, rosterDays: 15, chunkDays: 400, dayMonths: 25 },
      logRetentionDays: 14,
    });
  });

  test("are understood as text, as the command line passes them", () => {
    expect(
      parseSettings(
        {
          dashboard: "true",
          maximumConcurrency: "5",
          apiThrottle: '{"burst": 9}',
          alertSender: "ops@localhost",
          controlTargets: '["192.0.2.1:80"]',
        },
        "us-east-1",
      ),
    ).toMatchObject({
      dashboard: true,
      maximumConcurrency: 5,
      apiThrottle: { ratePerSecond: 100, burst: 9 },
      alertSender: "ops@localhost",
      locations: [{ controlTargets: ["192.0.2.1:80"] }],
    });
  });

  test("a sender that is verified already needs no identity from CloudFormation", () => {
    const context = { alertSender: "ops@example.com", alertSenderIsVerified: true };
    expect(() => parseSettings(context, "eu-south-2")).not.toThrow();
  });

  test("CDK's own context is none of ours", () => {
    expect(() =>
      parseSettings({ "@aws-cdk/core:x": true, "aws:cdk:path": 1, "vpc-provider:account=1": {} }, "us-east-1"),
    ).not.toThrow();
  });

  test.each([
    [{ alertsender: "a@b.c" }, "alertsender is not a setting; those are appId"],
    [{ appId: "Harbor" }, "appId must be 2 to 24 lower-case"],
    [{ appId: "ports-probe" }, 'appId must not have "-probe" or "-jobs" in it'],
    [{ appId: "ports-jobs-a" }, 'appId must not have "-probe" or "-jobs" in it'],
    [{ region: "eu-south-2", alertSender: "ops@example.com" }, "alertSender cannot be set in eu-south-2"],
    [{ probeMemoryMb: 64 }, "probeMemoryMb must be an integer from 128 to 10240, got 64"],
    [{ apiMemoryMb: 20_000 }, "apiMemoryMb must be an integer from 128 to 10240"],
    [{ customerManagedKey: "arn:aws:kms:…" }, "customerManagedKey must be true or false"],
    [{ permissionsBoundary: "a b" }, "permissionsBoundary must be the name or ARN of an IAM policy"],
    [{ tags: ["ops"] }, "tags must be an object such as"],
    [{ tags: { "aws:x": "y" } }, "tags must be named by"],
    [{ tags: { team: 3 } }, "tags.team must be text"],
    [{ region: "moon" }, "region must be an AWS region"],
    [{ local: "perhaps" }, "local must be true or false"],
    [{ dashboard: 1 }, "dashboard must be true or false"],
    [{ alertSenderIsVerified: "x" }, "alertSenderIsVerified must be true or false"],
    [{ alertSender: "ops" }, 'alertSender must be a mail address, got "ops"'],
    [{ alertSender: "Ops <ops@example.com>" }, "alertSender must be a mail address"],
    [{ controlTargets: "1.1.1.1:443" }, "controlTargets must be a list"],
    [{ controlTargets: ["1.1.1.1:0"] }, "controlTargets[0] must be host:port with a port from 1 to 65535"],
    [{ controlTargets: ["1.1.1.1:65536"] }, "controlTargets[0] must be host:port"],
    [{ maximumConcurrency: 1 }, "maximumConcurrency must be an integer from 2 to 1000, got 1"],
    [{ maximumConcurrency: 2.5 }, "maximumConcurrency must be an integer"],
    [{ apiThrottle: 3 }, "apiThrottle must be an object with ratePerSecond, burst"],
    [{ apiThrottle: { rate: 3 } }, "apiThrottle.rate is unknown; apiThrottle has ratePerSecond, burst"],
    [{ retention: { blockDays: 0 } }, "retention.blockDays must be an integer from 1"],
    [{ logRetentionDays: 15 }, "logRetentionDays must be one of 1, 3, 5"],
  ])("refuses %j", (context, message) => {
    expect(refused(context)).toContain(message);
  });
});

test("everything that is wrong is told at once, a line each", () => {
  const locations = ["home", { ...VPC, vpcId: "vpc-1", subnetIds: ["x", "y"], families: ["ipv5"] }];
  const context = { alertsender: "a@b.c", appId: "Harbor", tags: { "aws:x": "y", team: 3 }, retention: { days: 1 } };
  expect(refused({ ...context, locations }).split("\n")).toEqual([
    expect.stringContaining("appId must be 2 to 24 lower-case"),
    expect.stringContaining("tags must be named by"),
    expect.stringContaining("tags.team must be text"),
    expect.stringContaining("retention.days is unknown"),
    expect.stringContaining("alertsender is not a setting"),
    expect.stringContaining("locations[0].region must be an AWS region"),
    expect.stringContaining("locations[1].families[0] must be one of ipv4, ipv6"),
    expect.stringContaining("locations[1].vpcId must be the id of a VPC"),
    expect.stringContaining("locations[1].subnetIds[0] must be"),
    expect.stringContaining("locations[1].subnetIds[1] must be"),
  ]);
});

test("a setting that is null is not set", () => {
  const { probeMemoryMb, probeMemoryIsChosen, alertSender } = parseSettings(
    { probeMemoryMb: null, alertSender: null },
    "us-east-1",
  );
  expect({ probeMemoryMb, probeMemoryIsChosen, alertSender }).toEqual({
    probeMemoryMb: 128,
    probeMemoryIsChosen: false,
    alertSender: undefined,
  });
});

test("the region is written down, so that credentials of another region start no second installation", () => {
  const { context } = JSON.parse(readFileSync(new URL("../../cdk.json", import.meta.url), "utf8"));
  expect(parseSettings(context, "ap-south-1").region).toBe(context.region);
});

test("one machine is the same whatever cdk.json says of AWS", () => {
  const { context } = JSON.parse(readFileSync(new URL("../../cdk.json", import.meta.url), "utf8"));
  const deployed = { ...context, region: "eu-west-1", alertSenderIsVerified: true, customerManagedKey: true };
  expect(parseSettings({ ...deployed, ...HERE }, "us-east-1")).toMatchObject({
    local: true,
    region: "us-east-1",
    alertSenderIsVerified: false,
    customerManagedKey: false,
  });
});
