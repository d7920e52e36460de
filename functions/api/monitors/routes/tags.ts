/** Route `/v1/tags`: which tags monitors have. */
import { z } from "zod";
import { pageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";

/** Most values of a tag that are listed; a tag with more is a name, not a group. */
const MOST_VALUES = 1_000;

const count = z.int().meta({ description: "Monitors that have it.", example: 3 });
const tagView = z
  .object({
    key: z.string().meta({ description: "Name of the tag.", example: "team" }),
    monitors: count,
    values: z
      .array(
        z
          .object({
            value: z.string().meta({ description: "Value of the tag.", example: "orders" }),
            monitors: count,
          })
          .meta({ id: "TagValue", description: "A value of a tag." }),
      )
      .describe(`Most used first; at most ${MOST_VALUES}.`),
  })
  .meta({ id: "Tag", description: "A tag of monitors, with its values." });

export const tags: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/tags",
    operationId: "listTags",
    summary: "Tags of the monitors, with their values",
    description: "By name, in one page. Reads every monitor.",
    scope: "read",
    responses: { 200: { description: "All tags.", schema: pageOf(tagView) } },
    handle: async (_call, { monitors, now }) => {
      const counts = new Map<string, Map<string, number>>();
      for (const monitor of await monitors.rows(now())) {
        if (monitor.deletedAt) continue;
        for (const [key, value] of Object.entries(monitor.tags)) {
          const values = counts.get(key) ?? new Map<string, number>();
          counts.set(key, values.set(value, (values.get(value) ?? 0) + 1));
        }
      }
      const items = [...counts]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, values]) => ({
          key,
          monitors: [...values.values()].reduce((sum, one) => sum + one, 0),
          values: [...values]
            .toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
            .slice(0, MOST_VALUES)
            .map(([value, monitors]) => ({ value, monitors })),
        }));
      return { body: { items, nextCursor: null } };
    },
  }),
];
