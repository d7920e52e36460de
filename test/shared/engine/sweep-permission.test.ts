import { expect, test } from "vitest";
import type { LocationKind } from "../../../shared/engine/address-guard.ts";
import { refuseSweep, sweepProof } from "../../../shared/engine/sweep-permission.ts";

const INSTALLATION = "harborlight eu-central-1 123456789012";
const targets = ["203.0.113.0/28", "*.example.com", "one.example.net"];
/** TXT records as DNS has them. */
const RECORDS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "_harborlight.proven.example.org": [
    ["v=spf1 -all"],
    [
      sweepProof(INSTALLATION, "proven.example.org").slice(0, 20),
      sweepProof(INSTALLATION, "proven.example.org").slice(20),
    ],
  ],
  "_harborlight.other.example.org": [[sweepProof("harborlight eu-central-1 000000000000", "other.example.org")]],
  "_harborlight.stolen.example.org": [[sweepProof(INSTALLATION, "proven.example.org")]],
};
const ask = (host: string, addresses = [host], kind: LocationKind = "public") =>
  refuseSweep(
    host,
    addresses,
    kind,
    { targets, installation: INSTALLATION },
    {
      txt: async (name) => RECORDS[name] ?? Promise.reject(new Error("ENOTFOUND")),
      networks: () => ["127.0.0.0/8", "192.168.1.7/24"],
    },
  );

test.each([
  ["an address of the list", "203.0.113.5"],
  ["a network inside one of the list", "203.0.113.8/29"],
  ["a name of the list", "one.example.net"],
  ["a name below one of the list", "www.Example.com."],
  ["a name whose owner says so", "proven.example.org"],
])("%s may be swept", async (_what, host) => {
  expect(await ask(host, [host])).toBeUndefined();
});

test("a name of which all addresses are on the list may be swept", async () => {
  expect(await ask("cdn.example.org", ["203.0.113.1", "203.0.113.2"])).toBeUndefined();
  expect(await ask("cdn.example.org", ["203.0.113.1", "198.51.100.1"])).toContain("may not be swept");
  expect(await ask("cdn.example.org", [])).toContain("may not be swept");
});

test.each([
  ["an address outside", "198.51.100.1"],
  ["a network that reaches beyond the list", "203.0.113.0/24"],
  ["the name itself, where those below it are listed", "example.com"],
  ["a name without proof", "free.example.org"],
  ["the proof of another installation", "other.example.org"],
  ["the proof of another name", "stolen.example.org"],
])("%s may not be swept", async (_what, host) => {
  expect(await ask(host)).toContain(`${host} may not be swept: it is not in sweepTargets`);
});

test("the refusal of a name says which record allows it", async () => {
  expect(await ask("free.example.org")).toContain(
    `the TXT record _harborlight.free.example.org is not "${sweepProof(INSTALLATION, "free.example.org")}"`,
  );
});

test("this machine and its networks may be swept from a location that is this machine, and from no other", async () => {
  for (const host of ["127.0.0.1", "192.168.1.99", "192.168.1.0/28"]) {
    expect(await ask(host, [host], "local")).toBeUndefined();
    expect(await ask(host, [host], "vpc")).toContain("may not be swept");
  }
  expect(await ask("192.168.2.1", ["192.168.2.1"], "local")).toContain("may not be swept");
});
