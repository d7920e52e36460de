import { expect, test } from "vitest";
import { alarmNotice } from "../../../functions/compact/alarm-news.ts";

const change = (value: string, before?: string) =>
  alarmNotice({
    source: "aws.cloudwatch",
    detail: {
      alarmName: "h-AlarmsDispatchSilent",
      configuration: { description: "Dispatch has not run." },
      state: {
        value,
        reason: "1 datapoint [0] was less than the threshold.",
        timestamp: "2026-11-28T00:00:00.000+0000",
      },
      ...(before && { previousState: { value: before } }),
    },
  });

test("an alarm is told with its description and reason; topic system has it already", () => {
  expect(change("ALARM", "OK")?.entry.content).toEqual({
    kind: "system",
    event: "system.alarm",
    about: "alarm.h-AlarmsDispatchSilent",
    subject: "Alarm h-AlarmsDispatchSilent",
    message: "Dispatch has not run. 1 datapoint [0] was less than the threshold.",
    isPublished: true,
  });
});

test("its end is told of the same incident", () => {
  expect(change("OK", "ALARM")?.entry.content).toMatchObject({
    event: "system.alarm-ended",
    about: "alarm.h-AlarmsDispatchSilent",
  });
});

test.each([
  ["OK", "INSUFFICIENT_DATA"],
  ["OK", undefined],
  ["INSUFFICIENT_DATA", "ALARM"],
])("%s after %s is not told: nobody heard of a beginning, or it is no end", (value, before) => {
  expect(change(value, before)).toBeUndefined();
});
