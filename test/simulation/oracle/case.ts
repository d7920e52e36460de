/** What every part of the oracle works with: the script, what the run did, and how a violation is said. */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Journal, SeenOutcome, StoredBlock } from "../journal.ts";
import type { Scenario } from "../scenario.ts";
import type { Epoch } from "./epochs.ts";
import type { Calm, Script } from "./script.ts";

export type Item = Readonly<Record<string, unknown>> & { readonly pk: string; readonly sk: string };

/** A run that has ended. */
export interface Finished {
  readonly scenario: Scenario;
  readonly journal: Journal;
  /** The table `monitors` as it was left. */
  readonly monitors: readonly Item[];
  /** Reads both tables without faults. */
  readonly client: DynamoDBDocumentClient;
  readonly tables: { readonly monitors: string; readonly history: string };
  /** Faults that happened, oldest first. */
  readonly mishaps: readonly { readonly at: number; readonly caller: string; readonly what: string }[];
}

/** A broken promise, with a sentence that a person can check. */
export interface Violation {
  readonly kind: string;
  /** Of the monitor; otherwise what it is about. */
  readonly id: string;
  readonly at: number;
  readonly text: string;
}

export interface Case extends Finished {
  readonly script: Script;
  readonly calm: Calm;
  /** Of monitors that are checked. */
  readonly epochs: readonly Epoch[];
  /** Of those that are swept: their outcomes are those of sweeps, which no engine sees. */
  readonly sweptEpochs: readonly Epoch[];
  /** The block that holds a monitor's outcome of a tick. */
  readonly blockOf: (id: string, location: string, tick: number) => StoredBlock | undefined;
  /** What the engine saw of a monitor, oldest first. */
  readonly outcomesOf: (id: string) => readonly SeenOutcome[];
  readonly say: (kind: string, id: string, at: number, text: string) => void;
}

/** Seconds with one decimal, for sentences. */
export const s1 = (seconds: number) => seconds.toFixed(1);
