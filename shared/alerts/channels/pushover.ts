/**
 * Alert channel `pushover`: a message has at most 1024 characters, its title 250, its URL 512. Success is a 200 whose JSON
 * has `status` 1; 4xx says that the request is wrong, 429 that the month's messages are used up.
 * https://pushover.net/api
 */
import * as z from "zod/mini";
import type { Severity } from "../../model.ts";
import { detailsWithLink, digestLines, digestTitle, markedTitle, PLAIN, textOf } from "../text.ts";
import { checking, jsonOf } from "./answer.ts";
import { matching, secret, shown } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

const MARKUP = { ...PLAIN, limit: 1024 };
const MAX_TITLE = 250;
const MAX_URL = 512;

/** 1 bypasses quiet hours; 2 would repeat until somebody acknowledges. */
const PRIORITIES = { critical: 1, warning: 0, info: 0 } as const satisfies Record<Severity, number>;

interface Settings {
  readonly token: string;
  readonly user: string;
  readonly device?: string | undefined;
}

const message = (
  { token, user, device }: Settings,
  title: string,
  lines: readonly string[],
  priority: number,
  url: string | null,
) =>
  postJson("https://api.pushover.net/1/messages.json", {
    token,
    user,
    ...(device !== undefined && { device }),
    title,
    message: textOf(lines, MARKUP),
    priority,
    ...(url && url.length <= MAX_URL && { url, url_title: "Details" }),
  });

const KEY = matching(/^[A-Za-z0-9]{30}$/, "30 letters and digits");

export const pushover = httpChannel<Settings>({
  title: "Pushover",
  summary: "Pushes to the devices of a user or group of Pushover.",
  reference: "https://pushover.net/api",
  audience: "people",
  rate: null,
  settings: z.strictObject({
    token: secret(KEY, "API token of an application."),
    user: secret(KEY, "Key of the user or group."),
    device: shown(
      z.optional(matching(/^[\w-]{1,25}(,[\w-]{1,25}){0,9}$/, "names of devices, separated by commas")),
      "Names of devices, separated by commas. Default: all.",
    ),
  }),
  example: { token: "azGDORePK8gMaC0QOYAMyEEuzJnyUi", user: "uQiRzpo4DXghDmr9QzzfQu27cmVRsG" },
  render: (alert, settings) =>
    message(settings, markedTitle(alert, MAX_TITLE), detailsWithLink(alert), PRIORITIES[alert.severity], alert.url),
  renderDigest: (digest, settings) =>
    message(settings, digestTitle(digest), digestLines(digest), PRIORITIES.critical, digest.url),
  judge: checking((reply) => jsonOf(reply).status === 1),
});
