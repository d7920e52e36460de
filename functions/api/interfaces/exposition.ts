/** Metrics of interfaces for Prometheus: the newest poll of each device, from the first of its locations. */
import { type Counts, intervalsBetween, isLinkUp, perMillion } from "../../../shared/measures/counters.ts";
import { inParallel } from "../../../shared/parallel.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { targetOf } from "../../../shared/store/counters.ts";
import type { MonitorRow } from "../../../shared/store/monitor-row.ts";
import type { Deps } from "../deps.ts";
import { head, label } from "../monitors/exposition.ts";

const READS_AT_ONCE = 16;
/** A poll is left out if it is older than both three intervals and five minutes. */
const STALE_INTERVALS = 3;
const STALE_SECONDS = 300;

interface Sample {
  readonly monitor: string;
  readonly name: string;
  readonly isUp: boolean;
  readonly speedMbps: number;
  readonly seconds: number;
  /** Null where the counters prove nothing. */
  readonly counts: Counts | null;
}

const FAMILIES: readonly { name: string; help: string; value: (sample: Sample) => number | null }[] = [
  { name: "harborlight_interface_up", help: "Whether the link is up.", value: ({ isUp }) => Number(isUp) },
  {
    name: "harborlight_interface_speed_bits_per_second",
    help: "Speed of the interface.",
    value: ({ speedMbps }) => (speedMbps > 0 ? speedMbps * 1e6 : null),
  },
  {
    name: "harborlight_interface_receive_bits_per_second",
    help: "Bits received, between the last two polls.",
    value: ({ counts, seconds }) => counts && (8 * counts.inBytes) / seconds,
  },
  {
    name: "harborlight_interface_transmit_bits_per_second",
    help: "Bits sent, between the last two polls.",
    value: ({ counts, seconds }) => counts && (8 * counts.outBytes) / seconds,
  },
  {
    name: "harborlight_interface_error_ratio",
    help: "Errors among all packets, both directions, between the last two polls.",
    value: ({ counts }) => counts && perMillion(counts.errors, counts) / 1e6,
  },
  {
    name: "harborlight_interface_discard_ratio",
    help: "Discarded packets among all, both directions, between the last two polls.",
    value: ({ counts }) => counts && perMillion(counts.discards, counts) / 1e6,
  },
];

/** Samples of all interfaces together. */
const MOST_SERIES = 2_000;
const MOST_INTERFACES = Math.floor(MOST_SERIES / FAMILIES.length);

async function samplesOf({ counters }: Pick<Deps, "counters">, row: MonitorRow, nowMs: number): Promise<Sample[]> {
  const device = { id: row.id, location: row.locations[0]!, target: targetOf(row) };
  const [last, before] = await counters.newest(device, 2);
  if (!last || nowMs - last.atMs > Math.max(STALE_INTERVALS * row.intervalSeconds, STALE_SECONDS) * 1000) return [];
  const intervals = before && intervalsBetween(before, last, row.intervalSeconds);
  return last.interfaces.map((one) => {
    const { counts = null, seconds = 0 } = intervals?.get(one.name) ?? {};
    return { monitor: row.id, name: one.name, isUp: isLinkUp(one), speedMbps: one.speedMbps, seconds, counts };
  });
}

/** Text for the interfaces of these monitors; empty where none has any. */
export async function interfaceExposition(
  deps: Pick<Deps, "counters">,
  rows: readonly MonitorRow[],
  now: Date,
): Promise<string> {
  const devices = rows.filter(({ protocol, paused }) => !paused && protocols[protocol]?.readsCounters);
  if (devices.length === 0) return "";
  const found = new Map<string, Sample[]>();
  await inParallel(devices, READS_AT_ONCE, async (row) => {
    found.set(row.id, await samplesOf(deps, row, now.getTime()));
  });
  const all = devices.flatMap(({ id }) => found.get(id) ?? []);
  const shown = all.slice(0, MOST_INTERFACES);
  let text = "";
  for (const family of FAMILIES) {
    text += head(family);
    for (const sample of shown) {
      const value = family.value(sample);
      if (value === null) continue;
      text += `${family.name}{monitor="${sample.monitor}",interface="${label(sample.name)}"} ${Number(value.toPrecision(12))}\n`;
    }
  }
  const leftOut = {
    name: "harborlight_interfaces_left_out",
    help: "Interfaces beyond those that fit; scrape in parts.",
  };
  return `${text}${head(leftOut)}${leftOut.name} ${all.length - shown.length}\n`;
}
