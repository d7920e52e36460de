/** A lost race is a return value: the condition of a write did not hold. Any other error passes through. */
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
