/**
 * Advisories: of trouble that lasts below the quorum people hear once that it began and once that it ended, and of none that
 * is told as an incident.
 */
import { type Case, s1 } from "./case.ts";
import type { Epoch } from "./epochs.ts";
import { byNumber, isAdvisory, type Tellings } from "./tellings.ts";

/** A change is decided, and a timer rings, within this where nothing is amiss. */
const DECIDED_SECONDS = 30;
/** How long calm has to have lasted before bounds are exact. */
const SETTLED_SECONDS = 600;

interface Advisory {
  readonly from: number;
  to: number;
}

export function judgeMinorities(run: Case, { firsts }: Tellings): void {
  const told = firsts.filter(({ receiver }) => receiver === "sns");
  const madeAt = ({ alertId, at }: { readonly alertId: string; readonly at: number }) =>
    run.journal.made.get(alertId) ?? at;
  const byMonitor = Map.groupBy(told, ({ monitorId }) => monitorId);
  const advisories = new Map<string, Advisory[]>();
  for (const [id, own] of byMonitor) {
    const found: Advisory[] = [];
    advisories.set(id, found);
    let open: Advisory | null = null;
    const inOrder = own.toSorted(
      (a, b) => madeAt(a) - madeAt(b) || Number(isAdvisory(b)) - Number(isAdvisory(a)) || byNumber(a, b),
    );
    for (const { event, alertId, at } of inOrder) {
      if (event === "minority") {
        if (open) run.say("minority-twice", id, at, `${alertId}: the one before has not ended`);
        open = { from: at, to: Number.POSITIVE_INFINITY };
        found.push(open);
        judgeBeginning(run, id, alertId, madeAt({ alertId, at }));
      } else if (event === "minority-ended") {
        if (!open) run.say("minority-end-of-nothing", id, at, `${alertId}: none had begun`);
        if (open) open.to = at;
        open = null;
      } else if (open && (event === "down" || event === "degraded"))
        run.say("minority-and-incident", id, at, `${alertId} tells ${event} while a minority is told as well`);
    }
  }
  for (const epoch of run.epochs) judgeEpoch(run, epoch, advisories.get(epoch.id) ?? []);
}

/** Somewhere it was down not long before, and where it was not for enough of the locations. */
function judgeBeginning({ epochs, script, scenario, say }: Case, id: string, alertId: string, at: number) {
  const slack = 2 + (2 * scenario.skewMs) / 1000;
  const own = epochs.filter((one) => one.id === id && one.from <= at + slack && one.to >= at - slack);
  const isRight = own.some(({ settings }) => {
    const { failureThreshold, recoveryThreshold, intervalSeconds, locations, alerts } = settings;
    const from = Math.max(0, at - (failureThreshold + 2 * recoveryThreshold) * intervalSeconds - 60 - slack);
    const wasDown = (location: string) =>
      script.atSomeMoment(
        settings,
        from,
        at,
        (moment) => script.healthAt(settings, location, moment, { despiteCuts: true }) === "down",
      );
    return typeof alerts.minorityAfterSeconds === "number" && locations.some(wasDown);
  });
  if (!isRight) say("false-minority", id, at, `${alertId}: nowhere was it down, or nobody asked`);
}

/** Where a location is down for long while the status is up, and nothing is amiss, an advisory is open. */
function judgeEpoch(run: Case, { id, from, to, settings, paused }: Epoch, advisories: readonly Advisory[]) {
  const after = settings.alerts.minorityAfterSeconds ?? null;
  // What it depends on may hold the advisory back.
  const isHeld = (settings.dependsOn ?? []).length > 0;
  if (after === null || paused || settings.flapping || isHeld) return;
  const { failureThreshold, recoveryThreshold, intervalSeconds, timeoutMs, retries, locations } = settings;
  const attempts = ((retries.count + 1) * timeoutMs + retries.count * retries.delayMs) / 1000;
  const within =
    after + (Math.max(failureThreshold, recoveryThreshold) + 1) * intervalSeconds + attempts + DECIDED_SECONDS;
  let since: number | null = null;
  const edges = run.script.edges(settings, Math.max(0, from), to);
  for (const [place, begins] of edges.slice(0, -1).entries()) {
    const ends = edges[place + 1]!;
    const middle = (begins + ends) / 2;
    const isMinority =
      run.script.statusAt(settings, middle) === "up" &&
      locations.some((name) => run.script.healthAt(settings, name, middle) === "down");
    since = isMinority ? (since ?? begins) : null;
    if (since === null || ends - since <= within) continue;
    const at = since + within;
    const isCut = run.scenario.cuts.some((cut) => cut.from < at && cut.to > since! - SETTLED_SECONDS);
    if (isCut || !run.calm.covers(Math.max(0, since - SETTLED_SECONDS), at)) continue;
    if (!advisories.some((one) => one.from <= at && one.to >= at))
      run.say("minority-lost", id, at, `down below the quorum since ${s1(since)}, and nobody was told by ${s1(at)}`);
    return;
  }
}
