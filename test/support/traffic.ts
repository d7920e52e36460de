/**
 * Traffic of five kinds of switch ports over weeks, for measuring how often the usual range raises a false alarm. Deterministic by seed.
 *
 * All are driven by local time, which changes by an hour in week 20, and have noise that lasts (autoregressive, of 10 to 60 minutes).
 */
import { DAY_SECONDS, HOUR_SECONDS } from "../../shared/durations.ts";
import { randomFrom } from "./noise.ts";

const WEEK_SECONDS = 7 * DAY_SECONDS;
/** A Monday, 00:00 UTC. */
export const FIRST_MONDAY = 1_795_132_800 + 3 * DAY_SECONDS;
const CLOCK_CHANGE = FIRST_MONDAY + 20 * WEEK_SECONDS;

const MB = 1e6;
const KB = 1e3;

export const PORT_KINDS = ["office", "homes", "backup", "server", "idle"] as const;
export type PortKind = (typeof PORT_KINDS)[number];

/** Bytes a second at moments that only ever grow. */
export function trafficOf(kind: PortKind, seed: number): (second: number) => number {
  const random = randomFrom(seed);
  /** Roughly normal, of deviation 1. */
  const normal = () => (random() + random() + random() + random() - 2) * Math.sqrt(3);
  let [noise, lastAt, burstUntil, burst, day, start, length] = [0, 0, 0, 1, -1, 0, 0];
  /** Noise of a deviation that keeps its value for about so long. */
  const lasting = (second: number, deviation: number, keptSeconds: number) => {
    const kept = Math.exp(-Math.max(0, second - lastAt) / keptSeconds);
    noise = kept * noise + Math.sqrt(1 - kept * kept) * normal();
    lastAt = second;
    return Math.exp(deviation * noise);
  };
  /** A bell over the day around an hour. */
  const bell = (hour: number, around: number, width: number) => {
    const apart = Math.abs(((hour - around + 36) % 24) - 12);
    return Math.exp(-((apart / width) ** 2));
  };
  const bursting = (second: number, chance: number, size: () => number, seconds: () => number) => {
    if (second >= burstUntil && random() < chance) [burst, burstUntil] = [size(), second + seconds()];
    return second < burstUntil ? burst : 0;
  };

  return (second) => {
    const local = second + (second >= CLOCK_CHANGE ? HOUR_SECONDS : 0);
    const hour = (local % DAY_SECONDS) / HOUR_SECONDS;
    const today = Math.floor(local / DAY_SECONDS);
    const weekday = (today + 3) % 7;
    switch (kind) {
      case "office": {
        const work = weekday < 5 ? bell(hour, 10.5, 2.5) + bell(hour, 14.5, 3) : 0.05 * bell(hour, 13, 4);
        return (0.2 * MB + 12 * MB * work) * lasting(second, 0.3, 1_200) * (0.6 + 0.8 * random());
      }
      case "homes": {
        const evening = (weekday < 5 ? 1 : 1.3) * bell(hour, 20.5, 3.5) + 0.2;
        const films = bursting(
          second,
          0.02,
          () => 4 * MB * random() ** -0.4,
          () => 600 + 3_000 * random(),
        );
        return 2 * MB * evening * lasting(second, 0.45, 1_800) * (0.4 + 1.2 * random()) + films * evening;
      }
      case "backup": {
        // Each night at about two, for about an hour.
        if (today !== day) [day, start, length] = [today, 2 + normal() / 12, 0.9 + 0.25 * normal()];
        const isOn = hour >= start && hour < start + length;
        return (isOn ? 60 * MB : 0.1 * MB) * lasting(second, 0.25, 900) * (0.7 + 0.6 * random());
      }
      case "server": {
        const growth = 1.01 ** ((second - FIRST_MONDAY) / WEEK_SECONDS);
        const deployment = bursting(
          second,
          0.0002,
          () => 20 * MB,
          () => 240,
        );
        return 8 * MB * growth * (0.7 + 0.5 * bell(hour, 15, 6)) * lasting(second, 0.15, 3_600) + deployment;
      }
      case "idle":
        return (
          2 * KB * random() +
          bursting(
            second,
            0.001,
            () => 300 * KB * random(),
            () => 60 + 120 * random(),
          )
        );
    }
  };
}
