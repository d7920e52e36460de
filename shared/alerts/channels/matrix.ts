/**
 * Alert channel `matrix`: sends `m.room.message` to a room. The transaction id is the alert's id, so that the homeserver
 * takes an alert that is sent again for the same message. `m.mentions` is empty: nobody is mentioned. An event has at most
 * 65,536 bytes; 429 says `retry_after_ms`.
 * https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid
 */
import * as z from "zod/mini";
import { escapeHtml } from "../render.ts";
import { alertText, digestText, type Markup, PLAIN } from "../text.ts";
import { checking, jsonOf, withPause } from "./answer.ts";
import { at, key, matching, secret, server, shown } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

/** Both bodies, with JSON's escapes, stay within an event. */
const LIMIT = 24_000;
const TEXT: Markup = { ...PLAIN, limit: LIMIT, lengthOf: Buffer.byteLength };
const HTML: Markup = {
  escape: escapeHtml,
  bold: (text) => `<strong>${text}</strong>`,
  link: (url, label) => `<a href="${escapeHtml(url)}">${label}</a>`,
  limit: LIMIT,
  lengthOf: Buffer.byteLength,
};

interface Settings {
  readonly homeserver: string;
  readonly accessToken: string;
  readonly roomId: string;
}

const message = ({ homeserver, accessToken, roomId }: Settings, transaction: string, text: string, html: string) => {
  const path = `_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${encodeURIComponent(transaction)}`;
  const body = {
    msgtype: "m.text",
    body: text,
    format: "org.matrix.custom.html",
    formatted_body: html.replaceAll("\n", "<br>"),
    "m.mentions": {},
  };
  const request = postJson(at(homeserver, path), body, { authorization: `Bearer ${accessToken}` });
  return { ...request, method: "PUT" } as const;
};

const judged = checking((reply) => typeof jsonOf(reply).event_id === "string");

export const matrix = httpChannel<Settings>({
  title: "Matrix",
  summary: "Posts to one room of Matrix, as a user of a homeserver. The room must not be encrypted.",
  reference: "https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid",
  audience: "people",
  rate: null,
  settings: z.strictObject({
    homeserver: server("URL of the homeserver, such as https://matrix.example.com."),
    accessToken: secret(key(), "Access token of the user that posts."),
    roomId: shown(matching(/^!\S{1,254}$/, "the id of a room, such as !abc:example.com"), "Internal id of the room."),
  }),
  example: {
    homeserver: "https://matrix.example.com",
    accessToken: "syt_XXXXXXXX",
    roomId: "!abcdefghijklmnopqr:example.com",
  },
  render: (alert, settings) => message(settings, alert.alertId, alertText(alert, TEXT), alertText(alert, HTML)),
  renderDigest: (digest, settings) => message(settings, digest.id, digestText(digest, TEXT), digestText(digest, HTML)),
  judge: (reply) => {
    const { retry_after_ms: ms } = jsonOf(reply);
    return withPause(judged(reply), typeof ms === "number" ? ms / 1000 : undefined);
  },
});
