import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const MAIN = join(import.meta.dirname, "../../../infra/local/main.ts");
let folder: string;
const processes: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "harborlight-main-"));
});
afterAll(() => {
  for (const one of processes) one.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `npm start`'s command until it is ready, or ends. */
const start = async (env: Record<string, string> = {}) => {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, HARBORLIGHT_DATA: folder, HARBORLIGHT_PORT: "0", ...env },
  });
  processes.push(child);
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk;
  });
  const exit = once(child, "exit") as Promise<[number | null, string | null]>;
  const isReady = () => out.split("\n").length > 2;
  while (!isReady() && child.exitCode === null && child.signalCode === null) {
    await Promise.race([once(child.stdout, "data"), exit]);
  }
  return { child, exit, out: () => out, err: () => err };
};

test("prints address and token when the API answers, keeps both promises over a kill, and stops when asked", async () => {
  const first = await start();
  expect(first.out(), first.err()).toMatch(
    /^API (http:\/\/127\.0\.0\.1:\d+)\ntoken hl_[a-z0-9]+_[\w-]+\ndashboard \1\/login#once_[\w-]{43}\n$/,
  );
  const [, apiUrl, token] = /API (.*)\ntoken (.*)\n/.exec(first.out())!;
  const authorization = `Bearer ${token}`;
  expect((await fetch(`${apiUrl}/v1/health`)).status).toBe(200);
  for (const path of ["/", "/v1", "/favicon.ico"]) expect((await fetch(apiUrl + path)).status, path).toBe(200);
  expect((await fetch(`${apiUrl}/v1/monitors`, { headers: { authorization } })).status).toBe(200);

  const second = await start();
  expect((await second.exit)[0]).toBe(1);
  expect(second.err()).toMatch(/^harborlight: .*is another Harborlight running on this folder\?\n$/);
  const third = await start({ HARBORLIGHT_PORT: new URL(apiUrl!).port, HARBORLIGHT_DATA: join(folder, "other") });
  expect((await third.exit)[0]).toBe(1);
  expect(third.err()).toMatch(/^harborlight: port \d+ on 127.0.0.1 is in use.*HARBORLIGHT_PORT\n$/);

  first.child.kill("SIGKILL");
  await first.exit;
  const again = await start();
  expect(again.out(), again.err()).toContain(`token ${token}\n`);
  const url = /API (.*)\n/.exec(again.out())![1];
  expect((await fetch(`${url}/v1/monitors`, { headers: { authorization } })).status).toBe(200);
  again.child.kill("SIGTERM");
  expect(await again.exit).toEqual([0, null]);
  expect(readFileSync(join(folder, "token"), "utf8")).toBe(`${token}\n`);
});

test("says which setting is wrong, and ends with 1", async () => {
  const refused = await start({ HARBORLIGHT_PORT: "70000" });
  expect((await refused.exit)[0]).toBe(1);
  expect(refused.err()).toBe('harborlight: HARBORLIGHT_PORT must be a port from 0 to 65535, got "70000"\n');
});

test("says that the disk is full where it cannot begin for that, and ends with 1", async () => {
  // No root and no small disk needed: the limit of a file's size refuses writes as a full disk does.
  const child = spawn("sh", ["-c", `ulimit -f 0 && exec "$0" "$1"`, process.execPath, MAIN], {
    env: { ...process.env, HARBORLIGHT_DATA: join(folder, "full"), HARBORLIGHT_PORT: "0" },
  });
  processes.push(child);
  const [err, [code]] = await Promise.all([
    Array.fromAsync(child.stderr!).then((chunks) => Buffer.concat(chunks).toString()),
    once(child, "exit"),
  ]);
  expect(err).toMatch(/^harborlight: cannot start, because the disk of the data folder takes no data: .*\n$/);
  expect(code).toBe(1);
});

test("says why it cannot keep data in a folder, and ends with 1", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  for (const data of [file, join(file, "below")]) {
    const refused = await start({ HARBORLIGHT_DATA: data });
    expect((await refused.exit)[0]).toBe(1);
    expect(refused.err()).toMatch(/^harborlight: cannot keep data in \S+: set HARBORLIGHT_DATA to .*\n$/);
  }
});
