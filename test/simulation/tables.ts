/** Several tables behind one client: commands of lib-dynamodb in, documents out. */
import { ConditionalCheckFailedException, DynamoDBServiceException } from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  type BatchGetCommandInput,
  BatchWriteCommand,
  type BatchWriteCommandInput,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import type { Document } from "../../infra/local/dynamodb/engine/document.ts";
import { invalid, notFound, Refusal } from "../../infra/local/dynamodb/engine/refusal.ts";
import type { TableDefinition } from "../../infra/local/dynamodb/table-definition.ts";
import { type Surroundings, Table } from "./table.ts";

/** DynamoDB takes so many keys in one read, and so many items in one write. */
const KEYS_PER_READ = 100;
const ITEMS_PER_WRITE = 25;

/** Any command of lib-dynamodb that stores use. */
export interface TableCommand {
  readonly input: object;
}

export interface Tables {
  /** Does at once what a command asks for. @throws what DynamoDB answers; Error for a command that is not known here */
  perform(command: TableCommand): unknown;
  /** As the client of a store. */
  send(command: TableCommand): Promise<unknown>;
  /** @throws ResourceNotFoundException */
  table(name: string | undefined): Table;
  /** Deletes what expired in all tables; the owner calls it about once a minute. @returns how many items */
  sweep(): number;
}

export function createTables(definitions: readonly TableDefinition[], surroundings: Surroundings): Tables {
  const tables = new Map(definitions.map((definition) => [definition.name, new Table(definition, surroundings)]));

  const table = (name: string | undefined): Table => {
    const found = tables.get(name ?? "");
    if (!found) throw notFound(`: Table: ${name} not found`);
    return found;
  };

  const batchGet = ({ RequestItems = {} }: BatchGetCommandInput) => {
    const Responses: Record<string, Document[]> = {};
    const UnprocessedKeys: NonNullable<BatchGetCommandInput["RequestItems"]> = {};
    for (const [name, { Keys = [], ...read }] of Object.entries(RequestItems)) {
      if (Keys.length > KEYS_PER_READ) throw invalid(`Too many items requested for the BatchGetItem call`);
      assertDistinct(Keys.map((key) => table(name).idOf(key)));
      const done = Keys.length - (surroundings.leftOver?.(name, Keys.length) ?? 0);
      const items = Keys.slice(0, done).map((Key) => table(name).get({ TableName: name, Key, ...read }));
      Responses[name] = items.filter((item) => item !== undefined);
      if (done < Keys.length) UnprocessedKeys[name] = { Keys: Keys.slice(done), ...read };
    }
    return { Responses, UnprocessedKeys };
  };

  const batchWrite = ({ RequestItems = {} }: BatchWriteCommandInput) => {
    const UnprocessedItems: NonNullable<BatchWriteCommandInput["RequestItems"]> = {};
    for (const [name, requests] of Object.entries(RequestItems)) {
      if (requests.length > ITEMS_PER_WRITE) throw invalid(`Too many items requested for the BatchWriteItem call`);
      const keys = requests.map(({ DeleteRequest, PutRequest }) => DeleteRequest?.Key ?? PutRequest?.Item ?? {});
      assertDistinct(keys.map((key) => table(name).idOf(key)));
      const done = requests.length - (surroundings.leftOver?.(name, requests.length) ?? 0);
      for (const { PutRequest, DeleteRequest } of requests.slice(0, done))
        if (DeleteRequest) table(name).delete({ TableName: name, Key: DeleteRequest.Key });
        else table(name).put({ TableName: name, Item: PutRequest?.Item });
      if (done < requests.length) UnprocessedItems[name] = requests.slice(done);
    }
    return { UnprocessedItems };
  };

  const perform = (command: TableCommand): unknown => {
    try {
      return answer(command);
    } catch (error) {
      throw error instanceof Refusal ? exceptionOf(error) : error;
    }
  };

  const answer = (command: TableCommand): unknown => {
    if (command instanceof GetCommand) {
      const Item = table(command.input.TableName).get(command.input);
      return Item ? { Item } : {};
    }
    if (command instanceof UpdateCommand) return changed(table(command.input.TableName).update(command.input));
    if (command instanceof QueryCommand) return table(command.input.TableName).query(command.input);
    if (command instanceof PutCommand) return changed(table(command.input.TableName).put(command.input));
    if (command instanceof DeleteCommand) return changed(table(command.input.TableName).delete(command.input));
    if (command instanceof BatchGetCommand) return batchGet(command.input);
    if (command instanceof BatchWriteCommand) return batchWrite(command.input);
    throw new Error(
      `the tables in memory do not know ${command.constructor.name}: add it to test/simulation/tables.ts`,
    );
  };

  return {
    perform,
    send: async (command) => perform(command),
    table,
    sweep: () => [...tables.values()].reduce((sum, one) => sum + one.sweep(), 0),
  };
}

/** The error as the SDK's client throws it. */
function exceptionOf({ name, message }: Refusal): DynamoDBServiceException {
  if (name === "ConditionalCheckFailedException")
    return new ConditionalCheckFailedException({ message, $metadata: {} });
  return new DynamoDBServiceException({ name, $fault: "client", message, $metadata: {} });
}

const changed = (Attributes: Document | undefined) => (Attributes ? { Attributes } : {});

function assertDistinct(ids: readonly string[]): void {
  if (new Set(ids).size < ids.length) throw invalid("Provided list of item keys contains duplicates");
}
