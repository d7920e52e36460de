/**
 * The permissions that a request needs: action, resource and condition keys (Service Authorization Reference). A request may need several (one for each table of a batch); it is allowed when all of them are.
 */
import { AwsError } from "../http-server/aws-error.ts";
import { ACCOUNT, REGION } from "../template/template.ts";
import type { Decision, Permission } from "./iam.ts";

export type Service = "dynamodb" | "sqs" | "sns" | "ses" | "lambda";

/** The request's input: the JSON body, the form's fields, or for Lambda `FunctionName` and `Qualifier` of the path. */
export type Input = Readonly<Record<string, unknown>>;

/** Looks up the default configuration set of an SES identity, which the input lacks. */
type ConfigurationSetOf = (address: string) => string | undefined;

/** @throws {AwsError} when the input lacks the field that names the resource */
export function requiredPermissions(
  service: Service,
  operation: string,
  input: Input,
  configurationSetOf: ConfigurationSetOf = () => undefined,
): Permission[] {
  return REQUIRED[service](operation, input, configurationSetOf);
}

const text = (input: Input, field: string): string => {
  const value = input[field];
  if (typeof value === "string" && value !== "") return value;
  throw new AwsError("ValidationException", `${field} is required`);
};

const named = (service: Service, kind: string, name: string) =>
  name.startsWith("arn:") ? name : `arn:aws:${service}:${REGION}:${ACCOUNT}:${kind}${name}`;

const dynamodb = (operation: string, input: Input): Permission[] => {
  const action = `dynamodb:${operation}`;
  const table = (name: string) => named("dynamodb", "table/", name);
  if (operation === "ListTables" || operation === "ListStreams") return [{ action, resource: "*" }];
  if (operation.startsWith("Batch")) {
    return Object.keys((input.RequestItems ?? {}) as object).map((name) => ({ action, resource: table(name) }));
  }
  if (operation.startsWith("Transact")) {
    const parts = ((input.TransactItems ?? []) as Record<string, Input>[]).flatMap((part) => Object.entries(part));
    return parts.map(([kind, part]) => ({
      action: `dynamodb:${kind === "ConditionCheck" ? "ConditionCheckItem" : `${kind}Item`}`,
      resource: table(text(part, "TableName")),
    }));
  }
  if (input.StreamArn !== undefined) return [{ action, resource: text(input, "StreamArn") }];
  const index = input.IndexName === undefined ? "" : `/index/${text(input, "IndexName")}`;
  return [{ action, resource: table(text(input, "TableName")) + index }];
};

const sqs = (operation: string, input: Input): Permission[] => {
  // A batch needs the permission of its single form; there are no actions of its own.
  const action = `sqs:${operation.replace(/Batch$/, "")}`;
  if (operation === "ListQueues") return [{ action, resource: `arn:aws:sqs:${REGION}:${ACCOUNT}:*` }];
  const name = operation === "GetQueueUrl" ? text(input, "QueueName") : text(input, "QueueUrl").split("/").at(-1)!;
  return [{ action, resource: named("sqs", "", name) }];
};

const sns = (operation: string, input: Input): Permission[] => {
  const action = `sns:${operation.replace(/Batch$/, "")}`;
  if (operation === "ListTopics" || operation === "ListSubscriptions") return [{ action, resource: "*" }];
  // The resource of a subscription is its topic: its ARN without the last part.
  if (input.SubscriptionArn !== undefined) {
    return [{ action, resource: text(input, "SubscriptionArn").split(":").slice(0, 6).join(":") }];
  }
  if (operation === "Publish" && input.PhoneNumber !== undefined) return [{ action, resource: "*" }];
  const resource = text(input, input.TopicArn === undefined ? "TargetArn" : "TopicArn");
  if (operation !== "Subscribe") return [{ action, resource }];
  return [
    {
      action,
      resource,
      context: { "sns:Protocol": text(input, "Protocol"), "sns:Endpoint": text(input, "Endpoint") },
    },
  ];
};

/** The bare address of `Name <address>`. */
const addressOf = (header: string) => /<([^<>]+)>\s*$/.exec(header)?.[1] ?? header.trim();

const ses = (operation: string, input: Input, configurationSetOf: ConfigurationSetOf): Permission[] => {
  const action = `ses:${operation}`;
  if (operation !== "SendEmail" && operation !== "SendRawEmail") return [{ action, resource: "*" }];
  const source = input.Source === undefined ? fromOfRawMessage(input) : text(input, "Source");
  const address = addressOf(source);
  const recipients = Object.entries(input)
    .filter(([field]) => /^Destinations?\./.test(field))
    .map(([, value]) => addressOf(String(value)));
  const context = { "ses:FromAddress": address, "ses:Recipients": recipients, "ses:ApiVersion": "1" };
  const set =
    input.ConfigurationSetName === undefined ? configurationSetOf(address) : text(input, "ConfigurationSetName");
  const resources = [
    named("ses", "identity/", address),
    ...(set === undefined ? [] : [named("ses", "configuration-set/", set)]),
  ];
  return resources.map((resource) => ({ action, resource, context }));
};

function fromOfRawMessage(input: Input): string {
  const message = Buffer.from(text(input, "RawMessage.Data"), "base64").toString("latin1");
  const from = /^From:\s*(.+)$/im.exec(message.split(/\r?\n\r?\n/, 1)[0]!)?.[1];
  if (from) return from.trim();
  throw new AwsError("InvalidParameterValue", "Missing required header 'From'.");
}

const lambda = (operation: string, input: Input): Permission[] => {
  const qualifier = input.Qualifier === undefined ? "" : `:${text(input, "Qualifier")}`;
  const action = operation === "Invoke" ? "lambda:InvokeFunction" : `lambda:${operation}`;
  return [{ action, resource: named("lambda", "function:", text(input, "FunctionName")) + qualifier }];
};

const REQUIRED: Readonly<
  Record<Service, (operation: string, input: Input, configurationSetOf: ConfigurationSetOf) => Permission[]>
> = { dynamodb, sqs, sns, ses, lambda };

/** The permissions that Lambda's poller needs from the function's role (Developer Guide, "execution role permissions" of each source). */
export function permissionsOfEventSource(sourceArn: string): Permission[] {
  const service = sourceArn.split(":")[2];
  const on = (resource: string, ...actions: string[]): Permission[] =>
    actions.map((action) => ({ action: `${service}:${action}`, resource }));
  if (service === "sqs") return on(sourceArn, "ReceiveMessage", "DeleteMessage", "GetQueueAttributes");
  if (service === "dynamodb") {
    return [...on(sourceArn, "DescribeStream", "GetRecords", "GetShardIterator"), ...on("*", "ListStreams")];
  }
  throw new Error(`no event source is known for ${sourceArn}`);
}

/** Error code and HTTP status of a denial, by service. */
const DENIALS: Readonly<Record<Service, { code: string; status: number }>> = {
  dynamodb: { code: "AccessDeniedException", status: 400 },
  sqs: { code: "AccessDeniedException", status: 400 },
  sns: { code: "AuthorizationError", status: 403 },
  ses: { code: "AccessDenied", status: 403 },
  lambda: { code: "AccessDeniedException", status: 403 },
};

/** @param role ARN of the role @param session name of the session: Lambda takes the function's name */
export function denial(
  service: Service,
  role: string,
  session: string,
  permission: Permission,
  decision: Decision,
): AwsError {
  const { code, status } = DENIALS[service];
  const user = `arn:aws:sts::${ACCOUNT}:assumed-role/${role.slice(role.lastIndexOf("/") + 1)}/${session}`;
  const why =
    decision === "explicitly-denied"
      ? "with an explicit deny in an identity-based policy"
      : `because no identity-based policy allows the ${permission.action} action`;
  const message = `User: ${user} is not authorized to perform: ${permission.action} on resource: ${permission.resource} ${why}`;
  return new AwsError(code, message, { status });
}
