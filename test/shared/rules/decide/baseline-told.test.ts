/** What people hear when the first sweep of a host's ports has made the baseline. */
import { describe, expect, test } from "vitest";
import type { Facts, Monitor } from "../../../../shared/model.ts";
import { CHANGE_WATCH_DEFAULTS } from "../../../../shared/monitor/alert-defaults.ts";
import { mayTellChange } from "../../../../shared/rules/changes.ts";
import { confirm } from "../../../../shared/rules/facts.ts";
import { iso, START, view, World } from "./fixture.ts";

const PORTS: Facts = { "ports.tcp": "22,80", "service.22": "ssh" };
const FOUND = "2 ports are open on db: 22 (ssh), 80";
const heard = ({ received }: World) =>
  received.filter(({ receiver }) => receiver === "sns").map(({ at, alert }) => `${at} ${alert.event}`);

const worldOf = (more: Partial<Monitor> = {}) =>
  new World({ protocol: "ports", port: 0, intervalSeconds: 300, locations: ["a"], ...more });

/** A sweep from a location ends. */
const sweep = (world: World, at: number, location: string, facts = PORTS, message = FOUND) => {
  const { views } = world.monitor;
  const after = { ...view("up", at), message, facts: confirm(views[location]?.facts ?? null, facts) };
  world.write({ views: { ...views, [location]: after }, lookBy: iso(at + 90) });
  world.look(at + 1);
};

test("they hear once which ports are open, and no pager opens an incident", () => {
  const world = worldOf();
  sweep(world, 10, "a");
  sweep(world, 310, "a");
  world.rest(400);
  expect(heard(world)).toEqual(["11 baseline-learned"]);
  expect(world.alerts("email:ops@example.com")).toHaveLength(1);
  expect(world.alerts()[0]).toMatchObject({
    severity: "info",
    status: "up",
    message: expect.stringContaining(FOUND),
    incidentState: "ended",
    durationSeconds: null,
  });
  expect(world.alerts()[0]).not.toHaveProperty("changes");
  expect(world.monitor.baseline).not.toHaveProperty("untold");
  expect(world.incidents.size).toBe(0);
});

test("that no port is open is told too", () => {
  const world = worldOf();
  sweep(world, 10, "a", { "ports.tcp": "" }, "no port is open on db");
  expect(world.alerts()[0]?.message).toContain("no port is open on db");
});

test("further locations that see the same are not told; later differences are changes", () => {
  const world = worldOf({ locations: ["a", "b", "c"] });
  for (const name of ["a", "b", "c"]) sweep(world, 10, name);
  sweep(world, 310, "a", { ...PORTS, "ports.tcp": "22,80,8080" });
  expect(heard(world)).toEqual(["11 baseline-learned", "311 changed"]);
});

describe("what a further location alone sees open", () => {
  const more = { ...PORTS, "ports.tcp": "22,80,5432" };
  const inside = "3 ports are open on db: 22 (ssh), 80, 5432";

  test("is told too, and where from", () => {
    const world = worldOf({ locations: ["a", "b"] });
    sweep(world, 10, "a");
    sweep(world, 20, "b", more, inside);
    sweep(world, 310, "a");
    sweep(world, 320, "b", more, inside);
    expect(heard(world)).toEqual(["11 baseline-learned", "21 baseline-learned"]);
    expect(world.alerts()[1]?.message).toContain(`seen from b: ${inside}. `);
  });

  test("is told together with the first, where both had to wait", () => {
    const world = worldOf({ locations: ["a", "b"] });
    world.maintenanceUntil = (_, now) => (now.getTime() < START + 1_000_000 ? START + 1_000_000 : null);
    sweep(world, 10, "a");
    sweep(world, 20, "b", more, inside);
    world.rest(200);
    expect(heard(world)).toEqual(["1000 baseline-learned"]);
    expect(world.alerts()[0]?.message).toContain(`seen from a: ${FOUND}; seen from b: ${inside}. `);
  });

  test("is not told again where it was told as a change", () => {
    const world = worldOf({ locations: ["a", "b"] });
    sweep(world, 10, "a");
    sweep(world, 310, "a", more);
    sweep(world, 320, "b", more, inside);
    expect(heard(world)).toEqual(["11 baseline-learned", "311 changed"]);
  });
});

test("what opened while the baseline could not be told is a change, and not called the baseline", () => {
  const world = worldOf();
  world.maintenanceUntil = (_, now) => (now.getTime() < START + 1_000_000 ? START + 1_000_000 : null);
  sweep(world, 10, "a");
  sweep(world, 310, "a", { ...PORTS, "ports.tcp": "22,80,8080" }, "3 ports are open on db: 22 (ssh), 80, 8080");
  world.rest(400);
  expect(heard(world)).toEqual(["1000 baseline-learned", "1000 changed"]);
  expect(world.alerts()[0]?.message).toContain(FOUND);
});

test("the last open port of a network is told to be closed once, and to be open again", () => {
  const world = worldOf({ host: "192.0.2.0/30" });
  const open: Facts = { "ports.tcp.192.0.2.1": "22" };
  sweep(world, 10, "a", open);
  sweep(world, 310, "a", { "ports.tcp": "" });
  expect(world.alerts().at(-1)?.changes).toEqual([expect.objectContaining({ key: "ports.tcp.192.0.2.1", to: "" })]);
  sweep(world, 610, "a", open);
  expect(heard(world)).toEqual(["11 baseline-learned", "311 changed", "611 change-reverted"]);
  expect(world.monitor.baseline?.changes).toEqual({});
});

describe("other ports are watched from now on: they are told as the baseline, not as opened or closed", () => {
  const FEWER: Facts = { "ports.tcp": "22", "service.22": "ssh" };
  const UDP: Facts = { ...PORTS, "ports.udp": "" };

  test.each([
    ["more of them", { ports: "1-65535" }, { ...PORTS, "ports.tcp": "22,80,8443" }],
    ["fewer", { ports: "1-79" }, FEWER],
    ["one may be open or not", { ports: "1-100", mayBe: "80" }, FEWER],
    ["UDP ports, none of them open", { ports: "1-100", udp: "53" }, UDP],
  ])("%s", (_, settings, found) => {
    const world = worldOf({ settings: { ports: "1-100" } });
    sweep(world, 10, "a");
    world.edit(100, { settings });
    sweep(world, 310, "a", found, "found now");
    sweep(world, 610, "a", found);
    expect(heard(world)).toEqual(["11 baseline-learned", "311 baseline-learned"]);
    expect(world.alerts()[1]?.message).toContain("found now");
  });

  test("open changes end, and those who know of them hear why", () => {
    const world = worldOf({ settings: { ports: "1-100" } });
    sweep(world, 10, "a");
    sweep(world, 310, "a", { ...PORTS, "ports.tcp": "22,80,81" });
    world.edit(400, { settings: { ports: "1-65535" } });
    expect(heard(world)).toEqual(["11 baseline-learned", "311 changed", "401 closed"]);
    expect(world.alerts()[2]?.message).toContain("other ports are watched now");
  });

  test("a faster sweep of the same ports learns nothing anew", () => {
    const world = worldOf({ settings: { ports: "1-100" } });
    sweep(world, 10, "a");
    world.edit(100, { settings: { ports: "1-100", perSecond: 50 } });
    sweep(world, 310, "a", FEWER);
    expect(heard(world)).toEqual(["11 baseline-learned", "311 changed"]);
  });

  test("of a monitor that depends on others, which are read for it", () => {
    const world = worldOf({ settings: { ports: "1-100" } });
    sweep(world, 10, "a");
    expect(mayTellChange({ ...world.monitor, settings: { ports: "1-200" } })).toBe(true);
  });
});

test("it is told anew when the baseline is learned anew, or of another host", () => {
  const world = worldOf();
  sweep(world, 10, "a");
  world.write({ baseline: { ...world.monitor.baseline!, isForgotten: true }, lookBy: iso(190) });
  world.look(100);
  world.edit(200, { host: "web" });
  sweep(world, 210, "a");
  expect(heard(world)).toEqual(["11 baseline-learned", "100 baseline-learned", "211 baseline-learned"]);
});

describe("nobody is told", () => {
  test("of what checks learn, which was asked for service by service", () => {
    const world = new World({ locations: ["a"] });
    world.hear(10, "a", { "ssh.software": "OpenSSH_9.2p1" }, 3);
    expect([heard(world), world.monitor.baseline?.learned]).toEqual([[], ["a"]]);
  });

  test.each([
    ["the settings name the ports", { mode: "expect", expect: { "ports.tcp": ["22,80"] } }],
    ["a rule says that ports are only recorded", { rules: { "ports.*": "record" } }],
    ["changes are not watched", { mode: "off" }],
  ] as const)("where %s", (_, watch) => {
    const world = worldOf({ changeWatch: { ...CHANGE_WATCH_DEFAULTS, ...watch } });
    sweep(world, 10, "a");
    world.rest(20);
    expect(heard(world)).toEqual([]);
  });

  test("after an upgrade, of a baseline that was learned before it", () => {
    const world = worldOf();
    sweep(world, 10, "a");
    const { watched: _none, ...baseline } = world.monitor.baseline!;
    const later = worldOf({ baseline, status: "up", views: world.monitor.views });
    later.look(100);
    expect(heard(later)).toEqual([]);
  });
});

describe("it is told later", () => {
  test("during maintenance, at its end", () => {
    const world = worldOf();
    world.maintenanceUntil = (_, now) => (now.getTime() < START + 1_000_000 ? START + 1_000_000 : null);
    sweep(world, 10, "a");
    world.rest(200);
    expect(heard(world)).toEqual(["1000 baseline-learned"]);
  });

  test("of a monitor that was paused meanwhile, when it is up again", () => {
    const world = worldOf();
    world.maintenanceUntil = (_, now) => (now.getTime() < START + 100_000 ? START + 100_000 : null);
    sweep(world, 10, "a");
    world.edit(50, { paused: true });
    world.rest(60);
    expect(heard(world)).toEqual([]);
    world.edit(500, { paused: false });
    sweep(world, 510, "a");
    expect(heard(world)).toEqual(["511 baseline-learned"]);
  });

  test("of a monitor that depends on others, which are read for it", () => {
    const world = worldOf();
    expect(mayTellChange(world.monitor)).toBe(true);
    sweep(world, 10, "a");
    expect(mayTellChange(world.monitor)).toBe(false);
  });
});
