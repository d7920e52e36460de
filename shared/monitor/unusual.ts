/** The schema of a monitor's `unusual`: which measures are compared with their usual range. */
import type { MeasureName } from "../measures/usual.ts";
import { oneOf } from "../schema.ts";

const sensitivity = oneOf(["off", "low", "normal", "high"]).meta({
  id: "UnusualSensitivity",
  description:
    "How far outside of its usual range a measure is unusual: `low` 6, `normal` 5, `high` 4 spreads. A spread is 20 % at least, and more where the measure varies by itself.",
});

export const unusualShape = {
  latency: sensitivity.describe("Latency that is higher than usual. Default off."),
  loss: sensitivity.describe(
    "Share of datagrams lost that is higher than usual; needs `settings.packets`. Default off.",
  ),
  inBytes: sensitivity.describe(
    "Bytes that an interface receives, more or less than usual; only for `interfaces`. Default off.",
  ),
  outBytes: sensitivity.describe("Bytes that an interface sends. Default off."),
  inPackets: sensitivity.describe("Packets that an interface receives. Default off."),
  outPackets: sensitivity.describe("Packets that an interface sends. Default off."),
} satisfies Record<MeasureName, typeof sensitivity>;

/** What is watched where nothing is said. */
export const UNUSUAL_OFF = {
  latency: "off",
  loss: "off",
  inBytes: "off",
  outBytes: "off",
  inPackets: "off",
  outPackets: "off",
} as const;
