/** A check that no monitor asks for: one attempt, with the defaults of everything else. */
import type { CheckSettings } from "../../shared/model.ts";

export const singleCheck = (
  what: Pick<CheckSettings, "protocol" | "host" | "port" | "timeoutMs"> & Partial<CheckSettings>,
): CheckSettings => ({
  settings: {},
  family: "auto",
  addresses: "first",
  expectedState: "open",
  retries: { count: 0, delayMs: 0 },
  degradedAboveMs: null,
  degradedAboveMsByLocation: {},
  errorRate: null,
  unusual: null,
  failureThreshold: 1,
  recoveryThreshold: 1,
  intervalSeconds: 60,
  ...what,
});
