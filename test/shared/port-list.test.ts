import { expect, test } from "vitest";
import { formatPorts, NAMED_PORTS, parsePorts } from "../../shared/port-list.ts";
import { protocols } from "../../shared/protocols/index.ts";

test.each([
  ["80", [80]],
  ["443, 22,80 ,22", [22, 80, 443]],
  ["8000-8003,1", [1, 8000, 8001, 8002, 8003]],
])("%s is read in order, each port once", (text, ports) => {
  expect(parsePorts(text)).toEqual(ports);
});

test.each([
  ["", "neither a port nor a range"],
  ["80-", "neither a port nor a range"],
  ["http", "neither a port nor a range"],
  ["0", "not between 1 and 65535"],
  ["65536", "not between 1 and 65535"],
  ["90-80", "ends before it begins"],
])("%j is refused: %s", (text, why) => {
  expect(parsePorts(text)).toContain(why);
});

test("consecutive ports are written as ranges, and read again", () => {
  expect(formatPorts([8001, 22, 8000, 8002, 80])).toBe("22,80,8000-8002");
  expect(formatPorts(parsePorts("1-65535") as number[])).toBe("1-65535");
  expect(formatPorts([])).toBe("");
});

test("the named lists have the ports that they promise, among them those of all protocols", () => {
  const defaults = Object.values(protocols).flatMap(({ transports, defaultPort }) =>
    transports.includes("tcp") && defaultPort ? [defaultPort] : [],
  );
  for (const [name, count] of [
    ["top-100", 100],
    ["top-1000", 1000],
  ] as const) {
    expect(NAMED_PORTS[name]).toHaveLength(count);
    expect(NAMED_PORTS[name]).toEqual(expect.arrayContaining(defaults));
  }
  expect(NAMED_PORTS["top-1000"]).toEqual(expect.arrayContaining([...NAMED_PORTS["top-100"]!]));
});
