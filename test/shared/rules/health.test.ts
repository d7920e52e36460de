import { expect, test } from "vitest";
import type { Measured } from "../../../shared/contract/measured.ts";
import { type Assessment, assess, type Expectation } from "../../../shared/rules/health.ts";

const measured = (fields: Partial<Measured>): Measured => ({
  state: "open",
  reason: null,
  message: "seen",
  timings: { latencyMs: 10 },
  traffic: { bytesSent: 0, bytesReceived: 0 },
  evidence: {},
  ...fields,
});
const lossLimits = { degradedAbove: 20, downAbove: 60 };
const expiring = { reason: "certificate-expires-soon", message: "ends soon" } as const;

type Row = [name: string, check: Partial<Expectation>, measured: Partial<Measured>, Partial<Assessment>];
const rows: Row[] = [
  ["open", {}, {}, { health: "up", reason: null }],
  ["closed", {}, { state: "closed", reason: "connection-refused" }, { health: "down", reason: "connection-refused" }],
  ["filtered", {}, { state: "filtered", reason: "timeout" }, { health: "down", reason: "timeout" }],
  ["unresolved", {}, { state: "unresolved", reason: "name-not-found" }, { health: "down", reason: "name-not-found" }],
  ["mismatch", {}, { state: "mismatch", reason: "wrong-protocol" }, { health: "down", reason: "wrong-protocol" }],
  [
    "TLS error",
    {},
    { state: "tls-error", reason: "certificate-expired" },
    { health: "down", reason: "certificate-expired" },
  ],
  ["our own fault", {}, { state: "unmeasured", reason: "no-route" }, { health: "unknown", reason: "no-route" }],
  ["fast enough", { degradedAboveMs: 10 }, {}, { health: "up" }],
  ["slow", { degradedAboveMs: 9 }, {}, { health: "degraded", reason: "slow" }],
  ["slow by our own stall", { degradedAboveMs: 9 }, { stalled: true }, { health: "up" }],
  ["loss within limits", {}, { lossPercent: 20, lossLimits }, { health: "up" }],
  ["loss above the first", {}, { lossPercent: 33.3, lossLimits }, { health: "degraded", reason: "packet-loss" }],
  ["loss above the second", {}, { lossPercent: 66.7, lossLimits }, { health: "down", reason: "packet-loss" }],
  ["a warning", {}, { degraded: expiring }, { health: "degraded", ...expiring }],
  ["a warning and too much loss", {}, { degraded: expiring, lossPercent: 90, lossLimits }, { health: "down" }],
  ["silence", {}, { state: "open|filtered", reason: "no-answer" }, { health: "down", reason: "no-answer" }],
  ["silence, up", {}, { state: "open|filtered", silence: "up" }, { health: "up", reason: "silent" }],
  ["silence, unknown", {}, { state: "open|filtered", silence: "unknown" }, { health: "unknown", reason: "silent" }],
  [
    "closed as wanted",
    { expectedState: "closed" },
    { state: "closed", reason: "connection-refused" },
    { health: "up", reason: null },
  ],
  [
    "filtered as wanted",
    { expectedState: "closed" },
    { state: "filtered", reason: "timeout" },
    { health: "up", reason: null },
  ],
  ["open, unwanted", { expectedState: "closed" }, {}, { health: "down", reason: "unexpectedly-open" }],
  [
    "answering, unwanted",
    { expectedState: "closed" },
    { state: "mismatch" },
    { health: "down", reason: "unexpectedly-open" },
  ],
  [
    "silence, unwanted port",
    { expectedState: "closed" },
    { state: "open|filtered" },
    { health: "unknown", reason: "silent" },
  ],
  [
    "no name, unwanted port",
    { expectedState: "closed" },
    { state: "unresolved", reason: "name-not-found" },
    { health: "down" },
  ],
  ["our own fault, unwanted port", { expectedState: "closed" }, { state: "unmeasured" }, { health: "unknown" }],
];
test.each(rows)("%s", (_name, check, seen, verdict) => {
  expect(assess({ expectedState: "open", degradedAboveMs: null, ...check }, measured(seen))).toMatchObject(verdict);
});
