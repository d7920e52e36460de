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

/** How changes of what its service says of itself are watched. */
export const CHANGE_WATCH_DEFAULTS = { mode: "learn", expect: {}, severity: "warning", rules: {} } as const;
