/** Routes of sweeps: what each found, and what differs between two. */
import { z } from "zod";
import { show } from "../../../../shared/issues.ts";
import { sightingsIn } from "../../../../shared/rules/port-sightings.ts";
import type { SweepRecord } from "../../../../shared/rules/sweep-findings.ts";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import type { Deps } from "../../deps.ts";
import { locationField, oneLocation } from "../../history/routes/location-filter.ts";
import { Problem } from "../../http/problem.ts";
import { locationName, message, moment, pageOf, reason, state, transport } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { page } from "../../http/schemas.ts";
import { withHistory } from "../../monitors/write.ts";

const tick = z.int().meta({ description: "The second in which it began; names it.", example: 1_795_809_600 });
const address = z.string().meta({ description: "Address.", example: "203.0.113.5" });
const port = z.int().meta({ description: "Port.", example: 443 });
const service = z.string().nullable().meta({
  description:
    "The protocol that answered when the port was first seen open; `tls`, `unknown`, `silent` or `closes-at-once` where none did. Null: not asked yet.",
  example: "https",
});
const count = (what: string, example: number) => z.int().meta({ description: what, example });

const summary = {
  tick,
  location: locationName,
  startedAt: moment.describe("When its first slice began."),
  endedAt: moment.describe("When it was over, looks at what differed included."),
  state,
  reason,
  message,
  addresses: count("Addresses that were swept.", 16),
  silentAddresses: count(
    "Addresses of a network that had answered nothing, and of which only common and known ports were tried. Every seventh sweep tries all.",
    0,
  ),
  open: count("Open ports, of all addresses.", 7),
  closed: count("Attempts that were refused.", 15_000),
  filtered: count("Attempts that nothing answered, or that were rejected on the way.", 990),
  unmeasured: count("Attempts for which this location lacked something.", 0),
  answersEverywhere: z.array(address).meta({
    description: "Addresses that accept connections on every port, so that their ports say nothing.",
    example: [],
  }),
};
const sweepView = z.object(summary).meta({ id: "Sweep", description: "A sweep in short." });

const seen = {
  firstSeenAt: moment
    .nullable()
    .describe("Beginning of the first sweep that found it open. Null: not known, in a sweep of an earlier version."),
  lastSeenAt: moment.describe(
    "Beginning of the last sweep, up to this one, that found it open: an earlier one where this one could not look, and so left it as it was.",
  ),
};
const openPortView = z
  .object({ address, port, transport, service, ...seen })
  .meta({ id: "OpenPort", description: "A port that a sweep found open." });

const closedPortView = z
  .object({ address, port, transport, service, ...seen })
  .meta({ id: "ClosedPort", description: "A port that earlier sweeps found open, and that is not any more." });

const sweepItem = z
  .object({
    ...summary,
    openPorts: z
      .array(openPortView)
      .nullable()
      .describe("By transport, address and port; null where nothing was measured."),
    closedPorts: z
      .array(closedPortView)
      .describe(
        "Ports that were open and are not any more, those that closed last first, 50 of TCP and 50 of UDP at most.",
      ),
  })
  .meta({ id: "SweepItem", description: "A sweep with the ports that it found open." });

const diffView = z
  .object({
    from: tick.describe("The earlier or first named sweep."),
    to: tick.describe("The sweep that it is compared with."),
    location: locationName,
    opened: z.array(openPortView).describe("Open in the second, and not in the first."),
    closed: z.array(openPortView).describe("Open in the first, and not in the second."),
  })
  .meta({ id: "SweepDiff", description: "What differs between two sweeps of one location." });

const present = (location: string, sweep: SweepRecord) => ({
  tick: sweep.tick,
  location,
  startedAt: sweep.startedAt,
  endedAt: sweep.endedAt,
  state: sweep.state,
  reason: sweep.reason,
  message: sweep.message,
  addresses: sweep.addressCount,
  silentAddresses: sweep.shortCount ?? 0,
  open: sweep.openCount,
  closed: sweep.closedCount,
  filtered: sweep.filteredCount,
  unmeasured: sweep.unmeasuredCount,
  answersEverywhere: sweep.answersEverywhere,
});

const momentOf = (tick: number) => new Date(tick * 1000).toISOString();

/** What a sweep says of TCP, and of UDP if it was asked. */
const byTransport = ({ tick, hosts = {}, closedPorts = [], udp }: SweepRecord) => [
  { transport: "tcp" as const, tick, hosts, closedPorts },
  ...(udp ? [{ transport: "udp" as const, tick, ...udp }] : []),
];

const portsOf = (sweep: SweepRecord) =>
  byTransport(sweep).flatMap(({ transport, tick, hosts }) =>
    Object.entries(hosts).flatMap(([address, host]) =>
      sightingsIn(host, tick).map(({ port, firstSeen, lastSeen }) => ({
        address,
        port,
        transport,
        service: host.services[port] ?? null,
        firstSeenAt: firstSeen === undefined ? null : momentOf(firstSeen),
        lastSeenAt: momentOf(lastSeen),
      })),
    ),
  );

const closedOf = (sweep: SweepRecord) =>
  byTransport(sweep)
    .flatMap(({ transport, closedPorts }) =>
      closedPorts.map(({ address, port, service = null, firstSeen, lastSeen }) => ({
        address,
        port,
        transport,
        service,
        firstSeenAt: momentOf(firstSeen),
        lastSeenAt: momentOf(lastSeen),
      })),
    )
    .toSorted((a, b) => b.lastSeenAt.localeCompare(a.lastSeenAt));

/** Place of a sweep in the list: newest first, and those of one tick by location. */
const order = (a: { tick: number; location: string }, b: { tick: number; location: string }) =>
  b.tick - a.tick || Number(a.location > b.location) - Number(a.location < b.location);

const TICK = /^\d{9,10}$/;

/** The sweep of a tick, by the location that is asked for, or the first one that has it. */
const find = async (
  { sweeps }: Deps,
  id: string,
  text: string,
  locations: readonly string[],
): Promise<{ readonly location: string; readonly sweep: SweepRecord }> => {
  if (TICK.test(text))
    for (const location of locations) {
      const sweep = await sweeps.sweep({ id, location }, Number(text));
      if (sweep) return { location, sweep };
    }
  throw new Problem("not-found", `there is no sweep ${show(text)} of this monitor`);
};

const locationsOf = async (deps: Deps, id: string, wanted: string | undefined): Promise<readonly string[]> => {
  const { locations } = await withHistory(deps, id);
  const location = oneLocation(wanted, locations);
  return location ? [location] : locations;
};

const listSweeps = route({
  method: "GET",
  path: "/v1/monitors/{id}/sweeps",
  operationId: "listSweeps",
  summary: "List sweeps of a monitor",
  description: "Newest first, of all its locations. Sweeps are kept for 400 days; monitors that are checked have none.",
  scope: "read",
  query: z.strictObject({ ...page, ...locationField }),
  responses: { 200: { description: "A page of sweeps.", schema: pageOf(sweepView) } },
  handle: async ({ params: { id = "" }, query: { limit, cursor, location } }, deps) => {
    const locations = await locationsOf(deps, id, location);
    const question = JSON.stringify(["sweeps", id, location]);
    const [lastTick = Number.NaN, lastLocation = ""] =
      cursor === undefined ? [] : (JSON.parse(decodeCursor(cursor, question)) as [number, string]);
    const before = Number.isNaN(lastTick) ? Math.floor(deps.now().getTime() / 1000) + 1 : lastTick + 1;
    const found = await Promise.all(
      locations.map(async (name) =>
        (await deps.sweeps.sweeps({ id, location: name }, before, limit + 1, deps.now())).map((sweep) =>
          present(name, sweep),
        ),
      ),
    );
    const rows = found
      .flat()
      .filter((row) => Number.isNaN(lastTick) || order(row, { tick: lastTick, location: lastLocation }) > 0)
      .toSorted(order);
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    const nextCursor =
      last && rows.length > limit ? encodeCursor(JSON.stringify([last.tick, last.location]), question) : null;
    return { body: { items, nextCursor } };
  },
});

const getSweep = route({
  method: "GET",
  path: "/v1/monitors/{id}/sweeps/{tick}",
  operationId: "getSweep",
  summary: "One sweep with its open ports",
  scope: "read",
  query: z.strictObject(locationField),
  responses: { 200: { description: "The sweep.", schema: sweepItem } },
  handle: async ({ params: { id = "", tick: text = "" }, query: { location: wanted } }, deps) => {
    const { location, sweep } = await find(deps, id, text, await locationsOf(deps, id, wanted));
    return {
      body: {
        ...present(location, sweep),
        openPorts: sweep.hosts ? portsOf(sweep) : null,
        closedPorts: closedOf(sweep),
      },
    };
  },
});

const getSweepDiff = route({
  method: "GET",
  path: "/v1/monitors/{id}/sweeps/{tick}/diff/{other}",
  operationId: "getSweepDiff",
  summary: "What differs between two sweeps",
  description: "From the first named to the second, of the same location.",
  scope: "read",
  query: z.strictObject(locationField),
  problems: ["not-active"],
  responses: { 200: { description: "The difference.", schema: diffView } },
  handle: async ({ params: { id = "", tick: text = "", other = "" }, query: { location: wanted } }, deps) => {
    const first = await find(deps, id, text, await locationsOf(deps, id, wanted));
    const { location } = first;
    const second = await find(deps, id, other, [location]);
    const unmeasured = [first, second].find(({ sweep }) => sweep.hosts === undefined);
    if (unmeasured)
      throw new Problem("not-active", `sweep ${unmeasured.sweep.tick} measured nothing: ${unmeasured.sweep.message}`);
    const key = ({ address, port, transport }: ReturnType<typeof portsOf>[number]) => `${transport} ${address} ${port}`;
    const [before, after] = [portsOf(first.sweep), portsOf(second.sweep)];
    const [wasOpen, isOpen] = [new Set(before.map(key)), new Set(after.map(key))];
    return {
      body: {
        from: first.sweep.tick,
        to: second.sweep.tick,
        location,
        opened: after.filter((one) => !wasOpen.has(key(one))),
        closed: before.filter((one) => !isOpen.has(key(one))),
      },
    };
  },
});

export const sweeps: readonly Route[] = [listSweeps, getSweep, getSweepDiff];
