import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Facts } from "../../../../shared/model.ts";
import { CHANGE_WATCH_DEFAULTS } from "../../../../shared/monitor/alert-defaults.ts";
import { observe } from "../../../../shared/rules/facts.ts";
import { START, view, World } from "./fixture.ts";

const OLD: Facts = { "ssh.hostKey.ssh-ed25519": "SHA256:old", "ssh.software": "OpenSSH_9.2p1" };
const NEW: Facts = { ...OLD, "ssh.hostKey.ssh-ed25519": "SHA256:new" };
const heard = ({ received }: World) =>
  received.filter(({ receiver }) => receiver === "sns").map(({ at, alert }) => `${at} ${alert.event}`);
const states = ({ changes }: World) => changes.map(({ key, value, state }) => `${key}=${value} ${state}`);

/** A monitor whose three first checks from `a` have made its baseline. */
const worldOf = (more: ConstructorParameters<typeof World>[0] = {}, facts = OLD) => {
  const world = new World({ locations: ["a"], ...more });
  for (const name of world.monitor.locations) world.hear(10, name, facts, 3);
  return world;
};

test("another host key is told once, at the second check that sees it", () => {
  const world = worldOf();
  expect(world.monitor.baseline).toMatchObject({ learned: ["a"], values: { "ssh.software": ["OpenSSH_9.2p1"] } });
  world.hear(100, "a", NEW, 20);
  world.rest(300);
  expect(heard(world)).toEqual(["111 changed"]);
  expect(world.alerts()[0]).toMatchObject({
    alertId: `m1.changes.${START + 111_000}.1`,
    severity: "warning",
    status: "up",
    message: "SSH host key (ssh-ed25519) is now SHA256:new, not SHA256:old",
    incidentState: "open",
    changes: [{ changeId: expect.stringMatching(/^m1\.[0-9a-f]{12}$/), from: ["SHA256:old"], to: "SHA256:new" }],
  });
  expect(states(world)).toEqual(["ssh.hostKey.ssh-ed25519=SHA256:new open"]);
  // Nobody is down, and nothing is recorded as trouble.
  expect([world.monitor.status, world.incidents.size]).toEqual(["up", 0]);
});

test("one that somebody accepts is told to those who heard of it, and is expected from then on", () => {
  const world = worldOf();
  world.hear(100, "a", NEW, 5);
  world.accept(200, undefined, "new machine");
  world.hear(210, "a", NEW, 5);
  expect(heard(world)).toEqual(["111 changed", "201 change-accepted"]);
  expect(world.alerts()[1]).toMatchObject({
    severity: "info",
    incidentId: world.alerts()[0]!.incidentId,
    incidentState: "ended",
    message: "SSH host key (ssh-ed25519) is now SHA256:new, not SHA256:old: ann accepted it: new machine",
  });
  expect(world.monitor.baseline).toMatchObject({ changes: {}, advisory: null });
  // The old key is not right any more.
  world.hear(300, "a", OLD, 5);
  expect(heard(world).slice(2)).toEqual(["311 changed"]);
});

test("one that goes away by itself is told as reverted", () => {
  const world = worldOf();
  world.hear(100, "a", NEW, 5);
  world.hear(200, "a", OLD, 5);
  expect(heard(world)).toEqual(["111 changed", "221 change-reverted"]);
  expect(states(world)).toEqual([
    "ssh.hostKey.ssh-ed25519=SHA256:new open",
    "ssh.hostKey.ssh-ed25519=SHA256:new reverted",
  ]);
});

test("three locations that see the same make one alert; it has reverted when none of them sees it", () => {
  const world = worldOf({ locations: ["a", "b", "c"] });
  for (const name of ["a", "b", "c"]) world.hear(100, name, NEW, 5);
  for (const name of ["a", "b"]) world.hear(200, name, OLD, 5);
  expect(heard(world)).toEqual(["111 changed"]);
  world.hear(200, "c", OLD, 5);
  expect(heard(world)).toEqual(["111 changed", "221 change-reverted"]);
});

test("two changes at once are one alert; it ends when the last of them does", () => {
  const world = worldOf({}, { a: "1", b: "1" });
  world.hear(100, "a", { a: "2", b: "2" }, 5);
  expect(heard(world)).toEqual(["111 changed"]);
  expect(world.alerts()[0]).toMatchObject({ message: "a is now 2, not 1; b is now 2, not 1" });
  world.accept(200);
  expect(world.alerts().at(-1)).toMatchObject({ event: "change-accepted", incidentState: "open" });
  world.hear(300, "a", { a: "2", b: "1" }, 5);
  expect(world.alerts().at(-1)).toMatchObject({ event: "change-reverted", incidentState: "ended" });
});

describe("nobody is told", () => {
  test.each<readonly [string, Facts, Facts]>([
    ["of an update", { software: "Exim 4.96" }, { software: "Exim 4.97" }],
    [
      "of a renewed key of the certificate",
      { "tls.spki": "a", "tls.issuer": "R" },
      { "tls.spki": "b", "tls.issuer": "R" },
    ],
    ["of a web server that hides its version", { "http.server": "nginx/1.18.0" }, { "http.server": "nginx" }],
  ])("%s, which is recorded", (_, before, after) => {
    const world = worldOf({}, before);
    world.hear(100, "a", after, 5);
    expect([heard(world), states(world).map((text) => text.split(" ").at(-1))]).toEqual([[], ["recorded"]]);
  });

  test("of servers that answer in turn, from the beginning on", () => {
    const world = new World({ locations: ["a"] });
    for (let at = 10; at < 400; at += 20) {
      world.hear(at, "a", OLD);
      world.hear(at + 10, "a", NEW);
    }
    const { writes } = world;
    world.hear(400, "a", OLD);
    world.hear(410, "a", NEW);
    expect([heard(world), states(world), world.writes]).toEqual([[], [], writes]);
  });

  test("of a value that differs at each check", () => {
    const world = worldOf({}, { "http.header.x": "0" });
    for (let check = 1; check < 30; check++) world.hear(100 + 10 * check, "a", { "http.header.x": String(check) });
    expect(heard(world)).toEqual([]);
  });

  test("of one check alone that saw another server", () => {
    const world = worldOf();
    world.hear(100, "a", NEW);
    world.hear(110, "a", OLD, 10);
    expect(heard(world)).toEqual([]);
  });

  test("where a rule says so", () => {
    const world = worldOf({ changeWatch: { ...CHANGE_WATCH_DEFAULTS, rules: { "ssh.*": "record" } } });
    world.hear(100, "a", NEW, 5);
    expect([heard(world), states(world)]).toEqual([[], ["ssh.hostKey.ssh-ed25519=SHA256:new recorded"]]);
  });

  test("where changes are not watched, and nothing is kept", () => {
    const world = worldOf({ changeWatch: { ...CHANGE_WATCH_DEFAULTS, mode: "off" } });
    world.hear(100, "a", NEW, 5);
    expect([heard(world), world.monitor.baseline]).toEqual([[], null]);
  });
});

describe("it is told later", () => {
  test("what came with a recovery, after that", () => {
    const world = worldOf();
    world.see(60, "a", "down");
    world.hear(100, "a", NEW, 5);
    expect(heard(world)).toEqual(["61 down", "101 recovered", "111 changed"]);
  });

  test("during maintenance, at its end, if it is still there", () => {
    const world = worldOf();
    world.maintenanceUntil = (_, now) => (now.getTime() < START + 1_000_000 ? START + 1_000_000 : null);
    world.hear(100, "a", NEW, 5);
    world.rest(200);
    expect(heard(world)).toEqual(["1000 changed"]);
  });

  test("from a location that is offline, when it works again", () => {
    const world = worldOf({ locations: ["a", "b"] });
    world.conditions.b = "offline";
    world.hear(100, "b", NEW, 5);
    expect(heard(world)).toEqual([]);
    world.conditions.b = "working";
    world.look(200);
    expect(heard(world)).toEqual(["200 changed"]);
  });
});

describe("it stays open", () => {
  test("while the location that saw it has no view, because the settings changed", () => {
    const world = worldOf();
    world.hear(100, "a", NEW, 5);
    world.edit(200, { timeoutMs: 999 });
    expect(world.monitor.views).toEqual({});
    world.rest(201);
    expect(heard(world)).toEqual(["111 changed"]);
    world.hear(300, "a", NEW, 5);
    expect(heard(world)).toEqual(["111 changed"]);
  });

  test("while the port is down", () => {
    const world = worldOf();
    world.hear(100, "a", NEW, 5);
    world.see(200, "a", "down");
    world.hear(300, "a", NEW, 3);
    expect(heard(world)).toEqual(["111 changed", "201 down", "301 recovered"]);
  });
});

test.each([
  ["deleted", (world: World) => world.delete(200)],
  ["changed to another host", (world: World) => world.edit(200, { host: "192.0.2.9" })],
  [
    "told to watch no changes",
    (world: World) => world.edit(200, { changeWatch: { ...CHANGE_WATCH_DEFAULTS, mode: "off" } }),
  ],
])("a monitor that is %s closes what was told", (_, end) => {
  const world = worldOf();
  world.hear(100, "a", NEW, 5);
  end(world);
  world.rest(202);
  expect(heard(world)).toEqual(["111 changed", "201 closed"]);
  expect(world.alerts()[1]).toMatchObject({ incidentState: "ended", incidentId: world.alerts()[0]!.incidentId });
});

test("a value that comes and goes twice before anything is delivered is recorded twice", () => {
  const world = worldOf();
  const listen = (at: number, facts: Facts) => {
    for (let check = 0; check < 4; check++) {
      const tick = at + 10 * check;
      const seen = observe(world.monitor.views.a!.facts!, facts, tick);
      world.write({ views: { a: { ...world.monitor.views.a!, facts: seen } } });
      world.look(tick, { deliver: false });
    }
  };
  for (const at of [100, 200]) {
    listen(at, NEW);
    listen(at + 50, OLD);
  }
  world.look(300);
  expect(states(world).map((text) => text.split(" ").at(-1))).toEqual(["open", "reverted", "open", "reverted"]);
});

test("the first checks of another target may come before the decision about it", () => {
  const world = worldOf();
  world.hear(100, "a", NEW, 5);
  const facts = observe(observe(observe(null, OLD, 301), OLD, 302), OLD, 303);
  const views = { a: { ...view("up", 303), facts } };
  world.write({ host: "192.0.2.9", target: { ...world.monitor.target, version: 2, reason: "changed" }, views });
  world.look(310);
  expect(heard(world)).toEqual(["111 changed", "310 closed"]);
  expect(world.monitor).toMatchObject({ unsettledSince: null, baseline: { target: { host: "192.0.2.9" } } });
});

test("the end of what is watched names only what was told", () => {
  const world = worldOf();
  world.hear(100, "a", NEW, 5);
  world.maintenanceUntil = () => START + 1_000_000;
  world.hear(200, "a", { ...NEW, "ssh.software": "dropbear" }, 5);
  world.edit(300, { changeWatch: { ...CHANGE_WATCH_DEFAULTS, mode: "off" } });
  expect(heard(world)).toEqual(["111 changed", "301 closed"]);
  expect(world.alerts()[1]?.changes?.map(({ key }) => key)).toEqual(["ssh.hostKey.ssh-ed25519"]);
});

test("another target has a baseline of its own; a pause keeps it", () => {
  const world = worldOf();
  world.edit(100, { host: "192.0.2.9" });
  world.hear(110, "a", NEW, 5);
  expect([heard(world), world.monitor.baseline!.values["ssh.hostKey.ssh-ed25519"]]).toEqual([[], ["SHA256:new"]]);
  world.edit(200, { paused: true });
  world.edit(210, { paused: false });
  world.hear(300, "a", OLD, 5);
  expect(heard(world)).toEqual(["311 changed"]);
});

test("whatever happens, each change that is told is told once, and what was told has one end", () => {
  const step = fc.tuple(
    fc.constantFrom("hear", "down", "accept", "offline", "working", "look"),
    fc.constantFrom("a", "b"),
    fc.constantFrom("1", "2", "3"),
  );
  const run = (steps: readonly (readonly [string, string, string])[]) => {
    const world = worldOf({ locations: ["a", "b"] }, { k: "1" });
    let at = 100;
    for (const [what, location, value] of steps) {
      if (what === "hear") at = world.hear(at, location, { k: value }, 4);
      else if (what === "down") world.see(at, location, "down");
      else if (what === "offline" || what === "working") world.conditions[location] = what;
      else if (what === "accept" && Object.keys(world.monitor.baseline?.changes ?? {}).length > 0) world.accept(at);
      else world.look(at);
      at += 100;
    }
    world.delete(at);
    world.rest(at + 2);
    const open = new Map<string, boolean>();
    for (const { event, incidentId, incidentState, changes = [] } of world.alerts()) {
      if (changes.length === 0) continue;
      for (const { changeId, to } of changes) {
        const isOpen = open.get(changeId) ?? false;
        if (isOpen !== (event !== "changed"))
          throw new Error(`${event} of ${to}, which is ${isOpen ? "open" : "not open"}`);
        open.set(changeId, event === "changed");
      }
      const left = [...open.values()].filter(Boolean).length;
      expect([incidentId, incidentState]).toEqual([incidentId, left === 0 ? "ended" : "open"]);
    }
    expect([...open.values()].filter(Boolean)).toEqual([]);
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), run), { numRuns: 300 });
});
