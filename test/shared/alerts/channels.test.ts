import { describe, expect, test } from "vitest";
import { channelOf, channels, channelsSetUp } from "../../../shared/alerts/channels/index.ts";
import { parseReceiver, receiverOf } from "../../../shared/receiver.ts";
import { systemAlert } from "../../../shared/rules/system.ts";
import { SYSTEM_EVENTS, type SystemEvent } from "../../../shared/system-events.ts";

const outside = {
  publish: () => Promise.reject(new Error("not asked")),
  sendMail: () => Promise.reject(new Error("not asked")),
  topics: { alerts: "alerts", people: "people", system: "system" },
  sender: "sender@example.com",
};

test("a receiver's text names its channel and the receiver's settings", () => {
  expect(channelOf(receiverOf("sns"))).toEqual({ channel: channels.sns, settings: {} });
  const literal = "ops@[IPv6:2001:db8::1]";
  expect(receiverOf("email", literal)).toBe(`email:${literal}`);
  expect(channelOf(`email:${literal}`)).toEqual({ channel: channels.email, settings: { address: literal } });
});

test.each([
  ["email", "email is no receiver of alert channel email: address is required"],
  ["email:", "address must be a mail address"],
  ["email:ops", "address must be a mail address"],
  ["pigeon:7", "there is no alert channel pigeon"],
  ["incident", "there is no alert channel incident"],
  ["toString", "there is no alert channel toString"],
])("%s is no receiver of a channel", (text, message) => {
  expect(() => channelOf(text)).toThrow(message);
});

test("no channel can be taken for another receiver of the outbox", () => {
  for (const name of Object.keys(channels)) {
    expect(["incident", "system"]).not.toContain(name);
    expect(parseReceiver(name)).toEqual({ channel: name, target: undefined });
  }
});

test("mail is set up where there is a sender", () => {
  expect(channelsSetUp(outside)).toEqual(["email", "people", "sns"]);
  expect(channelsSetUp({ ...outside, sender: undefined })).toEqual(["people", "sns"]);
});

const alert = (event: SystemEvent) =>
  systemAlert({ event, about: "location.a", subject: "Location a: silent", message: "No heartbeat." }, 1, iso);
const iso = "2026-11-27T10:00:00.000Z";

describe.each(Object.entries(channels))("%s", (_name, channel) => {
  const { settings, example } = channel;
  const rendered = (event: SystemEvent) =>
    JSON.stringify(channel.render(alert(event), settings.parse(example), { ...outside, now: new Date(iso) }));

  test.each(SYSTEM_EVENTS)("tells of %s in its own words, and names no port", (event) => {
    const text = rendered(event);
    expect(text).toMatch(/Location a.{0,3}: silent|system\.location\.a/);
    expect(text).not.toMatch(/harborlight:0/);
  });
});
