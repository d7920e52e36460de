/** Facts of interfaces: what is told, what is recorded, and that all of a switch's have room. */
import { expect, test } from "vitest";
import { changeWatchShape } from "../../../shared/monitor/change-watch.ts";
import { nameOfFact } from "../../../shared/rules/fact-names.ts";
import { significanceOf } from "../../../shared/rules/fact-significance.ts";
import { observe, presentValues, type Sightings } from "../../../shared/rules/facts.ts";

test.each([
  ["if.Gi1/0/7.link", ["down"], "up", "alert"],
  ["if.Gi1/0/7.link", ["up"], "down", "record"],
  ["if.Gi1/0/7.link", ["up", "down"], "up", "record"],
  ["if.Gi1/0/7.link", [], "up", "record"],
  ["if.Gi1/0/7.link", ["up"], "", "record"],
  ["if.Gi1/0/7.admin", ["down"], "up", "alert"],
  ["if.Gi1/0/7.admin", ["up"], "down", "record"],
  ["if.Gi1/0/7.speed", ["1000"], "100", "record"],
  ["if.Gi1/0/7.duplex", ["full"], "half", "record"],
] as const)("%s from %j to %j: %s", (key, from, to, expected) => {
  expect(significanceOf(key, from, to, {})).toBe(expected);
});

test("rules and expectations of a monitor may name facts of interfaces", () => {
  expect(significanceOf("if.Gi1/0/7.speed", ["1000"], "100", { "if.Gi1/0/7.*": "alert" })).toBe("alert");
  expect(changeWatchShape.rules.safeParse({ "if.Gi1/0/7.*": "alert", "if.eth0:1.link": "ignore" }).success).toBe(true);
  expect(changeWatchShape.expect.safeParse({ "if.Gi1/0/7.link": ["up"] }).success).toBe(true);
  expect(changeWatchShape.rules.safeParse({ "if Gi1": "alert" }).success).toBe(false);
});

test("they are named in words", () => {
  expect(nameOfFact("if.Gi1/0/7.link")).toBe("link of interface Gi1/0/7");
  expect(nameOfFact("if.eth0.100.speed")).toBe("speed in Mb/s of interface eth0.100");
});

test("the links and settings of 48 ports have room from the first check on", () => {
  const facts = Object.fromEntries(
    ["link", "admin"].flatMap((kind) =>
      Array.from({ length: 48 }, (_, port) => [`if.GigabitEthernet1/0/${port + 1}.${kind}`, "down"] as const),
    ),
  );
  let seen: Sightings | null = null;
  for (let tick = 1; tick <= 4; tick++) seen = observe(seen, facts, 1_795_824_000 + 60 * tick);
  expect(presentValues(seen!).size).toBe(96);
});
