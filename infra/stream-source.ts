import { Duration, Validations } from "aws-cdk-lib";
import type { ITable } from "aws-cdk-lib/aws-dynamodb";
import { FilterCriteria, FilterRule, StartingPosition } from "aws-cdk-lib/aws-lambda";
import { DynamoEventSource, type DynamoEventSourceProps } from "aws-cdk-lib/aws-lambda-event-sources";
import type { NodeFunction } from "./node-function.ts";

interface StreamProps
  extends Pick<DynamoEventSourceProps, "batchSize" | "retryAttempts" | "onFailure" | "bisectBatchOnError"> {
  /** Sort keys of the items whose new versions invoke the function. */
  readonly sortKeys: readonly [string, ...string[]];
}

/**
 * Lets a table's stream invoke a function. Lambda reads streams free of charge. A stream serves two functions at most;
 * with more, its readers are throttled.
 */
export const invokeByStream = (target: NodeFunction, table: ITable, { sortKeys, ...props }: StreamProps): void => {
  target.lambda.addEventSource(
    new DynamoEventSource(table, {
      // From the stream's start, so that writes made before the mapping existed are read too.
      startingPosition: StartingPosition.TRIM_HORIZON,
      reportBatchItemFailures: true,
      maxRecordAge: Duration.hours(1),
      // Two batches of a stream shard at once; records of one item stay in order.
      parallelizationFactor: 2,
      filters: [
        FilterCriteria.filter({
          eventName: FilterRule.or("INSERT", "MODIFY"),
          dynamodb: { Keys: { sk: { S: FilterRule.or(...sortKeys) } } },
        }),
      ],
      ...props,
    }),
  );
  Validations.of(target).acknowledge({
    id: "AwsSolutions::AwsSolutions-IAM5[Resource::*]",
    reason: "dynamodb:ListStreams, which the event source mapping demands, names streams and reads none.",
  });
};
