import type { Capacity } from "../../infra/local/dynamodb/capacity.ts";

/** Capacity that one caller consumed in one table by one operation. */
export interface UsageRow {
  readonly caller: string;
  readonly table: string;
  readonly operation: string;
  requests: number;
  /** Write units for writing operations, read units for reading ones; indexes included. */
  units: number;
}

/** Counts capacity units by caller, table and operation, as the database's `onCapacity` reports them. */
export class Usage {
  readonly #rows = new Map<string, UsageRow>();

  readonly add = (caller: string, operation: string, { TableName: table, CapacityUnits }: Capacity): void => {
    const key = `${caller}\n${table}\n${operation}`;
    const row = this.#rows.get(key) ?? { caller, table, operation, requests: 0, units: 0 };
    row.requests += 1;
    row.units += CapacityUnits;
    this.#rows.set(key, row);
  };

  rows(): UsageRow[] {
    return [...this.#rows.values()].map((row) => ({ ...row }));
  }

  /** Requests since the last `reset`. */
  total(): { readonly reads: number; readonly writes: number } {
    const isWrite = ({ operation }: UsageRow) => /Put|Update|Delete|Write/.test(operation);
    const count = (rows: readonly UsageRow[]) => rows.reduce((sum, { requests }) => sum + requests, 0);
    const rows = this.rows();
    return { reads: count(rows.filter((row) => !isWrite(row))), writes: count(rows.filter(isWrite)) };
  }

  reset(): void {
    this.#rows.clear();
  }
}
