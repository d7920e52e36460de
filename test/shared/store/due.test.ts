import { GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDueStore, mustLook } from "../../../shared/store/due.ts";
import { dueBucket, monitorKey } from "../../../shared/store/keys.ts";
import { monitorOf, putMonitor } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

const NOW = Date.parse("2026-11-23T10:00:00.000Z");
const KEY = monitorKey("m1");
const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();
let tables: Awaited<ReturnType<typeof startTables>>;
beforeEach(async () => {
  tables = await startTables();
  await putMonitor(tables, monitorOf());
});
afterEach(() => tables.stop());

const due = () => createDueStore(tables.client, tables.tables.monitors);
const item = async () =>
  (await tables.client.send(new GetCommand({ TableName: tables.tables.monitors, Key: KEY }))).Item!;
const update = (UpdateExpression: string, ExpressionAttributeValues?: Record<string, unknown>) =>
  tables.client.send(
    new UpdateCommand({ TableName: tables.tables.monitors, Key: KEY, UpdateExpression, ExpressionAttributeValues }),
  );
const setTimer = (dueAt: string) =>
  update("SET nextEvaluationAt = :at, dueBucket = :bucket", { ":at": dueAt, ":bucket": dueBucket(KEY.pk) });
const own = async (seconds: number) => (await Array.fromAsync(due().before(new Date(at(seconds))))).flat();
const looks = async (seconds: number) => (await Array.fromAsync(due().overdueLooks(new Date(at(seconds))))).flat();

test("a change says by when it must have been looked at; an earlier moment stands", async () => {
  const first = mustLook(KEY.pk, NOW);
  await update(`SET ${first.set}`, first.values);
  const second = mustLook(KEY.pk, NOW + 30_000);
  await update(`SET ${second.set}`, second.values);
  expect(await item()).toMatchObject(first.attributes);
  expect(await looks(90)).toEqual([]);
  expect(await looks(91)).toEqual([{ ...KEY, dueAt: at(90), kind: "look" }]);
});

test("an own timer is touched once, and becomes a look", async () => {
  await setTimer(at(10));
  const [timer] = await own(11);
  expect(timer).toEqual({ ...KEY, dueAt: at(10), kind: "own" });
  expect(await due().touch(timer!, NOW + 11_000)).toBe(true);
  expect(await due().touch(timer!, NOW + 12_000)).toBe(false);
  expect(await item()).toMatchObject({ revision: 2, lookBy: at(101) });
  expect(await own(9999)).toEqual([]);
});

test("a timer that a decision has set anew is not touched for the one before", async () => {
  await setTimer(at(10));
  const [timer] = await own(11);
  await setTimer(at(60));
  expect(await due().touch(timer!, NOW + 11_000)).toBe(false);
  expect(await own(61)).toMatchObject([{ dueAt: at(60) }]);
});

test("looks that lead to no decision come after 90 s, then twice as late each time, up to 15 minutes", async () => {
  await due().nudge(KEY, NOW);
  const pauses: number[] = [];
  let now = 90;
  for (let touch = 0; touch < 6; touch++) {
    const [timer] = await looks(now + 1);
    expect(await due().touch(timer!, NOW + now * 1000)).toBe(true);
    expect(await due().touch(timer!, NOW + now * 1000)).toBe(false);
    const next = (Date.parse((await item()).lookBy) - NOW) / 1000;
    pauses.push(next - now);
    now = next;
  }
  expect(pauses).toEqual([90, 180, 360, 720, 900, 900]);
  await update("REMOVE lookBy, lookBucket, touches"); // as a stored decision does
  await due().nudge(KEY, NOW);
  expect(await item()).toMatchObject({ lookBy: at(90) });
});

test("a nudge brings up what is there, and nothing that is gone", async () => {
  expect(await due().nudge(KEY, NOW)).toBe(true);
  expect(await item()).toMatchObject({ revision: 2, lookBy: at(90) });
  expect(await due().nudge(monitorKey("gone"), NOW)).toBe(false);
});
