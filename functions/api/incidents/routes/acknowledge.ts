/** Route `/v1/incidents/{id}/acknowledge`: somebody takes an incident on. */
import { fields, text } from "../../../../shared/schema.ts";
import { acknowledgementView } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { presentAcknowledged } from "../../monitors/present.ts";
import { acknowledge } from "../acknowledging.ts";

const acknowledgeIncident = route({
  method: "POST",
  path: "/v1/incidents/{id}/acknowledge",
  operationId: "acknowledgeIncident",
  summary: "Acknowledge an incident",
  description:
    "Ends escalation, and reminders of policies that remind until then; whoever was told of the incident is told who has it. One that becomes worse is told anew. Acknowledging it again changes nothing.",
  scope: "write",
  body: fields({
    note: text(500, "a note")
      .nullable()
      .default(null)
      .meta({ description: "What others should know. Default none.", example: "On it" }),
  }).meta({ id: "AcknowledgeInput", description: "An acknowledgement." }),
  problems: ["not-active", "changed-meanwhile"],
  responses: {
    200: { description: "The acknowledgement, or the one that was there before.", schema: acknowledgementView },
  },
  handle: async ({ params, body: { note }, token, record }, deps) => ({
    body: presentAcknowledged(await acknowledge(deps, params.id ?? "", { by: token?.name ?? "", note }, record), token),
  }),
});

export const acknowledging: readonly Route[] = [acknowledgeIncident];
