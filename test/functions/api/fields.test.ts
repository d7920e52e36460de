/** That every field is declared once: what the document offers can be sent, is stored, and comes back. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openApiDocument } from "../../../functions/api/openapi.ts";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
/** What others can depend on. */
let parentId = "";
beforeAll(async () => {
  edge = await startEdge();
  parentId = (await create()).id;
});
afterAll(() => edge[Symbol.asyncDispose]());

interface Described {
  readonly readOnly?: boolean;
  readonly examples?: readonly unknown[];
}
interface Schemas {
  readonly HttpMonitorInput: { readonly properties: Readonly<Record<string, Described>> };
  readonly AlertsInput: Described;
  readonly RetriesInput: Described;
  readonly ChangeWatchInput: Described;
  readonly MonitorPatch: { readonly properties: Readonly<Record<string, unknown>> };
  readonly Monitor: { readonly properties: Readonly<Record<string, unknown>> };
}
const { HttpMonitorInput, AlertsInput, RetriesInput, ChangeWatchInput, MonitorPatch, Monitor } = JSON.parse(
  JSON.stringify(openApiDocument("1.2.3")),
).components.schemas as Schemas;
const NAMES = Object.entries(HttpMonitorInput.properties)
  .filter(([, { readOnly }]) => !readOnly)
  .map(([name]) => name);
/** Examples of fields whose schema is another one, or that of one protocol. */
const EXAMPLES: Readonly<Record<string, unknown>> = {
  protocol: "https",
  settings: { path: "/health" },
  alerts: AlertsInput.examples?.[0],
  retries: RetriesInput.examples?.[0],
  changeWatch: ChangeWatchInput.examples?.[0],
};
const exampleOf = (name: string) =>
  (name === "dependsOn" ? [parentId] : undefined) ?? EXAMPLES[name] ?? HttpMonitorInput.properties[name]?.examples?.[0];

const create = async () => {
  const sent = {
    name: "before",
    protocol: "http",
    host: "before.example.com",
    // The examples name the second one.
    locations: ["local", "eu-west-1"],
  };
  const { body } = await edge.call("POST", "/v1/monitors", { body: sent });
  return body as Readonly<Record<string, unknown>> & { readonly id: string };
};

test("what creates a monitor also changes and shows it", () => {
  expect(Object.keys(MonitorPatch.properties)).toEqual(Object.keys(HttpMonitorInput.properties));
  for (const name of NAMES) expect(Object.keys(Monitor.properties)).toContain(name);
});

test.each(NAMES.filter((name) => name !== "key"))(
  "PATCH %s: the example of the document is stored and read back",
  async (name) => {
    const before = await create();
    const example = exampleOf(name);
    expect(example, "an example other than what stands there").not.toEqual(before[name]);
    const patched = await edge.call("PATCH", `/v1/monitors/${before.id}`, { body: { [name]: example } });
    expect([patched.status, patched.body.errors, patched.body[name]]).toEqual([200, undefined, example]);
    const { body } = await edge.call("GET", `/v1/monitors/${before.id}`);
    expect(body[name]).toEqual(example);
    const listed = await edge.call("GET", "/v1/monitors?limit=200");
    expect(listed.body.items.find(({ id }: { id: string }) => id === before.id)[name]).toEqual(example);
  },
);

test("the key is what a monitor is created with", async () => {
  const key = exampleOf("key");
  const body = { name: "keyed", key, protocol: "http", host: "keyed.example.com" };
  const created = await edge.call("POST", "/v1/monitors", { body });
  expect([created.status, created.body.key]).toEqual([201, key]);
  expect((await edge.call("GET", `/v1/monitors/${created.body.id}`)).body.key).toBe(key);
});
