/** Exports monitors as the list that `PUT /v1/monitors` takes; those without a key cannot be in it. */
import { withoutDefaults } from "../../../shared/monitor/settings.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import type { Deps } from "../deps.ts";
import { Problem } from "../http/problem.ts";
import { MAX_APPLY_BYTES } from "../http/route.ts";
import { settingsFor } from "./present.ts";

const READ_AT_ONCE = 200;

/**
 * @param isWanted filter of the call
 * @param reader the caller's token; masked secrets may be sent back, and then stay as they are
 * @throws Problem `answer-too-large` if the list would be larger than PUT takes
 */
export const exportList = async (
  { monitors, locations }: Deps,
  isWanted: (monitor: StoredMonitor) => boolean,
  reader: Token | null,
) => {
  const available = locations.map(({ name }) => name);
  const exported: Record<string, unknown>[] = [];
  for (let after: string | undefined, ended = false; !ended; ) {
    const { items, next } = await monitors.list(READ_AT_ONCE, after);
    for (const monitor of items) {
      if (monitor.key === null || !isWanted(monitor)) continue;
      exported.push(withoutDefaults({ ...monitor, ...settingsFor(reader, monitor) }, available));
    }
    after = next ?? undefined;
    ended = next === null;
  }
  const bytes = Buffer.byteLength(JSON.stringify(exported));
  if (bytes > MAX_APPLY_BYTES)
    throw new Problem(
      "answer-too-large",
      `the list has ${bytes} bytes, and PUT takes ${MAX_APPLY_BYTES}: narrow it by a filter`,
    );
  return { monitors: exported };
};
