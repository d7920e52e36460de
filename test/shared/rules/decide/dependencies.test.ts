import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Health, Monitor } from "../../../../shared/model.ts";
import { holdSeconds, recheckSeconds } from "../../../../shared/monitor/timing.ts";
import type { Dependent } from "../../../../shared/rules/dependencies.ts";
import { alertsOf } from "../../../support/monitors.ts";
import { iso, START, view, World } from "./fixture.ts";

/** Monitors that depend on one another, each with a world of its own. */
class Family {
  readonly worlds = new Map<string, World>();
  /** Whether the touches that a parent's recovery makes are lost. */
  isTouchLost = false;
  /** @param parents of each monitor, by id */
  constructor(parents: Readonly<Record<string, readonly string[]>>, more: Partial<Monitor> = {}) {
    for (const [id, dependsOn] of Object.entries(parents)) {
      const world = new World({ id, dependsOn, alerts: alertsOf(), ...more });
      world.dependencies = () => ({ child: this.dependent(world.monitor), ancestors: this.ancestors() });
      this.worlds.set(id, world);
      world.see(10, "a", "up");
    }
  }
  dependent(monitor: Monitor): Dependent {
    return { monitor, holdSeconds: holdSeconds(monitor), recheckSeconds: recheckSeconds(monitor) };
  }
  ancestors() {
    return new Map([...this.worlds].map(([id, { monitor }]) => [id, this.dependent(monitor)]));
  }
  of(id: string): World {
    return this.worlds.get(id)!;
  }
  /** Does something with a monitor; when it is down no more, touches all others like those it held back. */
  act(id: string, at: number, what: (world: World) => void) {
    const before = this.of(id).monitor.status;
    what(this.of(id));
    if (before !== "down" || this.of(id).monitor.status === "down" || this.isTouchLost) return;
    for (const world of this.worlds.values()) if (world.monitor.incident?.heldBy) world.look(at + 2);
  }
  see(at: number, id: string, health: Health) {
    this.act(id, at, (world) => world.see(at, "a", health));
  }
  /** Lets time pass, timers included, in the order in which they are due. */
  pass(from: number, until: number) {
    for (let at = from; ; ) {
      const next = [...this.worlds]
        .flatMap(([id, { monitor }]) => (monitor.nextEvaluationAt ? [{ id, due: monitor.nextEvaluationAt }] : []))
        .toSorted((a, b) => (a.due < b.due ? -1 : 1))[0];
      if (!next) return;
      at = Math.max(at, (Date.parse(next.due) - START) / 1000);
      if (at > until) return;
      this.act(next.id, at, (world) => world.look(at));
    }
  }
  heard = (id: string) =>
    this.of(id)
      .received.filter(({ receiver }) => receiver === "sns")
      .map(({ at, alert }) => `${at} ${alert.event}`);
}

/** Interval 60 s and one attempt of 2 s, and 10 s more. */
const HOLD = 72;

describe("a monitor that depends on another", () => {
  test("is told of once its parent's alert would have come", () => {
    const family = new Family({ router: [], web: ["router"] });
    family.see(100, "web", "down");
    family.pass(101, 1_000);
    family.see(1_000, "web", "up");
    expect(family.heard("web")).toEqual([`${100 + HOLD} down`, "1001 recovered"]);
  });

  test("is not told of while its parent is down, and says which incident holds it back", () => {
    const family = new Family({ router: [], web: ["router"] });
    family.see(100, "web", "down");
    family.see(150, "router", "down");
    family.pass(151, 4_000);
    expect(family.heard("web")).toEqual([]);
    expect(family.of("web").monitor.incident).toMatchObject({ heldBy: [{ monitorId: "router", startedAt: iso(150) }] });
    family.see(4_000, "router", "up");
    family.pass(4_001, 4_010);
    family.see(4_010, "web", "up");
    family.pass(4_011, 9_000);
    expect(family.heard("web")).toEqual([]);
    expect(family.heard("router")).toEqual(["151 down", "4001 recovered"]);
  });

  test.each([false, true])("is told of when its parent is back and it is not (touch lost: %s)", (isLost) => {
    const family = new Family({ router: [], web: ["router"] });
    family.isTouchLost = isLost;
    family.see(100, "router", "down");
    family.see(110, "web", "down");
    family.pass(111, 4_000);
    family.see(4_000, "router", "up");
    family.pass(4_001, 4_600);
    expect(family.heard("web")).toEqual([expect.stringMatching(isLost ? /^4\d+ down$/ : /^4072 down$/)]);
    expect(family.of("web").monitor.incident?.heldBy).toBeUndefined();
  });

  describe("and of which one location of three sees trouble", () => {
    const inTrouble = () => {
      const alerts = alertsOf({ minorityAfterSeconds: 60 });
      const family = new Family({ router: [], web: ["router"] }, { locations: ["a", "b", "c"], alerts });
      for (const id of ["router", "web"]) for (const location of ["b", "c"]) family.of(id).see(20, location, "up");
      for (const location of ["a", "b"]) family.of("router").see(100, location, "down");
      family.of("web").see(110, "b", "down");
      family.pass(111, 4_000);
      for (const location of ["a", "b"]) family.of("router").see(4_000, location, "up");
      return family;
    };
    test("is the subject of an advisory once its parent is back, if that lasts", () => {
      const family = inTrouble();
      expect(family.heard("web")).toEqual([]);
      family.pass(4_001, 9_000);
      expect(family.heard("web")).toEqual([expect.stringMatching(/^4[0-3]\d\d minority$/)]);
      expect(family.heard("router")).toEqual(["101 down", "4001 recovered"]);
    });
    test("gets the time to be checked again", () => {
      const family = inTrouble();
      family.pass(4_001, 4_040);
      family.of("web").see(4_040, "b", "up");
      family.pass(4_041, 9_000);
      expect(family.heard("web")).toEqual([]);
    });
  });

  test("that flaps while its parent is down is told of as flapping when the parent is back", () => {
    const flapping = { highPercent: 15, lowPercent: 1 };
    const family = new Family({ router: [], web: ["router"] }, { flapping });
    family.see(60, "router", "down");
    for (const [n, health] of (["down", "up", "down", "up", "down"] as const).entries())
      family.see(120 + 60 * n, "web", health);
    family.pass(361, 600);
    expect([family.heard("web"), family.of("web").monitor.flapState?.since]).toEqual([[], expect.any(String)]);
    family.see(600, "router", "up");
    family.pass(601, 1_000);
    expect(family.heard("web")).toEqual([expect.stringMatching(/^\d+ flapping-started$/)]);
  });

  test("that was told of before is told of its end while the parent is down, and of nothing else", () => {
    const family = new Family({ router: [], web: ["router"] });
    const plan = {
      levels: ["down"],
      remindEverySeconds: 60,
      remindAtMost: 99,
      takesAdvisories: true,
      until: "recovered",
    } as const;
    family.of("web").plans = [{ ...plan, steps: [{ afterSeconds: 0, receivers: ["sns" as const] }] }];
    family.see(100, "web", "down");
    family.pass(101, 240);
    family.see(240, "router", "down");
    family.pass(241, 900);
    family.see(900, "web", "up");
    expect(family.heard("web")).toEqual(["172 down", "232 reminder", "901 recovered"]);
  });

  test("with several parents is held back only while all are down", () => {
    const family = new Family({ one: [], two: [], web: ["one", "two"] });
    family.see(100, "one", "down");
    family.see(110, "web", "down");
    family.pass(111, 1_000);
    expect(family.heard("web")).toEqual([`${110 + HOLD} down`]);
    const both = new Family({ one: [], two: [], web: ["one", "two"] });
    both.see(100, "one", "down");
    both.see(105, "two", "down");
    both.see(110, "web", "down");
    both.pass(111, 1_000);
    expect(both.heard("web")).toEqual([]);
    expect(both.of("web").monitor.incident?.heldBy).toHaveLength(2);
  });

  test("is held back by what its parent depends on, which is listed too", () => {
    const family = new Family({ line: [], router: ["line"], web: ["router"] });
    family.see(100, "web", "down");
    family.see(120, "router", "down");
    family.see(140, "line", "down");
    family.pass(141, 2_000);
    expect([family.heard("web"), family.heard("router"), family.heard("line")]).toEqual([[], [], ["141 down"]]);
    expect(family.of("web").monitor.incident?.heldBy?.map(({ monitorId }) => monitorId)).toEqual(["router", "line"]);
    family.see(2_000, "line", "up");
    family.pass(2_001, 4_000);
    expect(family.heard("router")).toEqual(["2072 down"]);
    expect(family.heard("web")).toEqual([]);
  });

  test.each([
    ["deleted", { deletedAt: iso(5) }],
    ["paused", { paused: true }],
  ] as const)("is told of at once if its parent is %s", (_, more) => {
    const family = new Family({ router: [], web: ["router"] });
    family.of("router").write(more);
    family.see(100, "web", "down");
    expect(family.heard("web")).toEqual(["101 down"]);
  });

  test("is held back while its parent is down in maintenance, though nobody is told of the parent", () => {
    const family = new Family({ router: [], web: ["router"] });
    const until = START + 3_000_000;
    for (const world of family.worlds.values())
      world.maintenanceUntil = ({ id }, now) => (id === "router" && now.getTime() < until ? until : null);
    family.see(100, "router", "down");
    family.see(110, "web", "down");
    family.pass(111, 2_999);
    expect([family.heard("router"), family.heard("web")]).toEqual([[], []]);
    family.pass(2_999, 9_000);
    expect([family.heard("router"), family.heard("web")]).toEqual([["3000 down"], []]);
  });

  test("is told of at once if a wrong clock says that its trouble began later", () => {
    const family = new Family({ router: [], web: ["router"] });
    const web = family.of("web");
    web.write({ status: "down", since: iso(4_000), views: { a: view("down", 4_000) } });
    web.look(100);
    expect(family.heard("web")).toEqual(["100 down"]);
  });

  test("is told of at once if it depends on itself through others", () => {
    const family = new Family({ one: ["two"], two: ["one"], web: ["one"] });
    family.see(100, "one", "down");
    family.see(110, "two", "down");
    family.see(120, "web", "down");
    family.pass(121, 1_000);
    expect([family.heard("one"), family.heard("two"), family.heard("web")]).toEqual([["101 down"], ["111 down"], []]);
  });
});

describe("whatever happens", () => {
  const IDS = ["line", "router", "backup", "web"] as const;
  const step = fc.tuple(
    fc.integer({ min: 1, max: 400 }),
    fc.constantFrom(...IDS),
    fc.constantFrom<Health>("up", "down", "degraded"),
  );
  /** Whether people know that a monitor is down. */
  const isKnown = ({ status, incident }: Monitor) => status === "down" && incident?.announced === "down";

  test("nothing but its end is said about a child while its parent is down and announced, and what is down after its parent's recovery is told within 10 minutes", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), fc.boolean(), (steps, isTouchLost) => {
        const family = new Family({ line: [], router: ["line"], backup: [], web: ["router", "backup"] });
        family.isTouchLost = isTouchLost;
        const counts = new Map<string, number>();
        /** Whoever looks last is compared with its parents as they were then. */
        const parentsOf = (id: string) => family.of(id).monitor.dependsOn.map((one) => family.of(one).monitor);
        for (const [id, world] of family.worlds) {
          const look = world.look.bind(world);
          world.look = (at, options) => {
            const isHeld = world.monitor.dependsOn.length > 0 && parentsOf(id).every(isKnown);
            look(at, options);
            const told = world.received.slice(counts.get(id) ?? 0).map(({ alert }) => alert.event);
            counts.set(id, world.received.length);
            if (isHeld) expect(told.filter((event) => event !== "recovered" && event !== "closed")).toEqual([]);
          };
        }
        let at = 20;
        for (const [pause, id, health] of steps) {
          family.pass(at, at + pause);
          at += pause;
          family.see(at, id, health);
        }
        for (const id of ["line", "backup", "router"]) {
          if (family.of(id).monitor.status !== "down") continue;
          family.see(at, id, "up");
        }
        family.pass(at + 1, at + 600);
        const { status, incident } = family.of("web").monitor;
        if (status !== "up") expect([status, incident?.announced]).toEqual([status, status]);
        if (incident) expect(incident.heldBy).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});
