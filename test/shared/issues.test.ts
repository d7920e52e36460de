import { expect, test } from "vitest";
import { z } from "zod";
import { inOurWords, pathText } from "../../shared/issues.ts";
import { fields } from "../../shared/schema.ts";

const rows: [z.ZodType, unknown, string][] = [
  [z.string(), undefined, "is required"],
  [z.string(), 5, "must be text"],
  [z.int(), 1.5, "must be a whole number"],
  [z.array(z.string()), "x", "must be a list"],
  [z.strictObject({}), [], "must be an object"],
  [z.string().min(1), "", "must not be empty"],
  [z.string().max(1), "xx", "must be at most 1 character"],
  [z.array(z.string()).min(2), ["x"], "must be at least 2 entries"],
  [z.int().min(1).max(20), 21, "must be at most 20"],
  [z.enum(["a", "b"]), "c", 'must be one of "a", "b"'],
  [z.literal("a"), "c", 'must be "a"'],
  [z.enum(["a", "b"]), undefined, "is required"],
  [fields({}), undefined, "is required: a JSON object"],
  [fields({}), 5, "must be a JSON object, got 5"],
];
test.each(rows)("%# says what would have been right", (schema, input, message) => {
  expect(schema.safeParse(input, { error: inOurWords }).error?.issues[0]?.message).toBe(message);
});

test("a schema's own words come first", () => {
  const schema = z.string({ error: "must be a name" });
  expect(schema.safeParse(5, { error: inOurWords }).error?.issues[0]?.message).toBe("must be a name");
});

test("paths read as people write them", () => {
  expect(pathText(["alerts", "emails", 0])).toBe("alerts.emails[0]");
  expect(pathText(["port"], "monitors[3]")).toBe("monitors[3].port");
});
