import { expect, test } from "vitest";
import { subscriptionInput } from "../../../functions/api/http/schemas.ts";
import { subscriptionErrors } from "../../../functions/api/subscriptions/subscription.ts";
import { email } from "../../../shared/monitor/escalation.ts";
import { isMailAddress } from "../../../shared/monitor/mail-address.ts";

const LONGEST = `${"a".repeat(64)}@${"b".repeat(61)}.${"c".repeat(61)}.${"d".repeat(62)}.ch`;

const taken = [
  "ops@example.com",
  "ops@xn--e1afmkfd.xn--p1ai",
  "noc&ops@example.com",
  "alerts=prod@example.com",
  "team/net@example.com",
  "#oncall@example.com",
  "o'brien+tag@example.co.uk",
  "a.b_c-d~{x}|y`z^w?v*u!t$s%r@example.com",
  '"on call"@example.com',
  '"a\\"b@c"@example.com',
  "ops@1and1.example",
  "ops@[192.0.2.1]",
  "ops@[IPv6:2001:db8::1]",
  LONGEST,
];
const refused = [
  "ops",
  "@example.com",
  "ops@",
  "ops@localhost",
  ".ops@example.com",
  "o..ps@example.com",
  "ops.@example.com",
  "o ps@example.com",
  "a,b@example.com",
  "a@b@example.com",
  "<ops@example.com>",
  '"a"b"@example.com',
  "ops@example..com",
  "ops@-example.com",
  "ops@example.com.",
  "ops@exa_mple.com",
  "ops@bücher.example",
  "öps@example.com",
  "ops@example.com\n",
  "ops@[192.0.2.256]",
  "ops@[IPv6:192.0.2.1]",
  `${"a".repeat(65)}@example.com`,
  `${LONGEST}x`,
];

const cases = [
  ...taken.map((address) => [address, true] as const),
  ...refused.map((address) => [address, false] as const),
];
test.each(cases)("%j in both places that take a mail address: %s", (address, isTaken) => {
  expect(isMailAddress(address)).toBe(isTaken);
  expect(email().safeParse(address).success).toBe(isTaken);
  const subscription = subscriptionInput.parse({ kind: "email", endpoint: "x" });
  expect(subscriptionErrors({ ...subscription, endpoint: address })).toHaveLength(isTaken ? 0 : 1);
});
