/** A child process at Lambda's share of a processor: by the kernel's own quota where a control group may be made. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cpuShareOf } from "../../../infra/local/lambda/cpu-share.ts";

const PERIOD_US = 20_000;
const V1 = "/sys/fs/cgroup/cpu";
const V2 = "/sys/fs/cgroup";

/** @returns what undoes it; undefined where the kernel, or whoever runs this, does not allow it */
export const holdToShare = (pid: number, memoryMb: number): (() => void) | undefined => {
  const quotaUs = Math.round(cpuShareOf(memoryMb) * PERIOD_US);
  const isV1 = existsSync(join(V1, "cpu.cfs_quota_us")) || existsSync(join(V1, "cgroup.procs"));
  const group = join(isV1 ? V1 : V2, `harborlight-bench-${pid}`);
  const write = (file: string, text: string) => writeFileSync(join(group, file), text);
  try {
    mkdirSync(group);
    if (isV1) {
      write("cpu.cfs_period_us", String(PERIOD_US));
      write("cpu.cfs_quota_us", String(quotaUs));
    } else write("cpu.max", `${quotaUs} ${PERIOD_US}`);
    write("cgroup.procs", String(pid));
  } catch {
    return undefined;
  }
  // A group can be removed once nobody is in it any more.
  return () => rmdirSync(group);
};
