import { matchesPattern, type Pattern, parsePattern } from "../lambda/event-pattern.ts";
import type { Resource } from "../template/template.ts";

interface Target {
  readonly Arn: string;
  readonly InputTransformer?: {
    readonly InputPathsMap?: Readonly<Record<string, string>>;
    readonly InputTemplate: string;
  };
}

interface RuleProperties {
  readonly EventPattern?: object;
  readonly ScheduleExpression?: string;
  readonly State?: string;
  readonly Targets?: readonly Target[];
}

export interface RulesOptions {
  readonly topicArns: readonly string[];
  readonly publish: (topicArn: string, subject: string | undefined, message: string) => void;
  /** ARNs of the template's functions. */
  readonly functionArns: readonly string[];
  readonly invokeLater: (functionArn: string, payload: string) => void;
}

/**
 * The template's EventBridge rules (`AWS::Events::Rule`): sends events that match to topics and functions.
 * @throws when a rule has a schedule, or a target that is neither
 */
export const createRules = (resources: readonly Resource[], options: RulesOptions) => {
  const { topicArns, functionArns, publish, invokeLater } = options;
  const rules = resources
    .filter(({ type }) => type === "AWS::Events::Rule")
    .map(({ logicalId, properties }) => {
      const { EventPattern, ScheduleExpression, State, Targets = [] } = properties as RuleProperties;
      if (ScheduleExpression !== undefined || EventPattern === undefined)
        throw new Error(`rule ${logicalId}: only rules with a pattern and no schedule are supported here`);
      const other = Targets.find(({ Arn }) => !topicArns.includes(Arn) && !functionArns.includes(Arn));
      if (other) throw new Error(`rule ${logicalId}: its target ${other.Arn} is no topic or function of the template`);
      return { pattern: parsePattern(JSON.stringify(EventPattern)), isOn: State !== "DISABLED", targets: Targets };
    })
    .filter(({ isOn, targets }) => isOn && targets.length > 0);
  const matching = (event: object) =>
    rules.filter(({ pattern }: { pattern: Pattern }) => matchesPattern(pattern, event));
  return {
    /** Whether a rule publishes the event to a topic. */
    publishes: (event: object): boolean =>
      matching(event).some(({ targets }) => targets.some(({ Arn }) => topicArns.includes(Arn))),
    take: (event: object): void => {
      for (const { targets } of matching(event)) {
        for (const target of targets) {
          const text = transform(target, event);
          if (functionArns.includes(target.Arn)) invokeLater(target.Arn, text);
          else publish(target.Arn, undefined, text);
        }
      }
    },
  };
};

/** EventBridge's input transformer: replaces `<name>` in the template by the event's value at the name's path. */
const transform = ({ InputTransformer }: Target, event: object): string => {
  if (!InputTransformer) return JSON.stringify(event);
  const { InputPathsMap = {}, InputTemplate } = InputTransformer;
  return InputTemplate.replace(/<([\w-]+)>/g, (text, name: string) => {
    const path = InputPathsMap[name];
    if (path === undefined) return text;
    const value = path
      .split(".")
      .slice(1)
      .reduce<unknown>((inner, member) => (inner as Record<string, unknown> | undefined)?.[member], event);
    return String(value ?? "");
  });
};
