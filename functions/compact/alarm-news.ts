/**
 * Makes of an alarm of CloudWatch what policies tell. The alarm itself notifies topic `system`, also when our functions
 * fail, so this is told beside it. Pure.
 */
import { DAY_SECONDS } from "../../shared/durations.ts";
import type { AlarmChange } from "../../shared/payloads.ts";
import type { Notice } from "../../shared/store/mailbox.ts";

/** EventBridge may deliver an event twice, within a day ("Event retry policy", EventBridge User Guide). */
const REPEATED_WITHIN_SECONDS = DAY_SECONDS;

/** @returns undefined for what tells nobody anything: an alarm that is new, or lacks data */
export function alarmNotice({ detail }: AlarmChange): Notice | undefined {
  const { alarmName, configuration, state, previousState } = detail;
  const isEnd = state.value === "OK" && previousState?.value === "ALARM";
  if (!isEnd && state.value !== "ALARM") return undefined;
  const name = `alarm#${alarmName}#${state.timestamp}`;
  const text = [configuration?.description, state.reason].filter(Boolean).join(" ");
  return {
    name,
    entry: {
      key: `system#${name}`,
      content: {
        kind: "system",
        event: isEnd ? "system.alarm-ended" : "system.alarm",
        about: `alarm.${alarmName}`,
        subject: isEnd ? `Alarm ${alarmName} has ended` : `Alarm ${alarmName}`,
        message: text || `CloudWatch says ${state.value}.`,
        isPublished: true,
      },
      receivers: ["system"],
    },
    keptSeconds: REPEATED_WITHIN_SECONDS,
  };
}
