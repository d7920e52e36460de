/**
 * Route `/v1/metrics`: statuses and newest outcomes for Prometheus. A scrape reads one block per shard and location, and
 * of the monitors what changed since the scrape before.
 */
import { z } from "zod";
import { expecting } from "../../../../shared/issues.ts";
import { inParallel } from "../../../../shared/parallel.ts";
import { placeOf } from "../../../../shared/store/keys.ts";
import type { Shard } from "../../../../shared/store/planning.ts";
import type { Deps } from "../../deps.ts";
import { type Route, route } from "../../http/route.ts";
import { interfaceExposition } from "../../interfaces/exposition.ts";
import { EXPOSITION_TYPE, exposition, type NamedBlock } from "../exposition.ts";
import { selecting, tagFilter } from "../select.ts";

const READS_AT_ONCE = 16;
/** A block is left out if it is older than both three intervals and five minutes. */
const STALE_INTERVALS = 3;
const STALE_SECONDS = 300;

/** Most parts, for a million monitors. */
const MAX_PARTS = 100;
const [PART, PART_ERROR] = [/^(\d{1,3})\/(\d{1,3})$/, expecting(`a part such as 1/2, of at most ${MAX_PARTS}`)];

/** @returns number of the part from 0, and of parts */
const partOf = (text: string): [part: number, parts: number] => {
  const [, part, parts] = PART.exec(text) ?? [];
  return [Number(part) - 1, Number(parts)];
};
const isPart = (text: string) => {
  const [part, parts] = partOf(text);
  return part >= 0 && part < parts && parts <= MAX_PARTS;
};

const newestBlocks = async ({ planning, history }: Deps, nowSeconds: number): Promise<NamedBlock[]> => {
  const places: { shard: Shard; location: string }[] = [];
  for await (const page of planning.shards())
    for (const shard of page) for (const location of shard.locations) places.push({ shard, location });
  const blocks: NamedBlock[] = [];
  await inParallel(places, READS_AT_ONCE, async ({ shard: { name, intervalSeconds }, location }) => {
    const block = await history.latestBlock(name, location, nowSeconds);
    if (!block || nowSeconds - block.tick > Math.max(STALE_INTERVALS * intervalSeconds, STALE_SECONDS)) return;
    blocks.push({ ...block, ids: (await history.roster(block.roster)) ?? [] });
  });
  return blocks.toSorted((a, b) => (`${a.shard} ${a.location}` < `${b.shard} ${b.location}` ? -1 : 1));
};

export const metrics: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/metrics",
    operationId: "getMetrics",
    summary: "Statuses and newest outcomes for Prometheus",
    description:
      "`harborlight_monitor_info` says what each monitor is, and `harborlight_monitor_status` how it stands, paused and pending ones too; the other metrics are the newest outcome by monitor and location. Monitors of interfaces have their link, speed, traffic and errors by `interface`, of at most 333 interfaces. Without compression some 4,000 monitors from two locations fit into an answer, with it 20,000; for more, scrape it in parts.",
    scope: "metrics",
    query: z.strictObject({
      tag: tagFilter,
      part: z.string().refine(isPart, { error: PART_ERROR }).default("1/1").meta({
        description: "`1/3`: the first of three parts of the monitors; the parts together are all of them.",
        example: "1/1",
      }),
    }),
    responses: {
      200: {
        description: "Text exposition.",
        schema: z.string(),
        contentTypes: ["text/plain"],
        example: 'harborlight_up{monitor="7ca139c8bbaa9b19b116",location="eu-west-1"} 1\n',
      },
    },
    handle: async ({ query: { tag, part: text } }, deps) => {
      const now = deps.now();
      const [part, parts] = partOf(text);
      const [rows, blocks] = await Promise.all([
        deps.monitors.rows(now),
        newestBlocks(deps, Math.floor(now.getTime() / 1000)),
      ]);
      const isWanted = selecting({ tag });
      const shown = rows
        .filter((row) => isWanted(row) && placeOf(row.id, parts) === part)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const body = exposition(shown, blocks) + (await interfaceExposition(deps, shown, now));
      return { body, headers: { "content-type": EXPOSITION_TYPE } };
    },
  }),
];
