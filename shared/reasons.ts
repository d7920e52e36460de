/**
 * Stable reason codes of checks, views and incidents. The index of a code is stored in blocks: append only, never
 * reorder or remove.
 */
export const REASONS = [
  // the path and the port
  "connection-refused",
  "connection-reset",
  "timeout",
  "host-unreachable",
  "network-unreachable",
  "prohibited",
  "port-unreachable",
  "no-answer",
  // names
  "name-not-found",
  "name-has-no-address",
  "name-server-failure",
  "name-timeout",
  // what was said
  "wrong-protocol",
  "unexpected-answer",
  "service-unavailable",
  "connection-closed",
  "incomplete-answer",
  "answer-too-long",
  "unexpectedly-open",
  // TLS
  "tls-handshake-failed",
  "tls-not-offered",
  "tls-version",
  "certificate-expired",
  "certificate-not-yet-valid",
  "certificate-wrong-host",
  "certificate-self-signed",
  "certificate-unknown-issuer",
  "certificate-weak",
  // degraded
  "slow",
  "packet-loss",
  "certificate-expires-soon",
  "address-down",
  "poor-quality",
  // our own fault: always with the state `unmeasured`
  "too-many-open-files",
  "no-route",
  "address-family-unavailable",
  "resolver-unavailable",
  "cut-short",
  // the rules
  "address-not-allowed",
  "silent",
  // not checked on purpose
  "paused",
  // the last checks taken together
  "failures-frequent",
  // sweeps of ports
  "port-closed",
  "answers-everywhere",
  // accounts
  "wrong-credentials",
  // interfaces of devices
  "link-down",
  "link-flapping",
  "utilisation-high",
  "errors-high",
  "discards-high",
  "duplex-mismatch",
  "speed-fell",
  // the usual range
  "unusual",
] as const;
export type Reason = (typeof REASONS)[number];
