/** Route `/v1`: what a person who opens the API's address in a browser reads. */
import { z } from "zod";
import { type Route, route } from "../route.ts";

const text = (
  version: string,
) => `Harborlight ${version} watches TCP and UDP ports. This is its API; the dashboard is at /.

/v1/openapi.json   every call, field and answer (OpenAPI 3.1)
/v1/health         whether the monitoring works

All other calls need a token: send the header Authorization: Bearer hl_<id>_<secret>
`;

const landing = route({
  method: "GET",
  path: "/v1",
  operationId: "getVersionRoot",
  summary: "What this is, in a few words",
  scope: null,
  responses: {
    200: { description: "For people.", schema: z.string(), contentTypes: ["text/plain"], example: text("0.1.0") },
  },
  handle: async (_call, { version }) => ({
    body: text(version),
    headers: { "content-type": "text/plain; charset=utf-8" },
  }),
});

export const landings: readonly Route[] = [landing];
