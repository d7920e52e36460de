import type { Started } from "../../../shared/payloads.ts";
import type { Decision, Permission } from "../iam/iam.ts";
import type { Functions } from "../lambda/functions.ts";
import type { Resource } from "../template/template.ts";
import { parseSchedule, startSchedule } from "./schedules.ts";

interface ScheduleProperties {
  readonly ScheduleExpression: string;
  readonly ScheduleExpressionTimezone?: string;
  readonly State?: string;
  readonly Target: { readonly Arn: string; readonly Input?: string; readonly RoleArn: string };
}

/**
 * Starts the template's schedules (`AWS::Scheduler::Schedule`). A rate schedule also fires at once; the target of a cron
 * schedule gets one event `{"source":"start"}`, so that work left over from before the start does not wait for its hour.
 * @returns a function that stops them all
 * @throws when a schedule's role may not invoke its target, or the target is not there
 */
export const startSchedules = (
  resources: readonly Resource[],
  { functions, authorise }: { functions: Functions; authorise: (role: string, permission: Permission) => Decision },
): (() => void) => {
  const schedules = resources
    .filter(({ type }) => type === "AWS::Scheduler::Schedule")
    .map(({ name, properties }) => ({ name, ...(properties as unknown as ScheduleProperties) }))
    .filter(({ State }) => State !== "DISABLED")
    .map(({ name, Target, ScheduleExpression: expression, ScheduleExpressionTimezone: timeZone = "UTC" }) => {
      const target = functions.find(Target.Arn);
      if (!target) throw new Error(`schedule ${name}: there is no function ${Target.Arn}`);
      const decision = authorise(Target.RoleArn, { action: "lambda:InvokeFunction", resource: Target.Arn });
      if (decision !== "allowed") throw new Error(`schedule ${name}: its role may not invoke ${Target.Arn}`);
      const isByClock = expression.startsWith("cron");
      return {
        target,
        input: Target.Input ?? "{}",
        isByClock,
        schedule: parseSchedule({ name, expression, timeZone }),
      };
    });
  const stops = schedules.map(({ target, input, isByClock, schedule }) => {
    target.invokeLater(isByClock ? JSON.stringify({ source: "start" } satisfies Started) : input);
    return startSchedule(schedule, () => target.invokeLater(input));
  });
  return () => {
    for (const stop of stops) stop();
  };
};
