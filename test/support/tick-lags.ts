import { readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * The lag of every tick of location `local`, in milliseconds, from the metric lines that the probe printed; in order. A
 * line tells of the minute before it.
 * @param folder data folder of the stack
 * @param from lines of an earlier moment, in epoch milliseconds, are left out
 * @param to and of a later one
 */
export async function tickLags(folder: string, from: number, to = Number.POSITIVE_INFINITY): Promise<number[]> {
  const log = await readFile(join(folder, "logs", "harborlight-probe-local.log"), "utf8");
  const lags = log.split("\n").flatMap((line) => {
    if (!line.includes("TickLagMs")) return [];
    const { TickLagMs, _aws } = JSON.parse(line);
    return _aws.Timestamp > from && _aws.Timestamp <= to ? ([TickLagMs].flat() as number[]) : [];
  });
  return lags.toSorted((a, b) => a - b);
}
