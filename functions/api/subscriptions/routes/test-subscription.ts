/** Route `POST /v1/subscriptions/{id}/test`: sends a message that is marked as a test. */
import { PublishCommand } from "@aws-sdk/client-sns";
import { z } from "zod";
import { confirmedArns } from "../../../../shared/alerts/subscribers.ts";
import { show } from "../../../../shared/issues.ts";
import { inParallel } from "../../../../shared/parallel.ts";
import { Problem } from "../../http/problem.ts";
import { type Route, route } from "../../http/route.ts";
import { yes } from "../../http/schemas.ts";
import { attributesOf, readId } from "../sns.ts";
import { passesPolicy, policyOf, testMessage, valuesFor } from "../test-message.ts";

const ATTRIBUTES_AT_ONCE = 10;

const testedView = z
  .object({
    messageId: z
      .string()
      .meta({ description: "Id of the message in SNS.", example: "f2000d5e-5ed5-4d6c-9d1b-0c1f0a3f5b7e" }),
    others: z.int().meta({ description: "How many other subscriptions it reaches.", example: 0 }),
  })
  .meta({ id: "TestedSubscription", description: "A test message that was sent." });

export const testSubscription: Route = route({
  method: "POST",
  path: "/v1/subscriptions/{id}/test",
  operationId: "testSubscription",
  summary: "Send a test message to a subscription",
  description:
    "The message says that it is a test, and has `event` `test` where the filter allows. SNS publishes to a topic, so it also reaches other subscriptions that its attributes pass: it is refused if there are any, unless `others=true`.",
  scope: "write",
  query: z.strictObject({ others: yes().describe("Send it although it reaches other subscriptions too.") }),
  responses: { 200: { description: "Handed to SNS.", schema: testedView } },
  problems: ["not-confirmed", "reaches-others"],
  handle: async ({ params, query, token, record }, { sns, topics }) => {
    const id = params.id ?? "";
    const place = readId(id, topics);
    const attributes = place && (await attributesOf(sns, place.arn));
    if (!place || !attributes) throw new Problem("not-found", `there is no subscription ${show(id)}`);
    if (attributes.PendingConfirmation === "true")
      throw new Problem("not-confirmed", "the receiver has not confirmed the subscription: it gets no messages yet");
    const topicArn = topics[place.topic];
    const values = valuesFor(policyOf(attributes.FilterPolicy));
    let others = 0;
    const arns = await confirmedArns(sns, topicArn);
    arns.delete(place.arn);
    await inParallel(arns, ATTRIBUTES_AT_ONCE, async (arn) => {
      const other = await attributesOf(sns, arn);
      if (other && passesPolicy(policyOf(other.FilterPolicy), values)) others++;
    });
    if (others > 0 && !query.others)
      throw new Problem(
        "reaches-others",
        `the test also reaches ${others} other subscriptions: send others=true to allow it`,
      );
    const { MessageId: messageId = "" } = await sns.send(
      new PublishCommand(testMessage(topicArn, values, token?.name ?? "")),
    );
    await record([{ resource: id, name: null, changes: { tested: [false, true] } }]);
    return { body: { messageId, others } };
  },
});
