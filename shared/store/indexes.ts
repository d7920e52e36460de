/**
 * Global secondary indexes of the monitors table, as the template creates them and the stores query them. `keys.ts` says
 * what each is for. DynamoDB can change neither the key nor the projection of an existing index.
 */

/** Partition key and sort key of each index. */
export const INDEX_KEYS = {
  members: ["shard", "pk"],
  due: ["dueBucket", "nextEvaluationAt"],
  "look-by": ["lookBucket", "lookBy"],
  listed: ["listBucket", "listKey"],
  attention: ["attentionBucket", "attentionKey"],
  changed: ["changedBucket", "changedAt"],
} as const;
export type MonitorsIndex = keyof typeof INDEX_KEYS;

/**
 * Attributes that an index holds beside the keys: for `members` what a check needs of a monitor; the others hold keys
 * only. DynamoDB projects at most 20 names, so `check` and `beliefs` are maps that can grow inside.
 */
export const PROJECTED: Readonly<Partial<Record<MonitorsIndex, readonly string[]>>> = {
  members: ["check", "beliefs", "paused", "settingsVersion", "settingsChangedAt", "placements", "deletedAt"],
};
