/** Route `/v1/metrics`: the newest outcomes for Prometheus. A scrape reads one block per shard and location. */
import { z } from "zod";
import { inParallel } from "../../../../shared/parallel.ts";
import type { Shard } from "../../../../shared/store/planning.ts";
import { type Route, route } from "../../http/route.ts";
import { EXPOSITION_TYPE, exposition, type NamedBlock } from "../exposition.ts";

const READS_AT_ONCE = 16;
/** A block is left out if it is older than both three intervals and five minutes. */
const STALE_INTERVALS = 3;
const STALE_SECONDS = 300;

export const metrics: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/metrics",
    operationId: "getMetrics",
    summary: "Newest outcomes for Prometheus",
    description: "Labels are the monitor's id and the location.",
    scope: "metrics",
    responses: { 200: { description: "Text exposition.", schema: z.string(), contentTypes: ["text/plain"] } },
    handle: async (_call, { planning, history, now }) => {
      const nowSeconds = Math.floor(now().getTime() / 1000);
      const places: { shard: Shard; location: string }[] = [];
      for await (const page of planning.shards())
        for (const shard of page) for (const location of shard.locations) places.push({ shard, location });
      const blocks: NamedBlock[] = [];
      await inParallel(places, READS_AT_ONCE, async ({ shard: { name, intervalSeconds }, location }) => {
        const block = await history.latestBlock(name, location, nowSeconds);
        if (!block || nowSeconds - block.tick > Math.max(STALE_INTERVALS * intervalSeconds, STALE_SECONDS)) return;
        blocks.push({ ...block, ids: (await history.roster(block.roster)) ?? [] });
      });
      blocks.sort((a, b) => (`${a.shard} ${a.location}` < `${b.shard} ${b.location}` ? -1 : 1));
      return { body: exposition(blocks), headers: { "content-type": EXPOSITION_TYPE } };
    },
  }),
];
