/** Reads from stream records whose mail is to be delivered. What is to be done stands in the table, not in the records. */
import type { DynamoDBBatchResponse, DynamoDBRecord } from "aws-lambda";
import { receiverOfKey } from "../../shared/store/keys.ts";

/** @returns handles records of receivers; answers which Lambda has to deliver again */
export const createRecordHandler =
  (deliverTo: (receivers: Iterable<string>) => Promise<readonly string[]>) =>
  async (records: readonly DynamoDBRecord[]): Promise<DynamoDBBatchResponse> => {
    const newest = new Map(
      records.map(({ dynamodb }) => [receiverOfKey(dynamodb?.Keys?.pk?.S ?? ""), dynamodb?.SequenceNumber ?? ""]),
    );
    const failed = await deliverTo(newest.keys());
    return { batchItemFailures: failed.map((receiver) => ({ itemIdentifier: newest.get(receiver) ?? "" })) };
  };
