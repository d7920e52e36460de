/** The whole app, with everything switched on, against cdk-nag's AwsSolutions pack and CloudFormation's own schema. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { afterAll, expect, test } from "vitest";
import { bundle } from "../../infra/bundle.ts";
import { createStacks } from "../../infra/stacks.ts";

const outdir = mkdtempSync(join(tmpdir(), "harborlight-validation-"));
afterAll(() => rmSync(outdir, { recursive: true }));

test("no finding is left without its reason, and CloudFormation accepts every property", async () => {
  await bundle();
  const { context } = JSON.parse(readFileSync(new URL("../../cdk.json", import.meta.url), "utf8"));
  const app = new App({
    outdir,
    context: {
      ...context,
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
    },
  });
  createStacks(app);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  // Throws with the findings when there are any.
  app.synth();
  const { pluginReports } = JSON.parse(readFileSync(join(outdir, "validation-report.json"), "utf8"));
  const findings = pluginReports.flatMap(({ violations }: { violations: object[] }) => violations);
  expect(findings).toEqual([]);
  const names = pluginReports.map(({ pluginName }: { pluginName: string }) => pluginName);
  expect(names).toContain("AwsSolutions");
});
