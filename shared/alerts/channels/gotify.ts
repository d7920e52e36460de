/**
 * Alert channel `gotify`: posts a message as an application of a Gotify server, in plain text.
 * https://gotify.net/api-docs#/message/createMessage, https://gotify.net/docs/msgextras
 */
import * as z from "zod/mini";
import type { Severity } from "../../model.ts";
import { detailsWithLink, digestLines, digestTitle, markedTitle } from "../text.ts";
import { checking, jsonOf } from "./answer.ts";
import { at, key, secret, server } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

/** From 8 on, the app for Android makes a sound and pops up. */
const PRIORITIES = { critical: 8, warning: 5, info: 4 } as const satisfies Record<Severity, number>;

interface Settings {
  readonly server: string;
  readonly token: string;
}

const message = (
  { server, token }: Settings,
  title: string,
  lines: readonly string[],
  priority: number,
  url: string | null,
) =>
  postJson(
    at(server, "message"),
    {
      title,
      message: lines.join("\n"),
      priority,
      extras: {
        "client::display": { contentType: "text/plain" },
        ...(url && { "client::notification": { click: { url } } }),
      },
    },
    { "x-gotify-key": token },
  );

export const gotify = httpChannel<Settings>({
  title: "Gotify",
  summary: "Pushes through a Gotify server of your own.",
  reference: "https://gotify.net/api-docs#/message/createMessage",
  audience: "people",
  rate: null,
  settings: z.strictObject({
    server: server("URL of the Gotify server."),
    token: secret(key(), "Token of an application."),
  }),
  example: { server: "https://gotify.example.com", token: "AbCdEf.123456" },
  render: (alert, settings) =>
    message(settings, markedTitle(alert), detailsWithLink(alert), PRIORITIES[alert.severity], alert.url),
  renderDigest: (digest, settings) =>
    message(settings, digestTitle(digest), digestLines(digest), PRIORITIES.critical, digest.url),
  judge: checking((reply) => typeof jsonOf(reply).id === "number"),
});
