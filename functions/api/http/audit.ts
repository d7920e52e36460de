/**
 * Audit log of the calls that may change something. An entry is stored before the call does anything, and completed
 * after it: a change whose process died is in the log as `begun`, so no change is ever missing from it.
 */
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { InvalidInput } from "../../../shared/errors.ts";
import { inParallel } from "../../../shared/parallel.ts";
import type { AuditEntry, Author } from "../../../shared/store/audit.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import type { Deps } from "../deps.ts";
import { Problem } from "./problem.ts";

/** One changed resource, with masked secrets. */
export type Change = Pick<AuditEntry, "resource" | "name" | "changes">;

/**
 * Records what a call has changed; to be called right after the writes, and with an empty list if nothing changed. A
 * call that records nothing at all counts as a change without details.
 */
export type Recorder = (changes: readonly Change[]) => Promise<void>;

const WRITES_AT_ONCE = 25;

export const authorOf = (token: Token | null): Author => token && { id: token.id, name: token.name };

type Begun = Pick<AuditEntry, "requestId" | "by" | "operation" | "resource">;

/** Runs a call that may change something, and keeps its entries. */
export const audited = async <T>(
  { audit, newId, now, logger, metrics }: Deps,
  begun: Begun,
  call: (record: Recorder) => Promise<T>,
): Promise<T> => {
  const id = newId();
  const entry: AuditEntry = { id, at: now().toISOString(), ...begun, name: null, outcome: "begun", changes: {} };
  // Nothing is changed without an entry: if this write fails, the call does.
  await audit.put(entry);
  /** After the change, a failed write leaves the entry as `begun`, which says that the details are missing. */
  const quietly = async (write: Promise<void>) => {
    try {
      await write;
    } catch (error) {
      logger.error("an audit entry could not be completed", { auditId: id, error: error as Error });
      metrics.addMetric("AuditIncomplete", MetricUnit.Count, 1);
    }
  };
  let recorded: Change[] | undefined;
  const record: Recorder = async (changes) => {
    const before = recorded?.length ?? 0;
    recorded = [...(recorded ?? []), ...changes];
    const numbered = recorded.map((change, number) => ({ change, number })).slice(Math.max(before, 1));
    // The first one takes the place of the entry that was begun, at the end of the call.
    await quietly(
      inParallel(numbered, WRITES_AT_ONCE, ({ change, number }) =>
        audit.put({ ...entry, ...change, id: `${id}-${number}`, outcome: "done" }),
      ),
    );
  };
  try {
    const result = await call(record);
    await quietly(
      recorded?.length === 0 ? audit.drop(entry) : audit.put({ ...entry, ...recorded?.[0], outcome: "done" }),
    );
    return result;
  } catch (error) {
    // Refused calls change nothing; after any other error, nobody knows.
    if (error instanceof Problem || error instanceof InvalidInput) await quietly(audit.drop(entry));
    throw error;
  }
};
