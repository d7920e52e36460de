import { expect, test } from "vitest";
import { asSent, completed } from "../../../shared/monitor/settings.ts";

const settings = (more: object) =>
  completed({ name: "m", protocol: "https", host: "example.com", intervalSeconds: 1800, ...more }, ["a"]);

test("what was left to its default follows a changed interval, even beside a part that was given", () => {
  const before = settings({ retries: { delayMs: 10_000 } });
  expect(before.retries).toEqual({ count: 2, delayMs: 10_000 });
  expect(completed({ ...asSent(before, ["a"]), intervalSeconds: 30 }, ["a"]).retries).toEqual({
    count: 1,
    delayMs: 10_000,
  });
});

test("what was given stays, whatever it is", () => {
  for (const retries of [{}, { count: 1 }, { count: 0, delayMs: 0 }, { count: 2, delayMs: 500 }, { count: 5 }]) {
    const before = settings({ retries, timeoutMs: 4_000 });
    const sent = asSent(before, ["a"]);
    expect(completed(sent, ["a"])).toEqual(before);
    expect(completed({ ...sent, intervalSeconds: 60 }, ["a"]).retries).toMatchObject(retries);
  }
});
