import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { readSettings } from "../../../infra/local/settings.ts";

test("without any variable the defaults hold, and an empty one counts as none", () => {
  const defaults = {
    port: 4000,
    dataFolder: resolve(".harborlight"),
    host: undefined,
    token: undefined,
    smtpUrl: undefined,
  };
  expect(readSettings({})).toMatchObject(defaults);
  expect(readSettings({ HARBORLIGHT_PORT: "", SMTP_URL: " " })).toMatchObject(defaults);
  const some = { HARBORLIGHT_PORT: "80", HARBORLIGHT_LOCATIONS: "a, b", HARBORLIGHT_CONTROL_TARGETS: "a:1, [::1]:2" };
  expect(readSettings(some)).toMatchObject({ port: 80, locations: ["a", "b"], controlTargets: ["a:1", "[::1]:2"] });
});

test("the public address is taken without a slash at its end", () => {
  const read = (url: string) => readSettings({ HARBORLIGHT_PUBLIC_URL: url }).publicUrl;
  expect(read("https://monitor.example.com/")).toBe("https://monitor.example.com");
  expect(read("http://192.0.2.1:4000/base/")).toBe("http://192.0.2.1:4000/base");
});

describe("refuses", () => {
  test.for([
    ["HARBORLIGHT_PORT", "65536", /HARBORLIGHT_PORT must be a port from 0 to 65535, got "65536"/],
    ["HARBORLIGHT_PORT", "http", /HARBORLIGHT_PORT must be a port/],
    ["HARBORLIGHT_LOCATIONS", "a,,b", /HARBORLIGHT_LOCATIONS must be different names/],
    ["HARBORLIGHT_LOCATIONS", "a,a", /comes twice/],
    ["HARBORLIGHT_LOCATIONS", "Zürich", /"Zürich" is not one/],
    ["HARBORLIGHT_CONTROL_TARGETS", "1.1.1.1", /HARBORLIGHT_CONTROL_TARGETS\[0\] must be host:port .* got "1.1.1.1"/],
    ["HARBORLIGHT_TOKEN", "secret", /HARBORLIGHT_TOKEN must be hl_.*got something else/],
    ["HARBORLIGHT_SENDER", "me", /HARBORLIGHT_SENDER must be a mail address/],
    ["HARBORLIGHT_PUBLIC_URL", "monitor.example.com", /HARBORLIGHT_PUBLIC_URL must be the address .* got "monitor/],
    ["HARBORLIGHT_PUBLIC_URL", "https://a.example.com/?x=1", /HARBORLIGHT_PUBLIC_URL must be/],
    ["SMTP_URL", "mail.example.com", /SMTP_URL must be smtp:/],
  ] as const)("%s=%s", ([name, value, message]) => {
    expect(() => readSettings({ [name]: value })).toThrow(message);
  });
});

test("every wrong variable is told at once, and of a secret nothing is shown", () => {
  const env = { HARBORLIGHT_PORT: "http", HARBORLIGHT_TOKEN: "hunter2", HARBORLIGHT_CONTROL_TARGETS: "a, b:1, c" };
  let message = "";
  try {
    readSettings(env);
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message.split("\n")).toEqual([
    'HARBORLIGHT_PORT must be a port from 0 to 65535, got "http"',
    expect.stringMatching(/^HARBORLIGHT_TOKEN must be hl_.*got something else$/),
    expect.stringMatching(/^HARBORLIGHT_CONTROL_TARGETS\[0\] must be .* got "a"$/),
    expect.stringMatching(/^HARBORLIGHT_CONTROL_TARGETS\[2\] must be .* got "c"$/),
  ]);
  expect(message).not.toContain("hunter2");
});
