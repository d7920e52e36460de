import { RemovalPolicy, Validations } from "aws-cdk-lib";
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
  type TableProps,
} from "aws-cdk-lib/aws-dynamodb";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import { historyTableName, monitorsTableName } from "./names.ts";

const text = (name: string) => ({ name, type: AttributeType.STRING });

/** What a check needs of a monitor, and nothing else: a shard of 250 is read in one or two pages. */
const CHECK_ATTRIBUTES = [
  "id",
  "protocol",
  "host",
  "port",
  "settings",
  "family",
  "addresses",
  "expectedState",
  "timeoutMs",
  "retries",
  "degradedAboveMs",
  "failureThreshold",
  "recoveryThreshold",
  "intervalSeconds",
  "locations",
  "paused",
  "settingsVersion",
  "settingsChangedAt",
  "placements",
  "deletedAt",
];

/** What both tables share: kept when the stack goes, and paid by use. */
const KEPT = {
  partitionKey: text("pk"),
  sortKey: text("sk"),
  billingMode: BillingMode.PAY_PER_REQUEST,
  timeToLiveAttribute: "expiresAtSeconds",
  removalPolicy: RemovalPolicy.RETAIN,
  deletionProtection: true,
} satisfies TableProps;

/** The two tables; shared/store/keys.ts says what lives under which key. */
export class Tables extends Construct {
  readonly monitors: Table;
  readonly history: Table;

  constructor(scope: Construct, id: string, appId: string, encryptionKey?: IKey) {
    super(scope, id);
    // Without a key of the account's the tables are encrypted with one that belongs to DynamoDB, for nothing.
    const encryption = encryptionKey && { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey };
    this.monitors = new Table(this, "Monitors", {
      ...KEPT,
      ...encryption,
      tableName: monitorsTableName(appId),
      // What people set up: recoverable to any second of the last 35 days.
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
    });
    this.monitors.addGlobalSecondaryIndex({
      indexName: "by-shard",
      partitionKey: text("shard"),
      sortKey: text("pk"),
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: CHECK_ATTRIBUTES,
    });
    this.monitors.addGlobalSecondaryIndex({
      indexName: "due",
      partitionKey: text("dueBucket"),
      sortKey: text("nextEvaluationAt"),
      projectionType: ProjectionType.KEYS_ONLY,
    });
    this.monitors.addGlobalSecondaryIndex({
      indexName: "look-by",
      partitionKey: text("lookBucket"),
      sortKey: text("lookBy"),
      projectionType: ProjectionType.KEYS_ONLY,
    });
    this.monitors.addGlobalSecondaryIndex({
      indexName: "listing",
      partitionKey: text("collection"),
      sortKey: text("collectionKey"),
      projectionType: ProjectionType.ALL,
    });
    this.history = new Table(this, "History", { ...KEPT, ...encryption, tableName: historyTableName(appId) });
    Validations.of(this.history).acknowledge({
      id: "AwsSolutions::AwsSolutions-DDB3",
      reason:
        "History is written once and never changed, and the table cannot be deleted by accident; recovery to a point in time would add $0.20 a GB and month to the $0.25 that storage costs.",
    });
  }
}
