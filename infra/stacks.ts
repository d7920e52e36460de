import { Annotations, type App, type Stack, Tags } from "aws-cdk-lib";
import { ManagedPolicy, PermissionsBoundary } from "aws-cdk-lib/aws-iam";
import { HomeStack } from "./home-stack.ts";
import { homeLocationOf } from "./locations.ts";
import { ProbeStack } from "./probe-stack.ts";
import { parseSettings } from "./settings.ts";

/**
 * Builds all stacks that the app's context asks for.
 * @throws {InvalidContext}
 */
export const createStacks = (app: App): { home: HomeStack; probes: ProbeStack[] } => {
  const settings = parseSettings(
    app.node.getAllContext(),
    process.env.CDK_DEFAULT_REGION ?? process.env.AWS_REGION ?? "us-east-1",
  );
  const account = process.env.CDK_DEFAULT_ACCOUNT;
  const homeLocation = homeLocationOf(settings.locations, settings.region);
  const home = new HomeStack(app, settings.appId, {
    env: { account, region: settings.region },
    description: `Harborlight ${settings.version}: port monitoring`,
    settings,
    homeLocation,
  });
  const probes = settings.locations
    .filter((location) => location !== homeLocation)
    .map((location) => {
      const probe = new ProbeStack(app, `${settings.appId}-probe-${location.name}`, {
        env: { account, region: location.region },
        description: `Harborlight ${settings.version}: probe of location ${location.name}`,
        settings,
        location,
      });
      // The home stack sends jobs as soon as it is deployed. Probes are deployed before it, so that their queues exist
      // and a new probe understands new kinds of jobs first.
      home.addStackDependency(probe);
      return probe;
    });
  if (!settings.local && !settings.probeMemoryIsChosen) adviseOnMemory(home);
  for (const [key, value] of Object.entries({ Application: settings.appId, ...settings.tags })) {
    Tags.of(app).add(key, value);
  }
  if (settings.permissionsBoundary) for (const stack of [home, ...probes]) bound(stack, settings.permissionsBoundary);
  return { home, probes };
};

/** Warns that the default memory may not be the cheapest: that depends on the monitors (docs/OPERATING.md, Memory). */
const adviseOnMemory = (home: Stack): void => {
  Annotations.of(home).addWarningV2(
    "harborlight:probe-memory",
    "probeMemoryMb is not set: probes get 128 MB, the cheapest, and 7 % of a processor. Where a quarter of the monitors or more speak TLS and all targets answer, 256 is cheaper and halves the time of a job. To silence this warning, set it to 128 or 256 (docs/OPERATING.md, Memory).",
  );
};

/** @param policy name or ARN */
const bound = (stack: Stack, policy: string): void => {
  const boundary = policy.startsWith("arn:")
    ? ManagedPolicy.fromManagedPolicyArn(stack, "Boundary", policy)
    : ManagedPolicy.fromManagedPolicyName(stack, "Boundary", policy);
  PermissionsBoundary.of(stack).apply(boundary);
};
