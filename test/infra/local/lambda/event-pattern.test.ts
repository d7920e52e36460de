import { describe, expect, test } from "vitest";
import { matchesPattern, type Pattern, parsePattern } from "../../../../infra/local/lambda/event-pattern.ts";

const record = {
  eventName: "MODIFY",
  dynamodb: {
    Keys: { pk: { S: "MONITOR#a" }, sk: { S: "MONITOR" } },
    NewImage: { size: { N: "5" }, list: ["x", "y"] },
  },
  count: 5,
  nothing: null,
};

describe("a pattern", () => {
  test.for([
    [{}, true],
    [{ eventName: ["INSERT", "MODIFY"] }, true],
    [{ eventName: ["REMOVE"] }, false],
    [{ dynamodb: { Keys: { pk: { S: [{ prefix: "MONITOR#" }] }, sk: { S: ["MONITOR"] } } } }, true],
    [{ dynamodb: { Keys: { pk: { S: [{ prefix: "SHARD" }] } } } }, false],
    [{ dynamodb: { Keys: { pk: { S: [{ suffix: "#a" }] } } } }, true],
    [{ dynamodb: { Keys: { pk: { S: [{ "equals-ignore-case": "monitor#A" }] } } } }, true],
    [{ dynamodb: { Keys: { pk: { S: [{ wildcard: "MON*#?" }] } } } }, false],
    [{ dynamodb: { Keys: { pk: { S: [{ wildcard: "MON*#*" }] } } } }, true],
    [{ dynamodb: { NewImage: { list: ["y"] } } }, true],
    [{ dynamodb: { NewImage: { list: ["z"] } } }, false],
    [{ dynamodb: { OldImage: { size: { N: [{ exists: false }] } } } }, true],
    [{ dynamodb: { NewImage: { size: { N: [{ exists: true }] } } } }, true],
    [{ eventName: [{ "anything-but": ["REMOVE"] }] }, true],
    [{ eventName: [{ "anything-but": { prefix: "MOD" } }] }, false],
    [{ missing: [{ "anything-but": ["x"] }] }, false],
    [{ count: [{ numeric: [">", 4, "<", 6] }] }, true],
    [{ count: [{ numeric: ["=", 4] }] }, false],
    [{ count: ["5"] }, false],
    [{ nothing: [null] }, true],
    [{ $or: [{ count: [4] }, { eventName: ["MODIFY"] }] }, true],
    [{ $or: [{ count: [4] }, { eventName: ["REMOVE"] }] }, false],
  ] as [Pattern, boolean][])("%j matches: %s", ([pattern, expected]) => {
    expect(matchesPattern(pattern, record)).toBe(expected);
  });

  test("with an operator that is not known is refused, not ignored", () => {
    expect(() => parsePattern('{"a":[{"cidr":"10.0.0.0/8"}]}')).toThrow(/unknown comparison operator/);
    expect(() => parsePattern('{"a":"b"}')).toThrow(/must be a list or an object/);
  });
});
