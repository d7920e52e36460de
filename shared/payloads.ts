/** Events that invoke our functions, shared by sender and handler. For jobs see jobs.ts. */
import type { InvalidInput } from "./errors.ts";
import type { CheckSettings, Outcome } from "./model.ts";
import type { Scope } from "./tokens.ts";

/** The API requests one check now; nothing is stored. */
export interface CheckRequest {
  readonly kind: "check";
  readonly check: CheckSettings;
}
/** `errors`: the probe rejected the settings. Null: the check did not end before its deadline. */
export type CheckAnswer = Outcome | { readonly errors: InvalidInput["errors"] } | null;

/** Sent by EventBridge Scheduler. */
export interface Scheduled {
  readonly source: "schedule";
}
/** Sent when the one-machine stack starts: it may have missed timers while it was down. */
export interface Started {
  readonly source: "start";
}
/** The API requests that a new shard is planned at once. */
export interface PlanRequest {
  readonly source: "api";
  readonly shard: string;
}

/** A direct invocation of the API that makes a token, for people with AWS credentials and for the one-machine stack. */
export interface TokenRequest {
  readonly command: "create-token";
  readonly name: string;
  readonly scopes: readonly string[];
  /** Default: a new random one. One that exists already is kept, and made valid again where it was revoked. */
  readonly token?: string | undefined;
}
export interface TokenAnswer {
  readonly id: string;
  readonly token: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
}

/** A direct invocation of the API that makes a code which logs in once in place of a token, within ten minutes. */
export interface LoginCodeRequest {
  readonly command: "create-login-code";
  readonly token: string;
}
export interface LoginCodeAnswer {
  readonly code: string;
}

/** EventBridge's "CloudWatch Alarm State Change", of an alarm on Harborlight itself. */
export interface AlarmChange {
  readonly source: "aws.cloudwatch";
  readonly detail: {
    readonly alarmName: string;
    readonly configuration?: { readonly description?: string };
    readonly state: { readonly value: string; readonly reason?: string; readonly timestamp: string };
    readonly previousState?: { readonly value: string };
  };
}

export type DispatchEvent = Scheduled | PlanRequest;
export type CompactEvent = Scheduled | Started | AlarmChange;
