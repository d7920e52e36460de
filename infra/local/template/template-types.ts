/**
 * What CloudFormation answers to `Ref` and `Fn::GetAtt`, by resource type (from each type's page, "Return values").
 * A type or attribute that is missing here is an error when a template uses it: a guess would surface far away.
 */
import { streamArn } from "../dynamodb/table-definition.ts";

/** What the names of a resource are made of. */
export interface Named {
  readonly name: string;
  /** Account and region as in the ARNs: `us-east-1:000000000000`. */
  readonly place: string;
  readonly gatewayUrl: string;
  readonly apiUrl: string;
  readonly account: string;
  readonly region: string;
}

export interface TypeRules {
  /** Property that holds the physical name; without it, or when it is not set, a name is derived. */
  readonly nameProperty?: string;
  readonly ref: (named: Named) => string;
  readonly attributes: Readonly<Record<string, (named: Named) => string>>;
}

type Arn = (named: Named) => string;

const name = (named: Named) => named.name;
const arnOf =
  (service: string, prefix = ""): Arn =>
  (named) =>
    `arn:aws:${service}:${named.place}:${prefix}${named.name}`;
const iamArn =
  (kind: string): Arn =>
  (named) =>
    `arn:aws:iam::${named.account}:${kind}/${named.name}`;
const byName = (nameProperty: string, arn?: Arn, attributes: TypeRules["attributes"] = {}): TypeRules => ({
  nameProperty,
  ref: name,
  attributes: arn ? { Arn: arn, ...attributes } : attributes,
});
const byArn = (nameProperty: string, arn: Arn, attributes: TypeRules["attributes"] = {}): TypeRules => ({
  nameProperty,
  ref: arn,
  attributes,
});
/** Resources that only have an id; the derived name serves. */
const byId = (attributes: TypeRules["attributes"] = {}): TypeRules => ({ ref: name, attributes });

const table = byName("TableName", arnOf("dynamodb", "table/"), {
  StreamArn: (named) => streamArn(arnOf("dynamodb", "table/")(named)),
});
const topicArn = arnOf("sns");
const queueUrl = (named: Named) => `${named.gatewayUrl}/${named.account}/${named.name}`;

const TYPES: Readonly<Record<string, TypeRules>> = {
  "AWS::ApiGatewayV2::Api": byId({ ApiId: name, ApiEndpoint: ({ apiUrl }) => apiUrl }),
  "AWS::ApiGatewayV2::Integration": byId({ IntegrationId: name }),
  "AWS::ApiGatewayV2::Route": byId({ RouteId: name }),
  "AWS::ApiGatewayV2::Stage": byName("StageName"),
  "AWS::CloudWatch::Alarm": byName("AlarmName", arnOf("cloudwatch", "alarm:")),
  "AWS::CloudWatch::CompositeAlarm": byName("AlarmName", arnOf("cloudwatch", "alarm:")),
  "AWS::CloudWatch::Dashboard": byName("DashboardName"),
  "AWS::DynamoDB::GlobalTable": table,
  "AWS::DynamoDB::Table": table,
  "AWS::Events::Rule": byName("Name", arnOf("events", "rule/")),
  "AWS::IAM::ManagedPolicy": byArn("ManagedPolicyName", iamArn("policy"), { PolicyArn: iamArn("policy") }),
  "AWS::IAM::Policy": byName("PolicyName"),
  "AWS::IAM::Role": byName("RoleName", iamArn("role"), { RoleId: name }),
  "AWS::KMS::Alias": byName("AliasName"),
  "AWS::KMS::Key": byId({ Arn: arnOf("kms", "key/"), KeyId: name }),
  "AWS::Lambda::EventInvokeConfig": byId(),
  "AWS::Lambda::EventSourceMapping": byId({
    Id: name,
    EventSourceMappingArn: arnOf("lambda", "event-source-mapping:"),
  }),
  "AWS::Lambda::Function": byName("FunctionName", arnOf("lambda", "function:")),
  "AWS::Lambda::Permission": byId({ Id: name }),
  "AWS::Logs::LogGroup": byName("LogGroupName", (named) => `${arnOf("logs", "log-group:")(named)}:*`),
  "AWS::Logs::MetricFilter": byName("FilterName"),
  "AWS::S3::Bucket": byName("BucketName", ({ name: bucket }) => `arn:aws:s3:::${bucket}`),
  "AWS::SES::ConfigurationSet": byName("Name"),
  "AWS::SES::EmailIdentity": byName("EmailIdentity", arnOf("ses", "identity/")),
  "AWS::SNS::Subscription": byId(),
  "AWS::SNS::Topic": byArn("TopicName", topicArn, { TopicArn: topicArn, TopicName: name }),
  "AWS::SNS::TopicPolicy": byId(),
  "AWS::SQS::Queue": {
    nameProperty: "QueueName",
    ref: queueUrl,
    attributes: { Arn: arnOf("sqs"), QueueName: name, QueueUrl: queueUrl },
  },
  "AWS::SQS::QueuePolicy": byId(),
  "AWS::SSM::Parameter": byName("Name"),
  "AWS::Scheduler::Schedule": byName("Name", arnOf("scheduler", "schedule/default/")),
  "AWS::Scheduler::ScheduleGroup": byName("Name", arnOf("scheduler", "schedule-group/")),
};

export const typeRules = (type: string): TypeRules | undefined => TYPES[type];
