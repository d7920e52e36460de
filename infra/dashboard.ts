import { Duration } from "aws-cdk-lib";
import { Dashboard as CloudWatchDashboard, GraphWidget, type IMetric, Stats } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import type { Watched } from "./home-alarms.ts";
import type { ProbeSite } from "./probe-site.ts";

/** CloudWatch dashboard of the home stack. It shows only metrics that AWS records anyway, so it costs $3 a month in all. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { site, ...watched }: Watched & { readonly site?: ProbeSite }) {
    super(scope, id);
    const functions = [
      watched.dispatch,
      ...(site ? [site.probe.lambda] : []),
      watched.stateChange,
      watched.deliver,
      watched.compact,
      watched.api,
    ];
    const graph = (title: string, left: IMetric[]) =>
      new GraphWidget({ title, left, width: 8, period: Duration.minutes(5) });
    const maximum = { statistic: Stats.MAXIMUM };
    const deadLetters = [...(site ? [site.deadJobs] : []), watched.undecided, watched.undelivered];
    new CloudWatchDashboard(this, "Dashboard", {
      widgets: [
        [
          graph(
            "Invocations",
            functions.map((lambda) => lambda.metricInvocations()),
          ),
          graph(
            "Errors",
            functions.map((lambda) => lambda.metricErrors()),
          ),
          graph(
            "Throttles",
            functions.map((lambda) => lambda.metricThrottles()),
          ),
        ],
        [
          graph(
            "Duration, p95",
            functions.map((lambda) => lambda.metricDuration({ statistic: Stats.p(95) })),
          ),
          ...(site ? [graph("Age of the oldest job", [site.jobs.metricApproximateAgeOfOldestMessage(maximum)])] : []),
          graph(
            "Dead letters",
            deadLetters.map((queue) => queue.metricApproximateNumberOfMessagesVisible(maximum)),
          ),
        ],
        [graph("Stream: age of the newest change read", [watched.stateChange.metric("IteratorAge", maximum)])],
      ],
    });
  }
}
