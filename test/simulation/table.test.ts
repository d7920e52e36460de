/**
 * The simulator's tables answer as DynamoDB does: seeded traffic of all stores, and odd commands of every kind, is sent to
 * them, to the one-machine stack's tables, to dynalite, and where there is Java to Amazon's DynamoDB Local. Every answer must
 * be equal.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { openDatabase } from "../../infra/local/dynamodb/database.ts";
import type { Document } from "../../infra/local/dynamodb/engine/document.ts";
import { type Call, createTable, startDynalite } from "../support/dynalite.ts";
import { startDynamoDbLocal, whyNoDynamoDbLocal } from "../support/dynamodb-local.ts";
import { inProcessClient } from "../support/in-process-client.ts";
import { tableDefinitions } from "../support/schema.ts";
import { chanceOf } from "./clock.ts";
import { beyondDynalite, oddCommands } from "./odd-commands.ts";
import { storeTraffic } from "./store-traffic.ts";
import { createTables, type TableCommand } from "./tables.ts";

const COMMANDS = 2_500;
/** DynamoDB Local takes 8 ms for one. */
const COMMANDS_TO_AMAZON = 300;
/** Some seconds each on an idle machine; many where others want the same cores. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const KINDS = {
  GetCommand,
  PutCommand,
  UpdateCommand,
  DeleteCommand,
  QueryCommand,
  BatchGetCommand,
  BatchWriteCommand,
} as unknown as Record<string, new (input: object) => TableCommand>;

interface Asked {
  readonly kind: string;
  /** As it was when it was sent. */
  readonly input: object;
  readonly answer: unknown;
}

type Answer = {
  readonly Items?: Document[];
  readonly Responses?: Record<string, Document[]>;
} & Record<string, unknown>;

/** What can be compared: sets in an order, bytes as text. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Set) return { set: [...value].toSorted() };
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}

const byKey = (items: readonly Document[]) => {
  // A projection may leave the key out.
  const nameOf = (item: Document) => (item.sk === undefined ? JSON.stringify(plain(item)) : `${item.pk} ${item.sk}`);
  return items.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
};

/** The answer to a command, or the name of its error; a batch, and timers of the same moment, come in no order. */
async function comparable(input: object, answer: Promise<unknown>): Promise<unknown> {
  try {
    const { Items, Responses, ...rest } = (await answer) as Answer;
    const isUnordered = ["due", "look-by"].includes((input as { IndexName?: string }).IndexName ?? "");
    // Clients differ in what they say of absence.
    const { Item, Attributes, LastEvaluatedKey, UnprocessedKeys = {}, UnprocessedItems = {} } = rest;
    const responses = Object.entries(Responses ?? {}).map(([name, items]) => [name, byKey(items)]);
    return plain({
      Item,
      Attributes,
      LastEvaluatedKey,
      UnprocessedKeys,
      UnprocessedItems,
      Items: Items && isUnordered ? byKey(Items) : Items,
      Responses: Object.fromEntries(responses),
    });
  } catch (error) {
    return { error: (error as Error).name };
  }
}

const definitions = tableDefinitions();
const names = { monitors: definitions.monitors.name, history: definitions.history.name };

/** Plays traffic and odd commands on tables in memory, and keeps what was asked and answered. */
async function recorded(seed: string, commands: number, odd: readonly (readonly [string, object])[]) {
  const tables = createTables(Object.values(definitions), { now: () => 0 });
  const asked: Asked[] = [];
  const send = async (command: TableCommand) => {
    const input = structuredClone(command.input);
    const answer = tables.send(command);
    asked.push({ kind: command.constructor.name, input, answer: await comparable(input, answer) });
    return answer;
  };
  const { step, uncalled } = storeTraffic({ send } as unknown as DynamoDBDocumentClient, names, chanceOf(seed));
  while (asked.length < commands) await step();
  for (const [kind, input] of odd) await send(new KINDS[kind]!(input)).catch(() => {});
  return { asked, uncalled: uncalled() };
}

/** Where another database answers something else, in short: later ones may follow from the first. */
async function differences(asked: readonly Asked[], client: DynamoDBDocumentClient): Promise<string[]> {
  const different: string[] = [];
  const short = (value: unknown) => JSON.stringify(plain(value))?.slice(0, 600);
  for (const one of asked) {
    const command = new KINDS[one.kind]!(structuredClone(one.input));
    const theirs = await comparable(one.input, client.send(command as never));
    if (!isDeepStrictEqual(theirs, one.answer))
      different.push(`${one.kind} ${short(one.input)}\n  ours ${short(one.answer)}\n  theirs ${short(theirs)}`);
  }
  return different;
}

const odd = [...oddCommands(names.monitors), ...beyondDynalite(names.monitors)];
let asked: readonly Asked[];
let uncalled: readonly string[];
beforeAll(async () => {
  ({ asked, uncalled } = await recorded("stores", COMMANDS, odd));
});

test("the traffic calls every method of the stores, and meets refused conditions, pages and every kind of command", () => {
  expect(uncalled).toEqual([]);
  const errors = asked.map(({ answer }) => (answer as { error?: string }).error);
  expect(errors.filter((error) => error === "ConditionalCheckFailedException").length).toBeGreaterThan(100);
  expect(asked.filter(({ answer }) => (answer as Answer).LastEvaluatedKey).length).toBeGreaterThan(20);
  expect(new Set(asked.map(({ kind }) => kind))).toEqual(new Set(Object.keys(KINDS)));
  // Only the odd commands may be wrong in themselves.
  expect(errors.slice(0, COMMANDS).filter((error) => error && error !== "ConditionalCheckFailedException")).toEqual([]);
});

describe.each(["in memory", "on disk"])("the one-machine stack's tables %s", (where) => {
  test("answer the same", async () => {
    const dataFolder = mkdtempSync(join(tmpdir(), "harborlight-replay-"));
    const tables = Object.values(definitions);
    const database = await openDatabase({ tables, now: () => 0, ...(where === "on disk" && { dataFolder }) });
    try {
      expect(await differences(asked, inProcessClient(database, "replay"))).toEqual([]);
    } finally {
      await database.close();
      rmSync(dataFolder, { recursive: true });
    }
  });
});

/** Creates the tables in a database other than ours. */
async function createTablesIn(call: Call): Promise<void> {
  for (const definition of Object.values(definitions)) await createTable(call, definition);
}

test("dynalite answers the same", async () => {
  const dynalite = await startDynalite();
  try {
    await createTablesIn(dynalite.call);
    const known = asked.slice(0, -beyondDynalite(names.monitors).length);
    expect(await differences(known, inProcessClient({ handle: dynalite.call }, "replay"))).toEqual([]);
  } finally {
    await dynalite.stop();
  }
});

const reason = whyNoDynamoDbLocal();
if (reason) console.warn(`THE SIMULATED TABLES ARE NOT TESTED AGAINST DYNAMODB LOCAL: ${reason}`);

test.skipIf(reason)(`Amazon's DynamoDB Local answers the same${reason ? ` (SKIPPED: ${reason})` : ""}`, async () => {
  const amazon = await startDynamoDbLocal();
  try {
    await createTablesIn(amazon.call);
    const { asked: some } = await recorded("stores", COMMANDS_TO_AMAZON, odd);
    expect(await differences(some, inProcessClient({ handle: amazon.call }, "replay"))).toEqual([]);
  } finally {
    await amazon.stop();
  }
});
