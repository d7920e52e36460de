/** The tables as a service of the simulated account: stale reads, slow indexes and partial batches, by the faults. */
import type { TableDefinition } from "../../infra/local/dynamodb/table-definition.ts";
import { draw } from "./clock.ts";
import type { Account, Service } from "./lambda.ts";
import type { Change } from "./table.ts";
import { createTables, type TableCommand, type Tables } from "./tables.ts";

/** Requests to DynamoDB that hang are given up after this time, as the stores' client does. */
const REQUEST_TIMEOUT_MS = 3_000;
/** What is quite usual, without any fault: indexes lag, and some reads are a little behind. */
const USUAL_INDEX_LAG_MS = { least: 5, spread: 55 };
const USUALLY_STALE = { share: 0.3, ms: 200 };
/** DynamoDB deletes what expired within days; mostly it takes minutes. */
const EXPIRY_LAG_MS = 600_000;
const SWEEP_MS = 60_000;

export interface Database {
  readonly tables: Tables;
  readonly service: Service;
}

/** @param onWrite hears of every change in the moment that it is committed */
export function createDatabase(
  account: Account,
  definitions: readonly TableDefinition[],
  onWrite: (change: Change) => void,
): Database {
  const { clock, faults, seed, count } = account;
  const tables = createTables(definitions, {
    now: clock.now,
    onWrite,
    staleMs(target, item) {
      const name = count(`stale ${target} ${item}`);
      const drawn = draw(seed, name);
      const usualMs = drawn < USUALLY_STALE.share ? (drawn / USUALLY_STALE.share) * USUALLY_STALE.ms : 0;
      return faults.strike("stale", { name, service: "dynamodb", target, item }) ?? usualMs;
    },
    indexLagMs(target, index, item) {
      const name = count(`index ${target} ${index} ${item}`);
      const usualMs = USUAL_INDEX_LAG_MS.least + draw(seed, name) * USUAL_INDEX_LAG_MS.spread;
      return faults.strike("index-lag", { name, service: "dynamodb", target, item }) ?? usualMs;
    },
    expiryLagMs: (target, item) => draw(seed, `expiry ${target} ${item}`) * EXPIRY_LAG_MS,
    leftOver(target, length) {
      const share = faults.strike("partial", { name: count(`batch ${target}`), service: "dynamodb", target });
      return share === undefined ? 0 : Math.ceil(share * length);
    },
  });
  const sweep = () => {
    tables.sweep();
    clock.after(SWEEP_MS, sweep);
  };
  clock.after(SWEEP_MS, sweep);
  return {
    tables,
    service: {
      name: "dynamodb",
      attemptTimeoutMs: REQUEST_TIMEOUT_MS,
      perform: (command) => tables.perform(command),
      describe: (command) => describe(command as DescribedCommand),
    },
  };
}

interface DescribedCommand extends TableCommand {
  readonly input: {
    readonly TableName?: string;
    readonly IndexName?: string;
    readonly Key?: Readonly<Record<string, unknown>>;
    readonly Item?: Readonly<Record<string, unknown>>;
    readonly RequestItems?: Readonly<Record<string, unknown>>;
    readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>>;
  };
}

/** For example `Update monitors MONITOR#m1 MONITOR`: who reads it may look for it. A query is named by its partition. */
function describe(command: DescribedCommand) {
  const { TableName, IndexName, Key, Item, RequestItems, ExpressionAttributeValues } = command.input;
  const key = Key ?? Item;
  const partition = Object.values(ExpressionAttributeValues ?? {})[0];
  return {
    operation: command.constructor.name.replace(/Command$/, ""),
    target: TableName ?? Object.keys(RequestItems ?? {})[0],
    item: key ? `${key.pk} ${key.sk}` : RequestItems ? "" : `${IndexName ?? ""} ${partition}`,
  };
}
