/**
 * Alert channel `lambda`: invokes a function of the account with the alert as its event, without waiting for its end;
 * Lambda itself tries a failing function again twice. Off by default: the deployment names the functions that may be
 * invoked. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
 */
import * as z from "zod/mini";
import { FUNCTION_ARN } from "../../function-arn.ts";
import { refused } from "./answer.ts";
import type { Channel, Outside } from "./channel.ts";
import { matching, shown } from "./fields.ts";
import { answerOf } from "./refusals.ts";

interface Invocation {
  readonly functionArn: string;
  readonly payload: string;
}

const isListed = (functionArn: string, { alertFunctions = [] }: Outside) => alertFunctions.includes(functionArn);
const NOT_LISTED = "is not among the functions that this deployment may invoke (context `alertFunctions`)";

const PERMANENT = new Set(["ResourceNotFoundException", "RequestTooLargeException", "InvalidParameterValueException"]);

export const lambda: Channel<{ readonly functionArn: string }, Invocation> = {
  title: "Lambda function",
  summary: "Invokes a Lambda function with each alert.",
  reference: "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html",
  audience: "machines",
  opensIncidents: true,
  needs: "the ARNs of the functions (context `alertFunctions`)",
  rate: null,
  settings: z.strictObject({
    functionArn: shown(matching(FUNCTION_ARN, "the ARN of a Lambda function"), "ARN of the function."),
  }),
  example: { functionArn: "arn:aws:lambda:eu-central-1:123456789012:function:on-alert" },
  isSetUp: ({ invoke, alertFunctions = [] }) => invoke !== undefined && alertFunctions.length > 0,
  errorsHere: ({ functionArn }, outside) =>
    isListed(functionArn, outside) ? [] : [{ path: "functionArn", message: NOT_LISTED }],
  render: (alert, { functionArn }) => ({ functionArn, payload: JSON.stringify(alert) }),
  send: async (invocation, outside, signal) => {
    const { invoke } = outside;
    if (!invoke || !isListed(invocation.functionArn, outside))
      return refused(`${invocation.functionArn} ${NOT_LISTED}`, { isPermanent: true });
    return answerOf(invoke(invocation, signal), ({ name }) => PERMANENT.has(name));
  },
};
