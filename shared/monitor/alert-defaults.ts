/** Defaults of a monitor's `alerts`, apart from their schemas, which functions that only read monitors need not load. */
export const ALERT_DEFAULTS = {
  afterSeconds: 0,
  emails: [],
  degraded: true,
  minorityAfterSeconds: null,
  policies: [],
  steps: [],
  remindEverySeconds: null,
  remindAtMost: 10,
  until: "acknowledged" as const,
};
