/**
 * Metrics that an alarm watches, by the function that writes them. Function and alarm share the name, because an alarm
 * on a name that nobody writes never rings.
 */
export const ALARMED_METRICS = {
  api: "LoginsFailed",
  compact: "CompactionLagDays",
  deliver: "AlertsUndeliverable",
} as const;
