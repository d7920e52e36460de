/** Route `/v1/openapi.json`: the OpenAPI document. */
import { z } from "zod";
import { type Route, route } from "../route.ts";

/** For what only a new version changes. It may be kept by anybody for an hour, and is then asked for by its ETag. */
export const CACHED = "public, max-age=3600";
const openApiView = z
  .record(z.string(), z.unknown())
  .meta({ id: "OpenApiDocument", description: "An OpenAPI document.", example: { openapi: "3.1.1" } });

export const openapi: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/openapi.json",
    operationId: "getOpenApi",
    summary: "This document",
    scope: null,
    responses: { 200: { description: "OpenAPI 3.1.", schema: openApiView } },
    handle: async (_call, deps) => ({
      body: await deps.openapi(),
      headers: { "content-type": "application/json", "cache-control": CACHED },
    }),
  }),
];
