/** The API with monitors to create and change. */
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { monitorKey, shardKey } from "../../../../shared/store/keys.ts";
import { type Edge, startEdge } from "../edge.ts";

export let edge: Edge;
/** Starts the API before the tests of the calling file, and stops it after them. */
export const useEdge = (): void => {
  beforeAll(async () => {
    edge = await startEdge();
  });
  afterAll(() => edge[Symbol.asyncDispose]());
  beforeEach(() => {
    edge.calls.jobs.length = 0;
    edge.calls.plans.length = 0;
    edge.outside.isDown = false;
  });
};

export const minimal = { name: "Orders", protocol: "tcp", host: "127.0.0.1", port: 5432 };
export const create = async (more: Record<string, unknown> = {}, headers: Record<string, string> = {}) => {
  const answer = await edge.call("POST", "/v1/monitors", { body: { ...minimal, ...more }, headers });
  edge.calls.jobs.length = 0;
  edge.calls.plans.length = 0;
  return answer;
};
export const at = (id: string) => `/v1/monitors/${id}`;
export const item = async (id: string) => (await edge.stored("monitors", `MONITOR#${id}`))[0];
export const view = {
  health: "down",
  state: "closed",
  reason: "connection-refused",
  message: "refused",
  address: null,
  facts: null,
  evidence: {},
};

/** What the other functions write: a view, a decision. */
export const write = (id: string, fields: Record<string, unknown>) =>
  edge.client.send(
    new UpdateCommand({
      TableName: edge.tables.monitors,
      Key: monitorKey(id),
      UpdateExpression: `SET ${Object.keys(fields)
        .map((name) => `#${name} = :${name}`)
        .join(", ")} ADD revision :one`,
      ExpressionAttributeNames: Object.fromEntries(Object.keys(fields).map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ":one": 1,
        ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [`:${name}`, value])),
      },
    }),
  );

/** As dispatch leaves a shard once it has planned it. */
export const planned = (shard: string, ...locations: string[]) =>
  edge.client.send(
    new UpdateCommand({
      TableName: edge.tables.monitors,
      Key: shardKey(shard),
      UpdateExpression: "SET planned = :planned",
      ExpressionAttributeValues: { ":planned": Object.fromEntries(locations.map((location) => [location, 1])) },
    }),
  );
