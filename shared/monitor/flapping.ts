/** The schema of a monitor's `flapping`: its marks. */
import { whole } from "../schema.ts";

export const flappingShape = {
  highPercent: whole(1, 100, " percent").describe(
    "It starts to flap when its status changed at so many of the last 20 checks, recent ones counting more. Default 30.",
  ),
  lowPercent: whole(0, 99, " percent").describe(
    "It has settled when the share has fallen to this. Default two thirds of `highPercent`: 20.",
  ),
};
/** Fills in the marks of flap detection: Nagios' defaults for services, and its distance between the two. */
export const flappingMarks = ({ highPercent = 30, lowPercent }: { highPercent?: number; lowPercent?: number }) => ({
  highPercent,
  lowPercent: lowPercent ?? Math.floor((highPercent * 2) / 3),
});
