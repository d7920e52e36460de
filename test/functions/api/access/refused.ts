/** By operation: bodies that a token limited to `team=orders` is refused, and the field that is wrong. */
export const REFUSED: Readonly<Record<string, readonly (readonly [object, string])[]>> = {
  createMonitor: [
    [{ name: "x", protocol: "tcp", host: "127.0.0.1", port: 1 }, "tags"],
    [{ name: "x", protocol: "tcp", host: "127.0.0.1", port: 1, tags: { team: "payments" } }, "tags"],
  ],
  applyMonitors: [
    [{ monitors: [{ key: "new", name: "x", protocol: "tcp", host: "127.0.0.1", port: 1 }] }, "monitors[0].tags"],
    [
      {
        monitors: [{ key: "payments", name: "x", protocol: "tcp", host: "h.ch", port: 1, tags: { team: "orders" } }],
      },
      "monitors[0].key",
    ],
  ],
  createPolicy: [
    [{ name: "x", steps: [{ afterSeconds: 0, channels: ["sns"] }] }, "match.tags"],
    [{ name: "x", match: { tags: {} }, steps: [{ afterSeconds: 0, channels: ["sns"] }] }, "match.tags"],
    [
      { name: "x", match: { tags: { team: "payments" } }, steps: [{ afterSeconds: 0, channels: ["sns"] }] },
      "match.tags",
    ],
  ],
  createMaintenanceWindow: [
    [{ name: "x", all: true, schedule: { kind: "once", durationSeconds: 60 } }, "tags"],
    [{ name: "x", tags: { team: "payments" }, schedule: { kind: "once", durationSeconds: 60 } }, "tags"],
  ],
  createSubscription: [
    [{ kind: "http", endpoint: "http://h.ch" }, "filter.tags"],
    [{ kind: "http", endpoint: "http://h.ch", topic: "system" }, "filter.tags"],
    [{ kind: "http", endpoint: "http://h.ch", filter: { monitorIds: ["x"] } }, "filter.tags"],
    [{ kind: "http", endpoint: "http://h.ch", filter: { tags: ["team=orders", "team=payments"] } }, "filter.tags"],
  ],
};
