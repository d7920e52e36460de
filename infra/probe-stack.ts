import { Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { forwardAlarms } from "./alarm-relay.ts";
import { Alarms } from "./alarms.ts";
import { ProbeSite, type ProbeSiteProps } from "./probe-site.ts";

/** One further location, in its own region. Deployed before the home stack, so that its queue exists when jobs are sent. */
export class ProbeStack extends Stack {
  readonly site: ProbeSite;

  constructor(scope: Construct, id: string, { settings, location, ...props }: StackProps & ProbeSiteProps) {
    super(scope, id, props);
    this.site = new ProbeSite(this, "Site", { settings, location });
    const alarms = new Alarms(this, "Alarms");
    this.site.watchedBy(alarms);
    // In the home region the home stack's rule receives their events without forwarding.
    if (location.region !== settings.region) forwardAlarms(this, alarms.all, settings.region);
    this.site.outputs();
  }
}
