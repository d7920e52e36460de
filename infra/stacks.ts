import type { App } from "aws-cdk-lib";
import { HomeStack } from "./home-stack.ts";
import { ProbeStack } from "./probe-stack.ts";
import { parseSettings } from "./settings.ts";

/**
 * Builds all stacks that the app's context asks for. The first location's probe lives in the home stack when it needs
 * neither another region nor a VPC.
 * @throws {InvalidContext}
 */
export const createStacks = (app: App): { home: HomeStack; probes: ProbeStack[] } => {
  const settings = parseSettings(
    app.node.getAllContext(),
    process.env.CDK_DEFAULT_REGION ?? process.env.AWS_REGION ?? "us-east-1",
  );
  const account = process.env.CDK_DEFAULT_ACCOUNT;
  const [first] = settings.locations;
  const homeLocation = first && first.region === settings.region && first.kind !== "vpc" ? first : undefined;
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
      // The home stack sends jobs as soon as it is there; whoever works them off comes first, and a new probe
      // understands a job before anybody sends it.
      home.addStackDependency(probe);
      return probe;
    });
  return { home, probes };
};
