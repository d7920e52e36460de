/** What a monitor's service is expected to say of itself: by its settings, by hand, and learned anew. */
import { describe, expect, test } from "vitest";
import type { Facts } from "../../../../shared/model.ts";
import { CHANGE_WATCH_DEFAULTS } from "../../../../shared/monitor/alert-defaults.ts";
import { iso, World } from "./fixture.ts";

const OLD: Facts = { "ssh.hostKey.ssh-ed25519": "SHA256:old", "ssh.software": "OpenSSH_9.2p1" };
const NEW: Facts = { ...OLD, "ssh.hostKey.ssh-ed25519": "SHA256:new" };
const expecting = (expect: Readonly<Record<string, readonly string[]>>) => ({
  ...CHANGE_WATCH_DEFAULTS,
  mode: "expect" as const,
  expect,
});
const heard = ({ received }: World) =>
  received.filter(({ receiver }) => receiver === "sns").map(({ at, alert }) => `${at} ${alert.event}`);

/** A monitor whose three first checks find these facts. */
const worldOf = (more: ConstructorParameters<typeof World>[0] = {}, facts = OLD) => {
  const world = new World({ locations: ["a"], ...more });
  for (const name of world.monitor.locations) world.hear(10, name, facts, 3);
  return world;
};
const set = (world: World, at: number, values: Readonly<Record<string, readonly string[]>>) => {
  world.write({ baseline: { ...world.monitor.baseline!, values }, lookBy: iso(at + 90) });
  world.look(at + 1);
};

describe("values of the settings", () => {
  const pinned = { changeWatch: expecting({ "ssh.software": ["OpenSSH_9.1"] }) };

  test("are expected from the first checks on, and not even an update is right; other facts are learned", () => {
    const world = worldOf(pinned);
    expect(heard(world)).toEqual(["31 changed"]);
    expect(world.alerts()[0]?.changes).toMatchObject([
      { key: "ssh.software", from: ["OpenSSH_9.1"], to: "OpenSSH_9.2p1" },
    ]);
    world.hear(100, "a", NEW, 5);
    expect(heard(world)).toEqual(["31 changed", "111 changed"]);
  });

  test("that now include what the service says end the change", () => {
    const world = worldOf(pinned);
    world.edit(100, { changeWatch: expecting({ "ssh.software": ["OpenSSH_9.2p1"] }) });
    expect(heard(world)).toEqual(["31 changed", "101 change-accepted"]);
    expect(world.alerts()[1]).toMatchObject({ message: expect.stringContaining("it is expected now") });
    expect(world.monitor.baseline!.values["ssh.software"]).toEqual(["OpenSSH_9.2p1"]);
  });

  test("stay expected beside a value that is accepted, until the settings change", () => {
    const world = worldOf(pinned);
    world.accept(100);
    expect(world.monitor.baseline!.values["ssh.software"]).toEqual(["OpenSSH_9.1", "OpenSSH_9.2p1"]);
    world.edit(200, { changeWatch: expecting({ "ssh.software": ["OpenSSH_9.0"] }) });
    expect(heard(world)).toEqual(["31 changed", "101 change-accepted", "201 changed"]);
    expect(world.monitor.baseline!.values["ssh.software"]).toEqual(["OpenSSH_9.0"]);
  });

  test("are still expected when the settings no longer name them, like what was learned", () => {
    const world = worldOf({ changeWatch: expecting({ "ssh.software": ["OpenSSH_9.2p1"] }) });
    world.edit(100, { changeWatch: CHANGE_WATCH_DEFAULTS });
    expect([heard(world), world.monitor.baseline!.values["ssh.software"]]).toEqual([[], ["OpenSSH_9.2p1"]]);
  });

  test("are kept where there is no room for what was learned", () => {
    const world = new World({ locations: ["a", "b", "c"], changeWatch: expecting({ "x.pinned": ["p".repeat(200)] }) });
    for (const location of ["a", "b", "c"]) {
      const facts: Record<string, string> = { "x.pinned": "p".repeat(200) };
      for (let key = 0; key < 6; key++) facts[`x.k${key}`] = `${location}${key}`.repeat(90);
      for (let check = 0; check < 2; check++) world.hear(10, location, facts, 3);
    }
    world.hear(200, "a", { "x.pinned": "other" }, 3);
    expect(heard(world)).toEqual(["211 changed"]);
  });
});

test("a fact that has no room in the baseline is not watched", () => {
  const world = new World({ locations: ["a", ..."bcdefghijklmnop"] });
  for (const name of world.monitor.locations) world.conditions[name] = "working";
  // 16 locations each see other values: more than 6 KB of them.
  const seen = (location: string) =>
    Object.fromEntries([..."123456"].map((key) => [`x.k${key}`, location.repeat(190)]));
  for (const location of world.monitor.locations) world.hear(10, location, seen(location), 3);
  const [unwatched] = Object.entries(world.monitor.baseline!.values).find(([, list]) => list.length === 0)!;
  const before = heard(world).length;
  world.hear(100, "p", { ...seen("p"), [unwatched]: "other" }, 3);
  expect(heard(world).slice(before)).toEqual([]);
});

describe("set by hand", () => {
  test("what the service says and is not in it is a change; what is in it is none any more", () => {
    const world = worldOf();
    world.hear(100, "a", NEW, 5);
    set(world, 200, { ...world.monitor.baseline!.values, "ssh.hostKey.ssh-ed25519": ["SHA256:new"] });
    expect(heard(world)).toEqual(["111 changed", "201 change-accepted"]);
    set(world, 300, { "ssh.hostKey.ssh-ed25519": ["SHA256:other"], "ssh.software": ["OpenSSH_9.2p1"] });
    expect(heard(world).slice(2)).toEqual(["301 changed"]);
  });
});

describe("learned anew", () => {
  const forget = (world: World, at: number) => {
    world.write({ baseline: { ...world.monitor.baseline!, isForgotten: true }, lookBy: iso(at + 90) });
    world.look(at + 1);
  };

  test("it is what the service says now, and those who heard of a change hear of its end", () => {
    const world = worldOf();
    world.hear(100, "a", NEW, 5);
    forget(world, 200);
    expect(heard(world)).toEqual(["111 changed", "201 closed"]);
    expect(world.monitor.baseline).toMatchObject({
      learned: ["a"],
      values: { "ssh.hostKey.ssh-ed25519": ["SHA256:new"] },
      changes: {},
    });
    world.hear(300, "a", OLD, 5);
    expect(heard(world).slice(2)).toEqual(["311 changed"]);
  });

  test("it is learned later where a location has no view", () => {
    const world = worldOf();
    world.edit(100, { timeoutMs: 999 });
    forget(world, 110);
    expect(world.monitor.baseline).toBeNull();
    world.hear(200, "a", NEW, 5);
    expect([heard(world), world.monitor.baseline!.values["ssh.hostKey.ssh-ed25519"]]).toEqual([[], ["SHA256:new"]]);
  });
});

test("a location that joins does not make an open change right", () => {
  const world = worldOf({ locations: ["a"] });
  world.hear(100, "a", NEW, 5);
  world.edit(200, { locations: ["a", "b"] });
  for (const location of ["a", "b"]) world.hear(210, location, NEW, 5);
  expect(heard(world)).toEqual(["111 changed"]);
  expect(Object.keys(world.monitor.baseline!.changes)).toHaveLength(1);
});

describe("addresses of a name, by network", () => {
  const of = (...networks: readonly string[]): Facts => ({ "dns.addresses": networks.join(" ") });

  test("join where each answer has other ones, and a new network is a change", () => {
    const world = worldOf({}, of("192.0.2.0/24", "198.51.100.0/24"));
    world.hear(100, "a", of("192.0.2.0/24"), 5);
    world.hear(200, "a", of("198.51.100.0/24"), 5);
    expect(heard(world)).toEqual([]);
    world.hear(300, "a", of("198.51.100.0/24", "203.0.113.0/24"), 2);
    expect(heard(world)).toEqual(["311 changed"]);
    expect(world.alerts()[0]?.changes).toMatchObject([
      { key: "dns.addresses", from: ["192.0.2.0/24", "198.51.100.0/24"], to: "203.0.113.0/24" },
    ]);
    world.accept(400);
    world.hear(500, "a", of("192.0.2.0/24"), 5);
    expect(heard(world).slice(1)).toEqual(["401 change-accepted"]);
  });

  test("that were not read before are no change", () => {
    const world = worldOf();
    world.hear(100, "a", { ...OLD, ...of("192.0.2.0/24") }, 5);
    expect(heard(world)).toEqual([]);
  });
});
