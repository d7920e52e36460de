/**
 * A disk that fills up and gets room again, without root: the limit of a file's size (`RLIMIT_FSIZE`) set to nothing lets
 * every write of a running process fail, as a full disk does, and can be taken back.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startProduct } from "../../support/product.ts";
import { eventually } from "./fixture.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "harborlight-full-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** @param bytes of the largest file that the process may write; without them there is no limit */
const limitFiles = ({ pid }: ChildProcess, bytes?: number): void => {
  execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes ?? "unlimited"}:unlimited`]);
};

test("a full disk ends nothing: changes get a 507, checks go on, what happened is told once, and no restart is needed", async () => {
  const product = await startProduct(folder, 0);
  let errors = "";
  product.child.stderr!.on("data", (chunk) => {
    errors += chunk;
  });
  const call = async (method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${product.token}`, "content-type": "application/json" };
    const init = body ? { method, headers, body: JSON.stringify(body) } : { method, headers };
    const answer = await fetch(product.apiUrl + path, init);
    // biome-ignore lint/suspicious/noExplicitAny: JSON as it came
    return { status: answer.status, body: (await answer.json()) as any };
  };
  const target = createServer((socket) => socket.end()).listen(0, "127.0.0.1");
  await once(target, "listening");
  let knocks = 0;
  target.on("connection", () => {
    knocks += 1;
  });
  const { port } = target.address() as { port: number };
  const monitor = { name: "one", protocol: "tcp", host: "127.0.0.1", port, intervalSeconds: 10, retries: { count: 0 } };
  const created = await call("POST", "/v1/monitors", { ...monitor, alerts: { emails: ["ops@example.com"] } });
  expect(created.status).toBe(201);
  const heard: { NewStateValue?: string; AlarmName?: string }[] = [];
  const hook = createHttpServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString());
    response.end();
    if (body.SubscribeURL) await fetch(body.SubscribeURL);
    else if (body.Message.startsWith("{")) heard.push(JSON.parse(body.Message));
  }).listen(0, "127.0.0.1");
  await once(hook, "listening");
  const endpoint = `http://127.0.0.1:${(hook.address() as { port: number }).port}/`;
  await call("POST", "/v1/subscriptions", { kind: "http", topic: "system", endpoint });
  await eventually(async () => {
    const { body } = await call("GET", "/v1/subscriptions?topic=system");
    expect(body.items).toMatchObject([{ isConfirmed: true }]);
  });
  const told = () =>
    heard.filter(({ AlarmName }) => AlarmName === "disk-of-the-data-folder").map(({ NewStateValue }) => NewStateValue);
  const statusOf = async () => (await call("GET", `/v1/monitors/${created.body.id}`)).body.status;
  await eventually(async () => expect(await statusOf()).toBe("up"), 30_000);

  limitFiles(product.child, 0);
  const refused = await call("POST", "/v1/monitors", { ...monitor, name: "while full" });
  expect([refused.status, refused.body.message]).toEqual([507, expect.stringContaining("takes no data")]);
  await eventually(() => expect(told()).toEqual(["ALARM"]));
  const before = knocks;
  await eventually(() => expect(knocks).toBeGreaterThan(before + 1), 40_000);
  expect((await call("POST", "/v1/subscriptions", { kind: "email", endpoint: "a@example.com" })).status).toBe(507);
  expect(await statusOf()).toBe("up"); // reading goes on
  target.close();

  limitFiles(product.child);
  await eventually(async () => {
    expect((await call("POST", "/v1/monitors", { ...monitor, name: "after" })).status).toBe(201);
  });
  await eventually(async () => expect(await statusOf()).toBe("down"), 60_000);
  await eventually(async () => {
    const { body } = await call("GET", "/v1/monitors");
    expect(body.items?.map(({ name }: { name: string }) => name).toSorted()).toEqual(["after", "one"]);
  });
  await eventually(() => expect(told()).toEqual(["ALARM", "OK"]));
  hook.close();
  expect(product.child.exitCode).toBe(null);
  expect(errors).toMatch(/takes no data: a file has reached the largest size allowed.*\n(?:.*\n)*.*takes data again/);
  expect(errors).not.toMatch(/\n {4}at /);
  await product.stop();
  expect(readdirSync(folder, { recursive: true }).filter((name) => /\.(half|new)$|\.room$/.test(String(name)))).toEqual(
    [],
  );

  const again = await startProduct(folder, 0);
  const listed = await fetch(`${again.apiUrl}/v1/monitors`, { headers: { authorization: `Bearer ${again.token}` } });
  const { items } = (await listed.json()) as { items: { name: string }[] };
  expect(items.map(({ name }) => name).toSorted()).toEqual(["after", "one"]);
  await again.stop();
  const subjects = readdirSync(join(folder, "mail")).map((name) =>
    /^Subject: (.*)$/m.exec(readFileSync(join(folder, "mail", name), "utf8"))?.[1]?.trim(),
  );
  expect(subjects.filter((subject) => subject?.includes("DOWN"))).toEqual([
    expect.stringMatching(/^\[DOWN\] one is down \(/),
  ]);
}, 180_000);

test("a disk that fills up in the middle of a write loses nothing acknowledged, and leaves no half of anything", async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "crash-writer.ts"), folder, "goes-on"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const acknowledged = new Map<string, number>();
  let [rest, count, refusals] = ["", 0, 0];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const [item, revision] = line.split(" ");
      if (revision === "refused") refusals += 1;
      else {
        acknowledged.set(`item${item}`, Number(revision));
        count += 1;
      }
    }
  });
  // Anywhere in LevelDB's log, so that records are torn; then room again. Three times.
  for (let round = 0; round < 3; round += 1) {
    const [written, refused] = [count, refusals];
    await eventually(() => expect(count).toBeGreaterThan(written + 300));
    limitFiles(child, 200_000 + 777 * round);
    await eventually(() => expect(refusals).toBeGreaterThan(refused), 40_000);
    limitFiles(child);
  }
  const written = count;
  await eventually(() => expect(count).toBeGreaterThan(written + 300));
  child.kill("SIGKILL");
  await once(child, "close");

  const { openDatabase } = await import("../../../infra/local/dynamodb/database.ts");
  const { things } = await import("./things.ts");
  const database = await openDatabase({ dataFolder: folder, tables: [things()] });
  const { Items } = (await database.handle("Scan", { TableName: "things" })).body as {
    Items: { pk: { S: string }; revision: { N: string } }[];
  };
  const stored = new Map(Items.map(({ pk, revision }) => [pk.S, Number(revision.N)]));
  expect(acknowledged.size).toBe(20);
  for (const [item, revision] of acknowledged) expect(stored.get(item)).toBeGreaterThanOrEqual(revision);
  await database.close();
}, 120_000);
