/** Makes the row of a channel that sends HTTP requests: the row only renders requests and judges replies. */
import { checkHost } from "../../engine/address-guard.ts";
import type { HttpReply, HttpRequest } from "../http.ts";
import { type Answer, byStatus, refused } from "./answer.ts";
import type { Channel } from "./channel.ts";

type HttpRow<Settings> = Omit<Channel<Settings, HttpRequest>, "isSetUp" | "send" | "target" | "errorsHere"> & {
  /** Default: by the status alone. */
  readonly judge?: (reply: HttpReply) => Answer;
};

const hostOf = (value: unknown): string | undefined =>
  typeof value === "string" && /^https?:/i.test(value) && URL.canParse(value) ? new URL(value).hostname : undefined;

export const httpChannel = <Settings extends object>({
  judge = byStatus,
  ...row
}: HttpRow<Settings>): Channel<Settings, HttpRequest> => ({
  ...row,
  isSetUp: ({ http }) => http !== undefined,
  // Names are checked when something is sent: they may resolve differently by then.
  errorsHere: (settings, { reach = "public" }) =>
    Object.entries(settings).flatMap(([path, value]) => {
      const host = hostOf(value);
      const wrong = host && checkHost(host, reach);
      return wrong ? [{ path, message: `${wrong}, which alerts may not be sent to` }] : [];
    }),
  send: async (request, { http }, signal) => {
    if (!http) throw new Error("this function sends no HTTP requests");
    let reply: HttpReply;
    try {
      reply = await http(request, signal);
    } catch (error) {
      return refused((error as Error).message);
    }
    return judge(reply);
  },
});

/** A request with a JSON body. */
export const postJson = (url: string, body: object, headers: Readonly<Record<string, string>> = {}): HttpRequest => ({
  method: "POST",
  url,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});
