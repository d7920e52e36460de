/** The whole app, with everything switched on, against cdk-nag's AwsSolutions pack and CloudFormation's own schema. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, type CfnResource, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { afterAll, expect, test } from "vitest";
import { bundle } from "../../infra/bundle.ts";
import { createStacks } from "../../infra/stacks.ts";

const outdir = mkdtempSync(join(tmpdir(), "harborlight-validation-"));
afterAll(() => rmSync(outdir, { recursive: true }));

const { context: flags } = JSON.parse(readFileSync(new URL("../../cdk.json", import.meta.url), "utf8"));
const context = {
  ...flags,
  region: "us-east-1",
  alertSender: "ops@example.com",
  dashboard: true,
  maximumConcurrency: 5,
  locations: [
    "us-east-1",
    "eu-west-1",
    {
      name: "office",
      kind: "vpc",
      region: "eu-central-1",
      vpcId: "vpc-0123456789abcdef0",
      subnetIds: ["subnet-0123456789abcdef0"],
      availabilityZones: ["eu-central-1a"],
      securityGroupIds: ["sg-0123456789abcdef0"],
    },
  ],
};
const reports = () =>
  JSON.parse(readFileSync(join(outdir, "validation-report.json"), "utf8")).pluginReports as {
    pluginName: string;
    violations: object[];
    suppressedViolations: object[];
  }[];

test("no finding is left without its reason, and CloudFormation accepts every property", async () => {
  await bundle();
  const app = new App({ outdir, context });
  createStacks(app);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  // Throws with the findings when there are any.
  app.synth();
  expect(reports().map(({ pluginName }) => pluginName)).toContain("AwsSolutions");
  expect(reports().flatMap(({ violations }) => violations)).toEqual([]);
});

test("the validation is awake: a property that CloudFormation would refuse fails the synthesis", () => {
  const app = new App({ outdir, context: { ...context, locations: ["us-east-1"] } });
  const { home } = createStacks(app);
  const stage = home.node.findChild("PublicApi").node.findChild("Stage").node.defaultChild as CfnResource;
  stage.addPropertyOverride("AutoDeploy", "soon");
  expect(() => app.synth()).toThrow("AutoDeploy: 'soon' is not of type 'boolean'");
});
