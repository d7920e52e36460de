/** Routes `/`, `/v1` and `/favicon.ico`: what a person who opens the API's address in a browser asks for. */
import { z } from "zod";
import { type Route, route } from "../route.ts";

const text = (version: string) => `Harborlight ${version} watches TCP and UDP ports. This is its API.

/v1/openapi.json   every call, field and answer (OpenAPI 3.1)
/v1/health         whether the monitoring works

All other calls need a token: send the header Authorization: Bearer hl_<id>_<secret>
`;

const landing = (path: "/" | "/v1", operationId: string) =>
  route({
    method: "GET",
    path,
    operationId,
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

/** A lighthouse. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#0b5394" d="M6 6h4l1 9H5z"/><path fill="#f1c232" d="M6 2h4v4H6zM0 1l5 2v2L0 7zM16 1l-5 2v2l5 2z"/></svg>`;

const favicon = route({
  method: "GET",
  path: "/favicon.ico",
  operationId: "getIcon",
  summary: "Icon for browsers",
  scope: null,
  responses: {
    200: { description: "The icon.", schema: z.string(), contentTypes: ["image/svg+xml"], example: ICON },
  },
  handle: async () => ({
    body: ICON,
    headers: { "content-type": "image/svg+xml", "cache-control": "public, max-age=86400" },
  }),
});

export const landings: readonly Route[] = [landing("/", "getRoot"), landing("/v1", "getVersionRoot"), favicon];
