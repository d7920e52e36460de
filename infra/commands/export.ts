/**
 * `npm run export -- --from 2026-11-01 --to 2026-11-08 --format csv`: streams all outcomes to stdout through the HTTP API,
 * monitor by monitor, oldest first; progress goes to stderr. Transient failures are retried; the message of a final
 * failure has the `--resume` option that continues where it stopped.
 */
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { DAY_MS } from "../../shared/durations.ts";
import { RESULT_COLUMNS } from "../../shared/history/outcome.ts";

const USAGE =
  "usage: npm run export -- --from MOMENT [--to MOMENT] [--format csv|jsonl] [--monitor ID] [--resume ID,DATE] [--url URL]\n" +
  "moments in ISO 8601; the token comes from HARBORLIGHT_TOKEN, or from the one-machine stack in HARBORLIGHT_DATA or .harborlight";

/** An error that the caller can fix; the message says how. */
export class ExportError extends Error {
  override readonly name = "ExportError";
}

export interface Source {
  readonly url: string;
  readonly token: string;
}

export interface ExportOptions {
  readonly from: Date;
  readonly to: Date;
  readonly format: "csv" | "jsonl";
  /** One monitor only. */
  readonly monitor?: string | undefined;
  /** Continue after this day (`YYYY-MM-DD`) of this monitor: everything up to its end was written before. */
  readonly resume?: { readonly id: string; readonly date: string } | undefined;
}

export interface Output {
  readonly write: (text: string) => Promise<void>;
  readonly progress: (line: string) => void;
  /** Milliseconds before the first retry; doubles with each. Default 250. */
  readonly firstPauseMs?: number;
}

type Result = Readonly<Record<(typeof RESULT_COLUMNS)[number], unknown>>;

/** Attempts of a request. Pauses double from 250 ms: about two minutes in all, which outlasts a deployment. */
const ATTEMPTS = 10;

/** @returns how many outcomes were written. @throws {ExportError} */
export async function exportOutcomes(source: Source, options: ExportOptions, output: Output): Promise<number> {
  const { write, progress } = output;
  const ids = options.monitor ? [options.monitor] : await listMonitors(source, output);
  if (options.format === "csv" && !options.resume) await write(`${["monitorId", ...RESULT_COLUMNS].join(",")}\r\n`);
  let outcomes = 0;
  for (const [index, id] of ids.entries()) {
    if (options.resume && id < options.resume.id) continue;
    const isResumed = id === options.resume?.id;
    const first = isResumed
      ? Math.max(Date.parse(options.resume.date) + DAY_MS, options.from.getTime())
      : options.from.getTime();
    let done = isResumed ? options.resume.date : undefined;
    for (let from = first; from < options.to.getTime(); ) {
      const to = Math.min(Math.floor(from / DAY_MS) * DAY_MS + DAY_MS, options.to.getTime());
      try {
        const results = await readResults(source, id, from, to, output);
        await write(results.map((result) => format(options.format, id, result)).join(""));
        outcomes += results.length;
      } catch (error) {
        // When the first day of a monitor failed, the export resumes after the day before.
        const date = done ?? new Date(options.from.getTime() - DAY_MS).toISOString().slice(0, 10);
        throw new ExportError(
          `${(error as Error).message}\ncontinue with the same options and --resume ${id},${date}`,
          {
            cause: error,
          },
        );
      }
      done = new Date(from).toISOString().slice(0, 10);
      progress(`${index + 1} of ${ids.length} monitors, ${done}, ${outcomes} outcomes`);
      from = to;
    }
  }
  return outcomes;
}

/** All ids in sorted order, which does not change when monitors are renamed. */
async function listMonitors(source: Source, output: Output): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: { items: { id: string }[]; nextCursor: string | null } = await call(
      source,
      `/v1/monitors?limit=200${cursor && `&cursor=${cursor}`}`,
      output,
    );
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  return ids.sort();
}

/** Oldest first. A day of one monitor fits memory. */
async function readResults(source: Source, id: string, from: number, to: number, output: Output): Promise<Result[]> {
  const query = new URLSearchParams({
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    limit: "1000",
  });
  const results: Result[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    if (cursor) query.set("cursor", cursor);
    const path = `/v1/monitors/${encodeURIComponent(id)}/results?${query.toString()}`;
    const page: { items: Result[]; nextCursor: string | null } = await call(source, path, output);
    results.push(...page.items);
    cursor = page.nextCursor;
  }
  return results.reverse();
}

const format = (kind: ExportOptions["format"], monitorId: string, result: Result) =>
  kind === "jsonl"
    ? `${JSON.stringify({ monitorId, ...result })}\n`
    : `${[monitorId, ...RESULT_COLUMNS.map((name) => result[name] ?? "")].join(",")}\r\n`;

/** One GET request. Retries network errors, throttling (429) and server errors (5xx). @throws {ExportError} */
async function call<T>({ url, token }: Source, path: string, { progress, firstPauseMs = 250 }: Output): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const { status, body } = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${token}` } }).then(
      async (response) => ({ status: response.status, body: await response.text() }),
      (error: Error) => ({ status: 0, body: `no answer from ${url}: ${String(error.cause ?? error)}` }),
    );
    if (status === 200) return JSON.parse(body) as T;
    const isPassing = status === 0 || status === 429 || status >= 500;
    if (!isPassing || attempt === ATTEMPTS) throw new ExportError(`${path}: ${status || ""} ${explain(body)}`);
    if (attempt > 3) progress(`trying again: ${explain(body)}`);
    await sleep(firstPauseMs * 2 ** (attempt - 1));
  }
}

/** The detail of a problem document, or the text itself. */
function explain(body: string): string {
  try {
    const { detail, message } = JSON.parse(body);
    return String(detail ?? message ?? body);
  } catch {
    return body;
  }
}

/** Finds API and token, in this order: `--url` and HARBORLIGHT_TOKEN; `cdk-outputs.json`; the one-machine stack. @throws {ExportError} */
export function findSource(url: string | undefined, folder: string, env: NodeJS.ProcessEnv): Source {
  const data = env.HARBORLIGHT_DATA ?? join(folder, ".harborlight");
  const tokenFile = join(data, "token");
  const token = env.HARBORLIGHT_TOKEN ?? (existsSync(tokenFile) ? readFileSync(tokenFile, "utf8").trim() : undefined);
  if (!token) throw new ExportError(`set HARBORLIGHT_TOKEN, or start the one-machine stack: there is no ${tokenFile}`);
  const outputs = [join(folder, "cdk-outputs.json"), join(data, "outputs.json")].filter((path) => existsSync(path));
  const found = url ?? (outputs[0] && apiUrlIn(outputs[0]));
  if (!found)
    throw new ExportError(`name the API with --url: there is no ApiUrl in ${outputs[0] ?? "any outputs file"}`);
  return { url: found, token };
}

function apiUrlIn(path: string): string | undefined {
  const stacks = Object.values(JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>);
  for (const stack of stacks) {
    const url = typeof stack === "object" && stack !== null ? (stack as { ApiUrl?: unknown }).ApiUrl : undefined;
    if (typeof url === "string") return url;
  }
  return undefined;
}

/** Whether this is a moment in ISO 8601. JavaScript alone would take 30 February for a day in March. */
const isMoment = (text: string): boolean => {
  const date = text.slice(0, "2026-11-22".length);
  return (
    /^\d{4}-\d{2}-\d{2}(T.*(Z|[+-]\d{2}:?\d{2}))?$/.test(text) &&
    Date.parse(text) >= 0 &&
    new Date(`${date}T00:00:00Z`).toISOString().startsWith(date)
  );
};

/** @throws {ExportError} */
export function parseOptions(args: string[], now = new Date()): ExportOptions & { readonly url: string | undefined } {
  const text = { type: "string" } as const;
  const options = { from: text, to: text, format: text, monitor: text, resume: text, url: text };
  const { values } = (() => {
    try {
      return parseArgs({ args, options });
    } catch (error) {
      throw new ExportError(`${(error as Error).message}\n${USAGE}`);
    }
  })();
  const moment = (name: "from" | "to") => {
    const value = values[name] ?? "";
    if (!isMoment(value))
      throw new ExportError(
        `--${name} must be a moment in ISO 8601, from 1970 on, such as 2026-11-22 or 2026-11-22T10:00:00Z, got "${value}"`,
      );
    return new Date(value);
  };
  const [from, to] = [moment("from"), values.to === undefined ? now : moment("to")];
  if (from >= to) throw new ExportError(`--from must be before --to (${to.toISOString()})`);
  if (to > now) throw new ExportError(`--to must not be in the future: it is ${now.toISOString()}`);
  const { format: kind = "csv", monitor, resume, url } = values;
  if (kind !== "csv" && kind !== "jsonl") throw new ExportError(`--format must be csv or jsonl, got "${kind}"`);
  const [, id = "", date = ""] = /^([^,]+),(\d{4}-\d{2}-\d{2})$/.exec(resume ?? "") ?? [];
  if (url !== undefined && !/^https?:/.test(URL.parse(url)?.protocol ?? ""))
    throw new ExportError(`--url must be the API's URL, such as http://127.0.0.1:4000, got "${url}"`);
  if (resume !== undefined && !id) throw new ExportError(`--resume must be <monitor id>,<YYYY-MM-DD>, got "${resume}"`);
  return { from, to, format: kind, monitor, resume: id ? { id, date } : undefined, url };
}

async function main() {
  if (process.argv.some((word) => word === "--help" || word === "-h")) return console.log(USAGE);
  const options = parseOptions(process.argv.slice(2));
  const { stdout, stderr } = process;
  // A reader that closes the pipe early (`| head`) is no failure.
  stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  const write = async (text: string) => {
    if (text && !stdout.write(text)) await once(stdout, "drain");
  };
  const progress = (line: string) => void stderr.write(stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  const count = await exportOutcomes(findSource(options.url, process.cwd(), process.env), options, { write, progress });
  stderr.write(`${stderr.isTTY ? "\n" : ""}${count} outcomes\n`);
}

if (import.meta.main) {
  await main().catch((error) => {
    if (!(error instanceof ExportError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
}
