/**
 * Prometheus text exposition, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): the newest outcome
 * of each monitor from each location.
 */
import type { Block, BlockEntry } from "../../../shared/history/block.ts";

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A block with the ids of its monitors, in the order of its entries. */
export interface NamedBlock extends Pick<Block, "shard" | "location" | "tick" | "offline" | "entries"> {
  readonly ids: readonly string[];
}

interface Family {
  readonly name: string;
  readonly help: string;
  /** Undefined if the outcome has no such value. */
  readonly value: (entry: BlockEntry, block: NamedBlock) => number | undefined;
}

const isUp = ({ health }: BlockEntry, { offline }: NamedBlock) =>
  health === "unknown" || offline ? undefined : Number(health !== "down");

const FAMILIES: readonly Family[] = [
  {
    name: "harborlight_up",
    help: "Whether the newest check found what was expected (degraded counts as up).",
    value: isUp,
  },
  {
    name: "harborlight_degraded",
    help: "Whether the newest check was degraded (slow, packet loss, certificate about to expire).",
    value: ({ health }) => Number(health === "degraded"),
  },
  {
    name: "harborlight_view_down",
    help: "Whether the location's view is down, thresholds applied.",
    value: ({ view }) => (view === null || view === "unknown" ? undefined : Number(view === "down")),
  },
  {
    name: "harborlight_latency_seconds",
    help: "Latency of the newest check, three significant digits.",
    value: ({ latencyMs }) => (latencyMs === null ? undefined : latencyMs / 1000),
  },
  {
    name: "harborlight_packet_loss_ratio",
    help: "Share of datagrams lost in the newest check.",
    value: ({ lossPercent }) => (lossPercent === null ? undefined : lossPercent / 100),
  },
  {
    name: "harborlight_check_timestamp_seconds",
    help: "When the newest check was due.",
    value: (_entry, { tick }) => tick,
  },
];

export function exposition(blocks: readonly NamedBlock[]): string {
  const lines: string[] = [];
  for (const { name, help, value } of FAMILIES) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`);
    for (const block of blocks)
      block.entries.forEach((entry, row) => {
        const id = block.ids[row];
        if (id === undefined || entry.reason === "paused") return;
        const found = value(entry, block);
        if (found !== undefined)
          lines.push(
            `${name}{monitor="${label(id)}",location="${label(block.location)}"} ${Number(found.toPrecision(12))}`,
          );
      });
  }
  return `${lines.join("\n")}\n`;
}

const label = (text: string) => text.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));
