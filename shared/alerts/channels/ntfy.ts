/**
 * Alert channel `ntfy`: publishes JSON to the root of an ntfy server. A message has at most 4096 bytes; a longer one would
 * become a file. Who knows the topic may read it, so it is a secret here.
 * https://docs.ntfy.sh/publish/#publish-as-json. Limits of ntfy.sh (60 requests, then one each five seconds):
 * https://docs.ntfy.sh/publish/#limitations.
 */
import * as z from "zod/mini";
import type { Severity } from "../../model.ts";
import { detailsWithLink, digestLines, digestTitle, markedTitle, PLAIN, textOf } from "../text.ts";
import { checking, jsonOf } from "./answer.ts";
import { key, matching, secret, server } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

const MARKUP = { ...PLAIN, limit: 4096, lengthOf: Buffer.byteLength };

const PRIORITIES = { critical: 5, warning: 4, info: 3 } as const satisfies Record<Severity, number>;

interface Settings {
  readonly server?: string | undefined;
  readonly topic: string;
  readonly token?: string | undefined;
}

interface Content {
  readonly title: string;
  readonly lines: readonly string[];
  readonly priority: number;
  readonly click: string | null;
}

const message = ({ server = "https://ntfy.sh", topic, token }: Settings, { title, lines, priority, click }: Content) =>
  postJson(
    server,
    { topic, title, message: textOf(lines, MARKUP), priority, ...(click && { click }) },
    token === undefined ? {} : { authorization: `Bearer ${token}` },
  );

export const ntfy = httpChannel<Settings>({
  title: "ntfy",
  summary: "Pushes to phones and desktops through ntfy.sh or an ntfy server of your own.",
  reference: "https://docs.ntfy.sh/publish/#publish-as-json",
  audience: "people",
  rate: { messages: 1, seconds: 5 },
  settings: z.strictObject({
    server: z.optional(server("URL of the ntfy server. Default https://ntfy.sh.")),
    topic: secret(
      matching(/^[-_A-Za-z0-9]{1,64}$/, "1 to 64 letters, digits, hyphens and underscores"),
      "Topic. Whoever knows it can read it, unless the server restricts it.",
    ),
    token: secret(z.optional(key()), "Access token, if the topic is restricted."),
  }),
  example: { topic: "harborlight-8f3a1c" },
  render: (alert, settings) =>
    message(settings, {
      title: markedTitle(alert),
      lines: detailsWithLink(alert),
      priority: PRIORITIES[alert.severity],
      click: alert.url,
    }),
  renderDigest: (digest, settings) =>
    message(settings, {
      title: digestTitle(digest),
      lines: digestLines(digest),
      priority: PRIORITIES.critical,
      click: digest.url,
    }),
  judge: checking((reply) => typeof jsonOf(reply).id === "string"),
});
