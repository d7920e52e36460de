/** Makes the row of a channel that sends HTTP requests: the row only renders requests and judges replies. */
import type { HttpReply, HttpRequest } from "../http.ts";
import { type Answer, byStatus, refused } from "./answer.ts";
import type { Channel } from "./channel.ts";

type HttpRow<Settings> = Omit<Channel<Settings, HttpRequest>, "isSetUp" | "send" | "target"> & {
  /** Default: by the status alone. */
  readonly judge?: (reply: HttpReply) => Answer;
};

export const httpChannel = <Settings>({
  judge = byStatus,
  ...row
}: HttpRow<Settings>): Channel<Settings, HttpRequest> => ({
  ...row,
  isSetUp: ({ http }) => http !== undefined,
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
