import { expect, test } from "vitest";
import { addressesOf, isInside, parseCidr } from "../../shared/cidr.ts";

test("a network begins at its lowest address, whichever of it was written", () => {
  expect(parseCidr("203.0.113.7/30")).toEqual({ network: "203.0.113.4", size: 4 });
  expect(addressesOf(parseCidr("203.0.113.7/30")!)).toEqual([
    "203.0.113.4",
    "203.0.113.5",
    "203.0.113.6",
    "203.0.113.7",
  ]);
  expect(addressesOf(parseCidr("10.0.0.254/22")!).at(-1)).toBe("10.0.3.255");
  expect(addressesOf(parseCidr("2001:db8::fe/127")!)).toEqual(["2001:db8::fe", "2001:db8::ff"]);
  expect(parseCidr("2001:db8::/32")!.size).toBe(Number.POSITIVE_INFINITY);
});

test.each(["203.0.113.7", "example.com", "example.com/24", "203.0.113.0/33", "1.2.3/24", "2001:db8::5%x/118", ""])(
  "%j is no network",
  (text) => {
    expect(parseCidr(text)).toBeUndefined();
  },
);

test.each([
  ["203.0.113.5", ["203.0.113.0/28"], true],
  ["203.0.113.16", ["203.0.113.0/28"], false],
  ["203.0.113.5", ["203.0.113.5"], true],
  ["203.0.113.0/28", ["203.0.113.0/24"], true],
  ["203.0.113.0/24", ["203.0.113.0/28"], false],
  ["::ffff:203.0.113.5", ["203.0.113.0/28"], true],
  ["::ffff:203.0.113.0/124", ["203.0.113.0/28"], true],
  ["::ffff:203.0.113.5/118", ["203.0.113.5"], false],
  ["2001:db8::5%x/118", ["2001:db8::5"], false],
  ["2001:db8::1", ["203.0.113.0/28", "2001:db8::/32"], true],
  ["fe80::1%eth0", ["fe80::/10"], true],
  ["example.com", ["0.0.0.0/0"], false],
  ["203.0.113.5", ["*.example.com"], false],
])("%s inside %j: %s", (address, networks, inside) => {
  expect(isInside(address, networks)).toBe(inside);
});
