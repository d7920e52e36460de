/**
 * IAM policy evaluation: decides from the template's identity policies whether a role may do something. An explicit deny
 * wins, then any allow; otherwise it is denied (IAM User Guide, "Policy evaluation logic"). Pure; the tests compare it with
 * an independent simulator.
 */

import type { Resource } from "../template/template.ts";
import { holds, type PolicyContext } from "./conditions.ts";
import { managedPolicy } from "./managed-policies.ts";
import { arnMatches, textMatches } from "./patterns.ts";

type OneOrMany<T> = T | readonly T[];

export interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action?: OneOrMany<string>;
  readonly NotAction?: OneOrMany<string>;
  readonly Resource?: OneOrMany<string>;
  readonly NotResource?: OneOrMany<string>;
  /** By operator and key: the values, one of which must match. */
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMany<unknown>>>>>;
}

export interface PolicyDocument {
  readonly Statement: OneOrMany<Statement>;
}

export type Decision = "allowed" | "explicitly-denied" | "implicitly-denied";

/** A permission that a request needs. */
export interface Permission {
  /** For example `dynamodb:PutItem`. */
  readonly action: string;
  /** An ARN, or `*` for an action without resources. */
  readonly resource: string;
  readonly context?: PolicyContext;
}

const many = <T>(value: OneOrMany<T> | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as T];

export function evaluate(policies: readonly PolicyDocument[], permission: Permission): Decision {
  const applying = policies
    .flatMap(({ Statement }) => many(Statement))
    .filter((statement) => applies(statement, permission));
  if (applying.some(({ Effect }) => Effect === "Deny")) return "explicitly-denied";
  return applying.some(({ Effect }) => Effect === "Allow") ? "allowed" : "implicitly-denied";
}

function applies(statement: Statement, { action, resource, context = {} }: Permission): boolean {
  const isAction = (pattern: string) => textMatches(pattern.toLowerCase(), action.toLowerCase());
  const isResource = (pattern: string) => arnMatches(pattern, resource);
  if (statement.Action !== undefined && !many(statement.Action).some(isAction)) return false;
  if (statement.NotAction !== undefined && many(statement.NotAction).some(isAction)) return false;
  if (statement.Resource !== undefined && !many(statement.Resource).some(isResource)) return false;
  if (statement.NotResource !== undefined && many(statement.NotResource).some(isResource)) return false;
  return Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) => holds(operator, key, many(values).map(String), context)),
  );
}

/**
 * The policies of a role: inline ones, those of `AWS::IAM::Policy` and `AWS::IAM::ManagedPolicy` resources that name
 * it, and the supported AWS managed policies.
 * @throws for a managed policy that is neither, and for policies that cannot be evaluated here
 */
function rolePolicies(resources: readonly Resource[], role: Resource): PolicyDocument[] {
  const inline = (role.properties.Policies ?? []) as { PolicyDocument: PolicyDocument }[];
  const attached = resources.filter(
    ({ type, properties }) =>
      ["AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy"].includes(type) &&
      [...many(properties.Roles as string[] | undefined), properties.RoleName].includes(role.name),
  );
  const managed = many(role.properties.ManagedPolicyArns as string[] | undefined).map((arn) => {
    const own = resources.find(({ type, ref }) => type === "AWS::IAM::ManagedPolicy" && ref === arn);
    return own ? (own.properties.PolicyDocument as PolicyDocument) : managedPolicy(arn, role.logicalId);
  });
  const policies = [
    ...inline.map(({ PolicyDocument }) => PolicyDocument),
    ...attached.map(({ properties }) => properties.PolicyDocument as PolicyDocument),
    ...managed,
  ];
  assertKnown(policies, role.logicalId);
  return policies;
}

/** @throws for policies that cannot be evaluated here, instead of denying requests later. */
function assertKnown(policies: readonly PolicyDocument[], role: string): void {
  for (const statement of policies.flatMap(({ Statement }) => many(Statement))) {
    const texts = [...many(statement.Resource), ...many(statement.NotResource)];
    const variable = texts.find((text) => text.includes("${"));
    if (variable) throw new Error(`role ${role}: policy variables are not supported here, got ${variable}`);
    for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
      // Throws for an operator that is not supported.
      for (const [key, values] of Object.entries(keys)) holds(operator, key, many(values).map(String), {});
    }
  }
}

export interface Authoriser {
  /**
   * @param role ARN of a role of the template, as functions, schedules and mappings name it
   * @throws for a role that the template does not have
   */
  readonly authorise: (role: string, permission: Permission) => Decision;
}

/** Reads all roles at the start, so that a policy that cannot be evaluated fails the start and not a request. */
export function createAuthoriser(resources: readonly Resource[]): Authoriser {
  const policies = new Map<string, PolicyDocument[]>();
  for (const role of resources.filter(({ type }) => type === "AWS::IAM::Role")) {
    policies.set(role.arn!, rolePolicies(resources, role));
  }
  /** Cache of decisions on requests without context, which never change. */
  const decided = new Map<string, Decision>();
  return {
    authorise(role, permission) {
      const key = `${role} ${permission.action} ${permission.resource}`;
      const cached = permission.context ? undefined : decided.get(key);
      if (cached) return cached;
      const documents = policies.get(role);
      if (!documents) throw new Error(`the template has no role ${role}`);
      const decision = evaluate(documents, permission);
      if (!permission.context && decided.size < 10_000) decided.set(key, decision);
      return decision;
    },
  };
}
