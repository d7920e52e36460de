/** The ports of the address that is swept in scenarios: an engine that connects to them on virtual time, and what seeds do with them. */
import type { SweepTools } from "../../functions/probe/sweep-slice.ts";
import { chanceOf, draw } from "./clock.ts";
import type { Process } from "./lambda.ts";
import { isOpen } from "./oracle/listeners.ts";
import { Script } from "./oracle/script.ts";
import { type Edit, type Listener, LOCATIONS, type Scenario, type SentSettings, SWEPT } from "./scenario.ts";

/** What a connection that nothing answers is waited for. */
const TIMEOUT_MS = 1_300;

interface Options {
  readonly scenario: Scenario;
  readonly location: string;
  readonly process: Process;
  /** True time, epoch milliseconds. */
  readonly now: () => number;
}

export function createSweepTools({ scenario, location, process, now }: Options): SweepTools {
  const script = new Script(scenario);
  return {
    kind: "public",
    port25: false,
    resolve: async () => ({ addresses: [{ address: SWEPT.host, family: 4 }], skipped: [] }),
    rights: SWEEP_RIGHTS,
    async sweep(targets, { perSecond, startUntilMs, found }) {
      for (const target of targets) {
        const at = (now() - scenario.startMs) / 1000;
        if (process.now() >= startUntilMs) {
          found(target, "unmeasured");
          continue;
        }
        if (script.isCut(location, at)) found(target, "filtered");
        else found(target, isOpen(scenario, location, target.port, at) ? "open" : "closed");
        await process.sleep(1_000 / perSecond);
      }
      await process.sleep(TIMEOUT_MS);
    },
    sweepUdp: async () => {},
  };
}

export const SWEEP_RIGHTS = { targets: [SWEPT.host], installation: "simulation" };

/** A monitor whose sweeps take two slices. */
export const sweptSettings = (more: Partial<SentSettings> = {}): SentSettings => ({
  name: "p",
  key: "p",
  protocol: "ports",
  host: SWEPT.host,
  settings: { ports: `${SWEPT.firstPort}-${SWEPT.lastPort}`, perSecond: 1, identify: false },
  intervalSeconds: 300,
  locations: ["a"],
  quorum: "majority",
  alerts: { afterSeconds: 0, emails: [] },
  ...more,
});

/** Scenarios with a monitor that sweeps. */
const SHARE = 0.2;

/** Ports that open for a moment, for minutes or for good, and people who accept what they see. Drawn apart, so that seeds stay what they were otherwise. */
export function withListeners(scenario: Scenario): Scenario {
  const { seed, seconds } = scenario;
  if (draw(seed, "sweeps") >= SHARE) return scenario;
  const chance = chanceOf(`${seed}/sweeps`);
  const port = () => SWEPT.firstPort + chance.int(SWEPT.lastPort - SWEPT.firstPort);
  const tenths = (value: number) => Math.round(value * 10) / 10;
  const listeners: Listener[] = [{ port: port(), from: 0, to: seconds + 100 }];
  const edits: Edit[] = [];
  for (let at = chance.range(200, 900); at < seconds - 900; ) {
    const length = chance.pick([5, 400, 1_500, seconds]) * chance.range(0.6, 1.4);
    listeners.push({ port: port(), from: tenths(at), to: tenths(at + length) });
    if (chance.chance(0.3)) edits.push({ at: tenths(at + chance.range(300, 1_200)), key: "p", action: "accept" });
    if (chance.chance(0.05)) edits.push({ at: tenths(at + chance.range(0, 900)), key: "p", action: "learn" });
    at += chance.pick([30, 600, 1_800]) * chance.range(0.5, 1.5);
  }
  const locations = chance.chance(0.5) ? [chance.pick(LOCATIONS)] : [...LOCATIONS];
  return {
    ...scenario,
    monitors: [...scenario.monitors, { at: tenths(chance.range(30, 300)), settings: sweptSettings({ locations }) }],
    edits: [...scenario.edits, ...edits],
    listeners,
  };
}
