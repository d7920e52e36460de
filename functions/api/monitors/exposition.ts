/**
 * Prometheus text exposition, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): what each monitor is,
 * its status, and its newest outcome from each location. All but `harborlight_monitor_info` name a monitor by its id
 * only, because 10,000 monitors have 130,000 samples; queries join with `* on (monitor) group_left (name)`.
 */
import type { Block, BlockEntry } from "../../../shared/history/block.ts";
import type { MonitorRow } from "../../../shared/store/monitor-row.ts";
import { statusOf } from "./present.ts";

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A block with the ids of its monitors, in the order of its entries. */
export interface NamedBlock extends Pick<Block, "shard" | "location" | "tick" | "offline" | "entries"> {
  readonly ids: readonly string[];
}

interface Family {
  readonly name: string;
  readonly help: string;
}

interface OutcomeFamily extends Family {
  /** Undefined if the outcome has no such value. */
  readonly value: (entry: BlockEntry, block: NamedBlock) => number | undefined;
}

const isUp = ({ health }: BlockEntry, { offline }: NamedBlock) =>
  health === "unknown" || offline ? undefined : Number(health !== "down");

const OUTCOME_FAMILIES: readonly OutcomeFamily[] = [
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

type Labels = Readonly<Record<string, string>>;

/** Labels of tags: other characters become `_`, and a name that is taken gets a number, as labels must differ. */
const tagLabels = (tags: Labels): Labels => {
  const labels: Record<string, string> = {};
  for (const name of Object.keys(tags).toSorted()) {
    const wanted = `tag_${name.replace(/[^A-Za-z0-9_]/g, "_")}`;
    let free = wanted;
    for (let n = 2; Object.hasOwn(labels, free); n++) free = `${wanted}_${n}`;
    labels[free] = tags[name] ?? "";
  }
  return labels;
};

const MONITOR_FAMILIES: readonly (Family & { readonly labels: (row: MonitorRow) => Labels })[] = [
  {
    name: "harborlight_monitor_info",
    help: "What a monitor is, always 1: to join its name and tags to the other metrics.",
    labels: ({ name, protocol, host, port, key, tags }) => ({
      name,
      protocol,
      host,
      port: String(port),
      ...(key !== null && { key }),
      ...tagLabels(tags),
    }),
  },
  {
    name: "harborlight_monitor_status",
    help: "The status of a monitor after the quorum, always 1; other statuses have no sample.",
    labels: (row) => ({ status: statusOf(row) }),
  },
];

export const head = ({ name, help }: Family) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;

/** @param monitors that are shown, and no others */
export function exposition(monitors: readonly MonitorRow[], blocks: readonly NamedBlock[]): string {
  let text = "";
  for (const family of MONITOR_FAMILIES) {
    text += head(family);
    for (const row of monitors) {
      const labels = Object.entries({ monitor: row.id, ...family.labels(row) });
      text += `${family.name}{${labels.map(([name, value]) => `${name}="${label(value)}"`).join(",")}} 1\n`;
    }
  }
  const shown = new Set(monitors.map(({ id }) => id));
  for (const family of OUTCOME_FAMILIES) {
    text += head(family);
    for (const block of blocks) {
      const location = label(block.location);
      block.entries.forEach((entry, row) => {
        const id = block.ids[row];
        if (id === undefined || !shown.has(id) || entry.reason === "paused") return;
        const found = family.value(entry, block);
        if (found === undefined) return;
        text += `${family.name}{monitor="${id}",location="${location}"} ${Number(found.toPrecision(12))}\n`;
      });
    }
  }
  return text;
}

export const label = (text: string) => text.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));
