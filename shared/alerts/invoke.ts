/** Invokes Lambda functions for alert channel `lambda`. Apart from the other clients, for functions that invoke none. */
import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import type { Outside } from "./channels/channel.ts";

export const invokeBy =
  (lambda: Pick<LambdaClient, "send">): NonNullable<Outside["invoke"]> =>
  ({ functionArn, payload }, abortSignal) =>
    lambda.send(
      new InvokeCommand({ FunctionName: functionArn, InvocationType: "Event", Payload: Buffer.from(payload) }),
      { abortSignal },
    );
