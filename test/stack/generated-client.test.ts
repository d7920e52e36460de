/** A TypeScript client that is generated from the document of the running product: it compiles, works, and agrees with the dashboard. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { generateApi } from "swagger-typescript-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort, type Product, startProduct } from "../support/product.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");

/** Uses the generated client as a program of a customer would. */
const PROGRAM = `
import { Api, type MonitorInput } from "./api.ts";

const [baseUrl, token] = process.argv.slice(2);
const api = new Api({ baseUrl, baseApiParams: { headers: { authorization: \`Bearer \${token}\` } } });
const monitor: MonitorInput = {
  name: "Generated",
  protocol: "https",
  host: "127.0.0.1",
  port: 9,
  settings: { path: "/health", tls: { verify: false } },
  alerts: { emails: ["ops@example.com"] },
};
const { data: created } = await api.v1.createMonitor(monitor);
const { data: changed } = await api.v1.updateMonitor(created.id, { intervalSeconds: 30, key: null });
const { data: applied } = await api.v1.applyMonitors({
  monitors: [{ key: "a", name: "Applied", protocol: "dns", host: "127.0.0.1", settings: { transport: "tcp" } }],
});
const { data: page } = await api.v1.listMonitors({ limit: 10, tag: [] });
const { data: results } = await api.v1.listResults(created.id, { limit: 5 });
const { data: stats } = await api.v1.getStats(created.id, { step: "1h", from: "-2h" });
const seconds: number = stats.total.seconds.noData;
const refused = await api.v1.createMonitor({ ...monitor, port: 0 }).catch((error) => error.error.code);
console.log(JSON.stringify({
  interval: changed.intervalSeconds,
  applied: applied.created.length,
  names: page.items.map(({ name }) => name),
  results: results.items.length,
  isKnown: seconds >= 0,
  refused,
}));
`;

/** What the dashboard's page reads of answers, by file; each by the name that the document has for it. */
const READ_BY_PAGE = {
  model: {
    Session: "OwnSession",
    Location: "Location",
    Row: "OverviewItem",
    Overview: "Overview",
    View: "View",
    Monitor: "Monitor",
    Incident: "Incident",
    Stats: "Stats",
    Result: "Result",
  },
  alerts: {
    Channel: "Channel",
    Delivery: "Delivery",
    Hearer: "Hearer",
    MaintenanceWindow: "MaintenanceWindow",
    Policy: "Policy",
    Subscription: "Subscription",
  },
  pages: { StatusPage: "StatusPage", PageNotice: "StatusPageNotice", Subscriber: "StatusPageSubscriber" },
};
/** Does not compile unless each answer has what the page reads, in those types. */
const AGREEMENT = `
import type * as api from "./api.ts";
import type * as model from ${JSON.stringify(join(ROOT, "functions/web/page/model.ts"))};
import type * as alerts from ${JSON.stringify(join(ROOT, "functions/web/page/alerts-model.ts"))};
import type * as pages from ${JSON.stringify(join(ROOT, "functions/web/page/status-pages/page.ts"))};

/** The generator calls values of maps, such as tags, optional, because the document restricts their names. */
type Whole<T> = T extends readonly (infer One)[]
  ? Whole<One>[]
  : T extends object
    ? string extends keyof T
      ? { [Name in keyof T]-?: Exclude<Whole<T[Name]>, undefined> }
      : { [Name in keyof T]: Whole<T[Name]> }
    : T;
${Object.entries(READ_BY_PAGE)
  .flatMap(([file, types]) => Object.entries(types).map(([read, answer]) => [file, read, answer]))
  .map(([file, read, answer]) => `export const as${read} = (answer: Whole<api.${answer}>): ${file}.${read} => answer;`)
  .join("\n")}
`;

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    target: "esnext",
    module: "nodenext",
    lib: ["esnext", "dom"],
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules/@types")],
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  },
  files: ["program.ts", "agreement.ts"],
};

const folder = mkdtempSync(join(tmpdir(), "harborlight-client-"));
let product: Product;
beforeAll(async () => {
  product = await startProduct(join(folder, "data"), await freePort());
}, 120_000);
afterAll(async () => {
  await product?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("it lists, creates, patches, applies, and reads results and statistics", { timeout: 120_000 }, async () => {
  const spec = await (await fetch(`${product.apiUrl}/v1/openapi.json`)).json();
  const { files } = await generateApi({
    spec,
    output: false,
    silent: true,
    httpClientType: "fetch",
    generateUnionEnums: true,
  });
  writeFileSync(join(folder, "api.ts"), files[0]?.fileContent ?? "");
  writeFileSync(join(folder, "program.ts"), PROGRAM);
  writeFileSync(join(folder, "agreement.ts"), AGREEMENT);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  const compiler = join(ROOT, "node_modules/typescript/lib/tsc.js");
  const { stdout: mistakes } = await run(process.execPath, [compiler, "-p", folder]).catch((error) => error);
  expect(mistakes).toBe("");
  const { stdout } = await run(process.execPath, [join(folder, "program.ts"), product.apiUrl, product.token]);
  expect(JSON.parse(stdout)).toEqual({
    interval: 30,
    applied: 1,
    names: ["Applied", "Generated"],
    results: 0,
    isKnown: true,
    refused: "invalid-input",
  });
});
