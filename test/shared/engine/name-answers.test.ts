import { expect, test } from "vitest";
import { networkOf } from "../../../shared/engine/name-answers.ts";

test.each([
  ["192.0.2.77", "192.0.2.0/24"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"],
  ["2001:db8::1", "2001:db8::/48"],
  ["2001::1", "2001::/48"],
  ["1::3:4:5:6:7:8", "1:0:3::/48"],
  ["::1", "::/48"],
  ["fe80::1%eth0", "fe80::/48"],
])("%s belongs to %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
