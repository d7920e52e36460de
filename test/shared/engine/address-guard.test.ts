import { expect, test } from "vitest";
import { checkHost, refuseAddress } from "../../../shared/engine/address-guard.ts";

const PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::1", "::ffff:1.1.1.1"];
const INSIDE = [
  "10.0.0.1",
  "172.16.5.5",
  "192.168.1.1",
  "100.64.0.1",
  "fd12:3456::1",
  "::ffff:10.0.0.1",
  "64:ff9b::a00:1",
];
const NEVER = [
  "127.0.0.1",
  "127.255.255.254",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::127.0.0.1",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "169.254.169.254",
  "::ffff:169.254.169.254",
  "64:ff9b::a9fe:a9fe",
  "fe80::1",
  "fe80::1%eth0",
  "fd00:ec2::254",
  "224.0.0.1",
  "ff02::1",
  "240.0.0.1",
  "255.255.255.255",
  "192.0.2.1",
  "2001:db8::1",
  "2001::7f00:1",
  "100::1",
  "4000::1",
];

test.each(PUBLIC)("%s is allowed for every location", (address) => {
  expect(refuseAddress(address, "public")).toBeUndefined();
  expect(refuseAddress(address, "vpc")).toBeUndefined();
});

test.each(INSIDE)("%s is allowed for a VPC location, not for a public one", (address) => {
  expect(refuseAddress(address, "public")).toMatch(/ is a (private|carrier-grade NAT) address$/);
  expect(refuseAddress(address, "vpc")).toBeUndefined();
});

test.each(NEVER)("%s is refused for public and VPC locations, and allowed for the local one", (address) => {
  expect(refuseAddress(address, "public")).toContain(" is ");
  expect(refuseAddress(address, "vpc")).toContain(" is ");
  expect(refuseAddress(address, "local")).toBeUndefined();
});

test.each(["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0"])("%s is refused for every location", (address) => {
  for (const kind of ["public", "vpc", "local"] as const)
    expect(refuseAddress(address, kind)).toContain(" is an unspecified address");
});

test.each([
  "2130706433",
  "0x7f000001",
  "0177.0.0.1",
  "127.1",
  "0x7f.1",
  "[::1]",
  "localhost",
  "db.localhost.",
  "::ffff:127.0.0.1",
])("the host %s is recognised as this machine", (host) => {
  expect(checkHost(host, "public")).toMatch(/loopback|this machine/);
  expect(checkHost(host, "local")).toBeUndefined();
});

test("a name is allowed until it is resolved", () => {
  expect(checkHost("db.example.com", "public")).toBeUndefined();
  expect(checkHost("10.example.com", "public")).toBeUndefined();
});
