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
import { INDEX_KEYS, type MonitorsIndex, PROJECTED } from "../shared/store/indexes.ts";
import { historyTableName, monitorsTableName } from "./names.ts";

const text = (name: string) => ({ name, type: AttributeType.STRING });

/** Properties of both tables: retained when the stack is deleted, billed on demand, with a TTL. */
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
    // Without a key of the account, DynamoDB encrypts with a key of its own, free of charge.
    const encryption = encryptionKey && { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey };
    this.monitors = new Table(this, "Monitors", {
      ...KEPT,
      ...encryption,
      tableName: monitorsTableName(appId),
      // Settings that people made can be restored as of any second of the last 35 days.
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // Keys only: consumers read the item itself, because an image may be outdated when it arrives.
      stream: StreamViewType.KEYS_ONLY,
    });
    for (const [indexName, [partitionKey, sortKey]] of Object.entries(INDEX_KEYS)) {
      const projected = PROJECTED[indexName as MonitorsIndex];
      this.monitors.addGlobalSecondaryIndex({
        indexName,
        partitionKey: text(partitionKey),
        sortKey: text(sortKey),
        ...(projected
          ? { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...projected] }
          : { projectionType: ProjectionType.KEYS_ONLY }),
      });
    }
    this.history = new Table(this, "History", { ...KEPT, ...encryption, tableName: historyTableName(appId) });
    Validations.of(this.history).acknowledge({
      id: "AwsSolutions::AwsSolutions-DDB3",
      reason:
        "History is written once and never changed, and the table cannot be deleted by accident; recovery to a point in time would add $0.20 a GB and month to the $0.25 that storage costs.",
    });
  }
}
