/** Sends through an AWS service, and judges its errors. */
import { type Answer, delivered, refused } from "./answer.ts";

const INVALID = new Set([
  "InvalidParameter",
  "InvalidParameterException",
  "InvalidParameterValue",
  "InvalidParameterValueException",
]);

/**
 * Whether a request is invalid, so that a retry cannot help. Throttling, 5xx, denied access and misconfiguration may
 * pass.
 */
export const isInvalidParameter = ({ name }: Error) => INVALID.has(name);

/** Turns the result of a call of AWS into an answer. @param isPermanent whether a retry after this error cannot help */
export const answerOf = async (sent: Promise<unknown>, isPermanent = isInvalidParameter): Promise<Answer> => {
  try {
    const { MessageId } = ((await sent) ?? {}) as { readonly MessageId?: string };
    return delivered(MessageId ? `accepted as ${MessageId}` : "accepted");
  } catch (error) {
    const { name, message } = error as Error;
    return refused(`${name}: ${message}`, { isPermanent: isPermanent(error as Error) });
  }
};
