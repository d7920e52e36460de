import { expect, test } from "vitest";
import { keyOf, newestOfEachItem } from "../../../functions/state-change/records.ts";

test("of several records of one item only the newest is looked at, in the stream's order", () => {
  const record = (pk: string, sequence: string) =>
    ({ dynamodb: { Keys: { pk: { S: pk }, sk: { S: "MONITOR" } }, SequenceNumber: sequence } }) as never;
  const newest = newestOfEachItem([record("a", "1"), record("b", "2"), record("a", "3")]);
  expect(newest.map((one) => [keyOf(one).pk, one.dynamodb?.SequenceNumber])).toEqual([
    ["b", "2"],
    ["a", "3"],
  ]);
});
