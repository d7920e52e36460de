/** Time budget of calls that write many monitors. */
import type { Context } from "aws-lambda";
import type { Deps } from "../deps.ts";

/** Ends well before API Gateway gives up (30 s) and before the function does. */
const MAX_MS = 25_000;
const RESERVED_MS = 4_000;

/** @returns whether there is time for another round of writes */
export const timeLeft = ({ now }: Pick<Deps, "now">, context: Pick<Context, "getRemainingTimeInMillis">) => {
  const until = now().getTime() + Math.min(MAX_MS, context.getRemainingTimeInMillis() - RESERVED_MS);
  return () => now().getTime() < until;
};
