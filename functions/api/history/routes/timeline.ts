/** Route `/v1/monitors/{id}/timeline`: how the port answered over time, as each location saw it. */
import { z } from "zod";
import { DAY_SECONDS } from "../../../../shared/durations.ts";
import { InvalidInput } from "../../../../shared/errors.ts";
import { portStretches } from "../../../../shared/history/lanes.ts";
import { maintenanceOf } from "../../../../shared/rules/maintenance.ts";
import { health, incidentItem, locationName, moment, monitorId, reason, state } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { presentRecorded } from "../../monitors/present.ts";
import { withHistory } from "../../monitors/write.ts";
import { incidentsIn } from "../incidents-in.ts";
import { rangeFields, readRange } from "../range.ts";
import { historyReader } from "../reader.ts";

/** Longest range: it is computed from raw outcomes, of which there are 8,640 a day at 10 s. */
const MOST_DAYS = 31;
/** Some 2 MB of JSON. */
const MOST_STRETCHES = 15_000;

const stretchView = z
  .object({
    from: moment.describe("Where it begins."),
    to: moment.describe("Where it ends, exclusive."),
    state: state.describe("State of the port in all outcomes of the stretch."),
    health: health.describe("Judgement of these outcomes, before thresholds; `unknown`: they say nothing."),
    reason,
  })
  .meta({ id: "PortStretch", description: "A time in which all outcomes of a location were alike." });

const timelineView = z
  .object({
    monitorId: monitorId,
    from: moment.describe("First moment of the range."),
    to: moment.describe("End of the range, exclusive."),
    lanes: z
      .array(
        z
          .object({
            location: locationName,
            stretches: z.array(stretchView).describe("Oldest first; time that is in none has no data."),
          })
          .meta({ id: "TimelineLane", description: "What one location saw." }),
      )
      .describe("One for each location that has data in the range, by name."),
    maintenance: z
      .array(
        z
          .object({ from: moment.describe("Where it begins."), to: moment.describe("Where it ends, exclusive.") })
          .meta({ id: "MaintenanceStretch", description: "A time in which the monitor was in maintenance." }),
      )
      .describe("When the monitor was in maintenance, oldest first."),
    incidents: z.array(incidentItem).describe("Incidents that overlap the range, newest first."),
  })
  .meta({ id: "Timeline", description: "How the port answered over time, by location." });

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

export const timeline: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/monitors/{id}/timeline",
    operationId: "getTimeline",
    summary: "How the port answered over time, by location",
    description: `Joins outcomes that are alike into stretches. A range of at most ${MOST_DAYS} days.`,
    scope: "read",
    query: z.strictObject(rangeFields("a day")),
    responses: { 200: { description: "A lane for each location, and the incidents.", schema: timelineView } },
    handle: async ({ params, query, token }, deps) => {
      const monitor = await withHistory(deps, params.id ?? "");
      const range = readRange(query, deps.now(), DAY_SECONDS);
      if (range.to - range.from > MOST_DAYS * DAY_SECONDS)
        throw new InvalidInput([{ path: "from", message: `must be at most ${MOST_DAYS} days before to` }]);
      const reader = await historyReader(deps);
      const [outcomes, incidents, windows] = await Promise.all([
        reader.outcomes(monitor, reader.locationsOf(monitor), range.from, range.to),
        incidentsIn(deps, monitor.id, range),
        deps.allWindows(),
      ]);
      const lanes = [...outcomes]
        .map(([location, some]) => ({
          location,
          stretches: [...portStretches(some, range)].map(({ from, to, ...rest }) => ({
            from: iso(from),
            to: iso(to),
            ...rest,
          })),
        }))
        .filter(({ stretches }) => stretches.length > 0)
        .toSorted((a, b) => (a.location < b.location ? -1 : 1));
      const count = lanes.reduce((sum, { stretches }) => sum + stretches.length, 0);
      if (count > MOST_STRETCHES)
        throw new InvalidInput([
          {
            path: "from",
            message: `gives ${count} stretches, and an answer has at most ${MOST_STRETCHES}: ask for a shorter range`,
          },
        ]);
      const maintenance = maintenanceOf(windows, monitor, range.from * 1000, range.to * 1000).map(
        ({ startMs, endMs }) => ({ from: new Date(startMs).toISOString(), to: new Date(endMs).toISOString() }),
      );
      const body = { monitorId: monitor.id, from: iso(range.from), to: iso(range.to), lanes, maintenance };
      return { body: { ...body, incidents: incidents.map((incident) => presentRecorded(incident, token)) } };
    },
  }),
];
