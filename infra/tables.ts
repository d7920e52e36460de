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

/**
 * What a check needs of a monitor, and no name that grows with the product: a projection takes 20 names and can never be
 * changed. What is checked is one map, and so is what each location believes.
 */
const MEMBER_ATTRIBUTES = [
  "check",
  "beliefs",
  "paused",
  "settingsVersion",
  "settingsChangedAt",
  "placements",
  "deletedAt",
];

/** Indexes that hold keys alone, by name, with the attributes of their keys; shared/store/keys.ts says what they answer. */
const KEY_INDEXES = {
  due: ["dueBucket", "nextEvaluationAt"],
  "look-by": ["lookBucket", "lookBy"],
  listed: ["listBucket", "listKey"],
  attention: ["attentionBucket", "attentionKey"],
  changed: ["changedBucket", "changedAt"],
} as const;
export type MonitorsIndex = "members" | keyof typeof KEY_INDEXES;

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
      // Whoever reads the stream reads the item itself: an image would be history by the time it arrives.
      stream: StreamViewType.KEYS_ONLY,
    });
    this.monitors.addGlobalSecondaryIndex({
      indexName: "members",
      partitionKey: text("shard"),
      sortKey: text("pk"),
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: MEMBER_ATTRIBUTES,
    });
    for (const [indexName, [partitionKey, sortKey]] of Object.entries(KEY_INDEXES))
      this.monitors.addGlobalSecondaryIndex({
        indexName,
        partitionKey: text(partitionKey),
        sortKey: text(sortKey),
        projectionType: ProjectionType.KEYS_ONLY,
      });
    this.history = new Table(this, "History", { ...KEPT, ...encryption, tableName: historyTableName(appId) });
    Validations.of(this.history).acknowledge({
      id: "AwsSolutions::AwsSolutions-DDB3",
      reason:
        "History is written once and never changed, and the table cannot be deleted by accident; recovery to a point in time would add $0.20 a GB and month to the $0.25 that storage costs.",
    });
  }
}
