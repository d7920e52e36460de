/** Changes of open ports: what they are called, which of them are told, and that one sweep is enough to see them. */
import { describe, expect, test } from "vitest";
import { endpoint } from "../../../shared/alerts/render.ts";
import { describeChange } from "../../../shared/rules/change-words.ts";
import { significanceOf } from "../../../shared/rules/fact-significance.ts";
import { confirm, LEARNED, presentValues } from "../../../shared/rules/facts.ts";

test.each([
  ["ports.tcp", ["22"], "22,8080", "port 8080 is open now (open: 22,8080)"],
  ["ports.udp", ["53"], "53,161", "UDP port 161 is open now (open: 53,161)"],
  [
    "ports.udp",
    ["192.0.2.1 53"],
    "192.0.2.1 53,161",
    "list of open UDP ports is now 192.0.2.1 53,161, not 192.0.2.1 53",
  ],
  ["ports.tcp", ["22,80,443"], "22", "ports 80,443 are no longer open (open: 22)"],
  ["ports.tcp", ["22"], "80", "port 80 is open now and port 22 is no longer open (open: 80)"],
  ["ports.tcp", ["22"], "", "port 22 is no longer open (open: none)"],
  ["ports.tcp", [], "22", "port 22 is open now (open: 22)"],
  ["ports.tcp.192.0.2.7", ["22"], "22,8000-8002", "ports 8000-8002 are open now on 192.0.2.7 (open: 22,8000-8002)"],
  [
    "ports.tcp",
    ["22"],
    "300 ports #0a1b2c3d4e: 1,3...",
    "list of open ports is now 300 ports #0a1b2c3d4e: 1,3..., not 22",
  ],
  [
    "ports.tcp.192.0.2.16-28",
    ["192.0.2.17 22"],
    "192.0.2.17 22,80",
    "list of open ports in 192.0.2.16/28 is now 192.0.2.17 22,80, not 192.0.2.17 22",
  ],
  [
    "ports.tcp.192.0.2.16-28",
    ["192.0.2.17 22"],
    "",
    "list of open ports in 192.0.2.16/28: no open ports now, not 192.0.2.17 22",
  ],
  ["service.8080", ["http"], "ssh", "service on port 8080 is now ssh, not http"],
])("%s from %j to %j: %s", (key, from, value, words) => {
  expect(describeChange({ key, from, value })).toBe(words);
});

test.each([
  ["ports.tcp", ["22"], "22,80", "alert"],
  ["ports.tcp", [], "22", "alert"],
  ["ports.tcp", ["22"], "", "alert"],
  ["ports.tcp", [], "", "ignore"],
  ["ports.udp", [], "", "ignore"],
  ["service.80", [], "http", "record"],
  ["service.80", [""], "http", "record"],
  ["service.80", ["http"], "", "ignore"],
  ["service.80", ["http"], "ssh", "alert"],
] as const)("%s from %j to %j: %s", (key, from, to, rule) => {
  expect(significanceOf(key, from, to, {})).toBe(rule);
});

describe("facts that a sweep has confirmed", () => {
  test("count at once, and are the only ones", () => {
    const first = confirm(null, { "ports.tcp": "22" });
    expect(first.checks).toBe(LEARNED);
    const second = confirm(first, { "ports.tcp": "22,80", "service.80": "http" });
    expect(presentValues(second)).toEqual(
      new Map([
        ["ports.tcp", ["22,80"]],
        ["service.80", ["http"]],
      ]),
    );
    expect(presentValues(confirm(second, { "ports.tcp": "22" })).get("service.80")).toEqual([""]);
  });

  test("the same again changes nothing, and so writes nothing", () => {
    const known = confirm(null, { "ports.tcp": "22" });
    expect(confirm(known, { "ports.tcp": "22" })).toBe(known);
  });
});

test("what is swept is named without a port", () => {
  const monitor = { protocol: "ports", host: "192.0.2.0/28", port: 0 };
  expect(endpoint({ monitor })).toBe("ports 192.0.2.0/28");
});
