/** Optimistic locking: turns a failed condition of a write into a return value. Any other error passes through. */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";

/** @returns whether the conditional write took place */
export async function unlessRaced(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
