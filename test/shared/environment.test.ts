import { expect, test } from "vitest";
import { readEnvironment } from "../../shared/environment.ts";

const location = {
  name: "eu",
  region: "eu-west-1",
  kind: "public",
  families: ["ipv4"],
  port25: false,
  jobsQueueUrl: "https://sqs.eu-west-1.amazonaws.com/1/jobs-eu",
  probeFunctionName: "probe-eu",
};
const STATE_CHANGE = {
  MONITORS_TABLE: "monitors",
  HISTORY_TABLE: "history",
  LOCATIONS: JSON.stringify([location]),
  RETENTION: JSON.stringify({ blockDays: 14, rosterDays: 15, chunkDays: 400, dayMonths: 25 }),
  ALERTS_TOPIC_ARN: "arn:alerts",
  PEOPLE_TOPIC_ARN: "arn:people",
  SYSTEM_TOPIC_ARN: "arn:system",
  API_URL: "https://api.example.com",
};

test("variables come parsed; others of the process are left out", () => {
  expect(readEnvironment("state-change", { ...STATE_CHANGE, DYNAMODB_TIMEOUT_MS: "30000", PATH: "/bin" })).toEqual({
    ...STATE_CHANGE,
    LOCATIONS: [location],
    RETENTION: { blockDays: 14, rosterDays: 15, chunkDays: 400, dayMonths: 25 },
    DYNAMODB_TIMEOUT_MS: 30_000,
  });
});

test.each([
  [{ MONITORS_TABLE: undefined }, "MONITORS_TABLE is required"],
  [{ API_URL: "" }, "API_URL must not be empty"],
  [{ LOCATIONS: undefined }, "LOCATIONS is required"],
  [{ LOCATIONS: "[" }, "LOCATIONS must be JSON"],
  [{ LOCATIONS: "{}" }, "LOCATIONS must be a list"],
  [{ LOCATIONS: JSON.stringify([location, { ...location, region: undefined }]) }, "LOCATIONS[1].region is required"],
  [{ LOCATIONS: JSON.stringify([{ ...location, families: ["ipv5"] }]) }, "LOCATIONS[0].families[0] must be one of"],
  [{ DYNAMODB_TIMEOUT_MS: "soon" }, "DYNAMODB_TIMEOUT_MS must be a"],
  [{ DYNAMODB_TIMEOUT_MS: "-1" }, "DYNAMODB_TIMEOUT_MS must be more than 0"],
  [{ HISTORY_TABLE: undefined, ALERT_SENDER: "" }, "HISTORY_TABLE is required; ALERT_SENDER must not be empty"],
])("the start fails with %j, and the error names what is wrong", (change, message) => {
  expect(() => readEnvironment("state-change", { ...STATE_CHANGE, ...change })).toThrow(
    `the environment of state-change is wrong: ${message}`,
  );
});
