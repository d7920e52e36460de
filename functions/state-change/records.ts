/** Reads the keys of stream records. Their images are not used: they may be outdated by the time they arrive. */
import type { DynamoDBRecord } from "aws-lambda";
import type { ItemKey } from "../../shared/model.ts";

export const keyOf = ({ dynamodb }: DynamoDBRecord): ItemKey => ({
  pk: dynamodb?.Keys?.pk?.S ?? "",
  sk: dynamodb?.Keys?.sk?.S ?? "",
});

/** The last record of each item: an item is read once for several changes, and never processed twice concurrently. */
export function newestOfEachItem(records: readonly DynamoDBRecord[]): DynamoDBRecord[] {
  const newest = new Map<string, DynamoDBRecord>();
  for (const record of records) {
    const { pk, sk } = keyOf(record);
    newest.delete(`${pk} ${sk}`); // to the end: failures are reported in the stream's order
    newest.set(`${pk} ${sk}`, record);
  }
  return [...newest.values()];
}
