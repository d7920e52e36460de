/** The public status pages on the tables of the API, state-change and compact, with one clock. */
import { brotliDecompressSync } from "node:zlib";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { createStatusPages } from "../../../functions/status-page/wiring.ts";
import { startWorld } from "../api/overview/world.ts";

interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  /** Fields of a form. */
  readonly form?: Readonly<Record<string, string>>;
  readonly sourceIp?: string;
}

export async function startStatusPages() {
  const world = await startWorld();
  const faults: Error[] = [];
  const handle = createStatusPages({
    client: world.client,
    tables: world.tables,
    sendsMail: true,
    log: (_message, error) => void faults.push(error),
    now: () => new Date(world.time.now * 1000),
  });

  const get = async (url: string, { method = "GET", headers = {}, cookies = [], form, sourceIp }: Request = {}) => {
    const [path = "", query = ""] = url.split("?");
    const answer = await handle({
      rawPath: path,
      rawQueryString: query,
      headers: { host: "status.example.com", "x-forwarded-proto": "https", ...headers },
      cookies: [...cookies],
      ...(form && { body: new URLSearchParams(form).toString() }),
      isBase64Encoded: false,
      requestContext: { http: { method, sourceIp: sourceIp ?? "192.0.2.1" } },
    } as unknown as APIGatewayProxyEventV2);
    const sent = Buffer.from(answer.body ?? "", answer.isBase64Encoded ? "base64" : "utf8");
    const own = (answer.headers ?? {}) as Record<string, string>;
    const bytes = own["content-encoding"] === "br" ? brotliDecompressSync(sent) : sent;
    return {
      status: answer.statusCode ?? 0,
      headers: own,
      cookies: answer.cookies ?? [],
      text: bytes.toString(),
      sent,
    };
  };

  /** Creates a page. @returns its id */
  const createPage = async (body: object): Promise<string> => {
    const answer = await world.call("POST", "/v1/status-pages", { body });
    if (answer.status !== 201) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
    world.time.now += 2;
    return answer.body.id;
  };

  return { ...world, get: world.get, read: get, createPage, faults };
}
export type StatusPages = Awaited<ReturnType<typeof startStatusPages>>;

export const entry = (monitorId: string, name: string) => ({ monitorId, name });
