/** Templates of the app for assertions, with what is awkward in CloudFormation made readable. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { afterAll } from "vitest";
import { bundle } from "../../infra/bundle.ts";
import { createStacks } from "../../infra/stacks.ts";

/** Everything synthesised by this test file; CDK's own choice of a folder is never cleaned up. */
const folder = mkdtempSync(join(tmpdir(), "harborlight-synthesised-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { context: flags } = JSON.parse(readFileSync(new URL("../../cdk.json", import.meta.url), "utf8"));

export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is CloudFormation's
  readonly Properties: Record<string, any>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}
export type Resources = Readonly<Record<string, Resource>>;

export const createApp = async (context: Record<string, unknown> = {}) => {
  await bundle();
  const app = new App({
    outdir: mkdtempSync(join(folder, "app-")),
    context: { ...flags, region: "us-east-1", "aws:cdk:disable-asset-staging": true, ...context },
    builtinCloudFormationValidation: false,
  });
  return { app, ...createStacks(app) };
};

/** @returns the home stack's template, and the probe stacks' in the order of their locations. */
export const synthesise = async (context: Record<string, unknown> = {}) => {
  const { home, probes } = await createApp(context);
  const template = Template.fromStack(home);
  return {
    home: template,
    resources: template.toJSON().Resources as Resources,
    probes: probes.map((probe) => Template.fromStack(probe).toJSON().Resources as Resources),
  };
};

export const ofType = (resources: Resources, type: string): [string, Resource][] =>
  Object.entries(resources).filter(([, { Type }]) => Type === type);

/** A value as text: `Monitors.Arn` for an attribute, `Timers` for a reference, ACCOUNT for the account. */
export const render = (value: unknown): string => {
  if (typeof value !== "object" || value === null) return String(value);
  // biome-ignore lint/suspicious/noExplicitAny: the shape is CloudFormation's
  const [[intrinsic, argument]] = Object.entries(value) as [[string, any]];
  switch (intrinsic) {
    case "Ref":
      return { "AWS::AccountId": "ACCOUNT", "AWS::URLSuffix": "amazonaws.com" }[argument as string] ?? plain(argument);
    case "Fn::GetAtt":
      return `${plain(argument[0])}.${argument[1]}`;
    case "Fn::Join":
      return argument[1].map(render).join(argument[0]);
    default:
      return JSON.stringify(value);
  }
};

/** A logical id without the hash that CDK appends. */
export const plain = (logicalId: string) => logicalId.replace(/[0-9A-F]{8}$/, "");

/** The resource whose logical id is that one, but for the hash. @throws when there is none. */
export const byPlainId = (resources: Resources, id: string): Resource => {
  const found = Object.entries(resources).find(([logicalId]) => plain(logicalId) === id);
  if (!found) throw new Error(`no resource ${id}`);
  return found[1];
};

/** The function of that service. @throws when there is none. */
export const functionOf = (resources: Resources, service: string): [string, Resource] => {
  const found = ofType(resources, "AWS::Lambda::Function").find(
    ([, { Properties }]) => Properties.Environment.Variables.POWERTOOLS_SERVICE_NAME === service,
  );
  if (!found) throw new Error(`no function of service ${service}`);
  return found;
};

/** What a function may do, one line per call and resource, sorted. */
export const grantsOf = (resources: Resources, service: string): string[] => {
  const [, { Properties }] = functionOf(resources, service);
  const roleId = Properties.Role["Fn::GetAtt"][0];
  const role = resources[roleId]!.Properties;
  if (role.ManagedPolicyArns) throw new Error(`${roleId} has managed policies`);
  const policies = ofType(resources, "AWS::IAM::Policy").filter(([, policy]) =>
    policy.Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === roleId),
  );
  return [...policies.map(([, policy]) => policy.Properties), ...(role.Policies ?? [])]
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .flatMap(({ Effect, Action, Resource, Condition }) =>
      [Action].flat().flatMap((action) =>
        [Resource].flat().map((resource) => {
          const condition = Condition ? ` if ${JSON.stringify(Condition)}` : "";
          return `${Effect === "Allow" ? "" : `${Effect} `}${action} ${render(resource)}${condition}`;
        }),
      ),
    )
    .sort();
};
