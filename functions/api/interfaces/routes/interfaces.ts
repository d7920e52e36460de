/** Route `/v1/monitors/{id}/interfaces`: how the interfaces of a device stand now. */
import { z } from "zod";
import type { InterfaceReading } from "../../../../shared/contract/poll.ts";
import type { StoredPoll } from "../../../../shared/history/poll.ts";
import {
  type Counts,
  type Interval,
  intervalsBetween,
  isLinkUp,
  isOn,
  perMillion,
  utilisation,
} from "../../../../shared/measures/counters.ts";
import { VERDICTS } from "../../../../shared/rules/interface-verdicts.ts";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import { locationField } from "../../history/routes/location-filter.ts";
import { locationName, moment, pageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { page } from "../../http/schemas.ts";
import { deviceOf, interfaceIdOf } from "../device.ts";

const rate = (what: string, example: number) => z.number().nullable().meta({ description: what, example });
const direction = z
  .object({
    bitsPerSecond: rate("Bits a second.", 84_200_000),
    packetsPerSecond: rate("Unicast packets a second.", 9_120),
    utilisationPercent: rate("Per cent of the line rate; null where the speed is unknown.", 8.42),
  })
  .meta({
    id: "InterfaceRates",
    description: "What goes over an interface in one direction, between its last two polls.",
  });

const status = z.enum(["up", "down"]).meta({ id: "LinkStatus", description: "Up or down.", example: "up" });
const verdict = z
  .enum(VERDICTS)
  .meta({ id: "InterfaceVerdict", description: "What is wrong with an interface.", example: "errors-high" });

const interfaceItem = z
  .object({
    id: z.string().meta({ description: "Names it in paths.", example: "R2kxLzAvNw" }),
    name: z.string().meta({ description: "Its name at the device (ifName).", example: "Gi1/0/7" }),
    alias: z.string().meta({ description: "What people call it there (ifAlias); may be empty.", example: "uplink" }),
    index: z.int().meta({ description: "Its number at the device, which may change.", example: 10_107 }),
    location: locationName,
    at: moment.describe("When it was polled last."),
    admin: status.describe("Whether it is turned on."),
    link: status,
    speedMbps: z
      .int()
      .nullable()
      .meta({ description: "Speed in megabits a second; null where it is unknown.", example: 1_000 }),
    duplex: z
      .enum(["half", "full"])
      .meta({ id: "Duplex", description: "Whether both sides may send at once.", example: "full" })
      .nullable()
      .meta({ description: "Duplex; null where the device does not tell.", example: "full" }),
    in: direction.describe("What it receives."),
    out: direction.describe("What it sends."),
    errorsPerMillion: rate("Errors in a million packets, both directions, between the last two polls.", 0),
    discardsPerMillion: rate("Discarded packets in a million, likewise.", 0),
    verdicts: z.array(verdict).meta({ description: "What is wrong with it, worst first.", example: [] }),
  })
  .meta({
    id: "Interface",
    description:
      "An interface of a device. Rates are null where the counters prove nothing: at the first poll, after a restart or a gap.",
    example: { name: "Gi1/0/7" },
  });

const round = (value: number | null) => (value === null ? null : Number(value.toPrecision(6)));

const rates = (
  counts: Counts | null,
  way: "in" | "out",
  { seconds, speedMbps }: Pick<Interval, "seconds" | "speedMbps">,
) => {
  const [bytes, packets] = counts ? [counts[`${way}Bytes`], counts[`${way}Packets`]] : [null, null];
  return {
    bitsPerSecond: bytes === null ? null : round((8 * bytes) / seconds),
    packetsPerSecond: packets === null ? null : round(packets / seconds),
    utilisationPercent: bytes === null ? null : round(utilisation(bytes, seconds, speedMbps)),
  };
};

const DUPLEX: Readonly<Record<number, "half" | "full">> = { 2: "half", 3: "full" };

const present = (
  reading: InterfaceReading,
  { atMs, memory }: StoredPoll,
  interval: Interval | undefined,
  location: string,
) => {
  const { name, alias, index, speedMbps, duplex } = reading;
  const counts = interval?.counts ?? null;
  const over = interval ?? { seconds: 0, speedMbps };
  return {
    id: interfaceIdOf(name),
    name,
    alias,
    index,
    location,
    at: new Date(atMs).toISOString(),
    admin: isOn(reading) ? "up" : "down",
    link: isLinkUp(reading) ? "up" : "down",
    speedMbps: speedMbps > 0 ? speedMbps : null,
    duplex: DUPLEX[duplex] ?? null,
    in: rates(counts, "in", over),
    out: rates(counts, "out", over),
    errorsPerMillion: counts && round(perMillion(counts.errors, counts)),
    discardsPerMillion: counts && round(perMillion(counts.discards, counts)),
    verdicts: memory.get(name)?.verdicts ?? [],
  };
};

const listInterfaces = route({
  method: "GET",
  path: "/v1/monitors/{id}/interfaces",
  operationId: "listInterfaces",
  summary: "How the interfaces of a device stand",
  description:
    "Of a monitor with the protocol `interfaces`, in the device's order, as one location polled them last: by default the monitor's first. Other monitors have none.",
  scope: "read",
  query: z.strictObject({ ...page, ...locationField }),
  responses: { 200: { description: "A page of interfaces.", schema: pageOf(interfaceItem) } },
  handle: async ({ params: { id = "" }, query: { limit, cursor, location } }, deps) => {
    const device = await deviceOf(deps, id, location);
    const [last, before] = await deps.counters.newest(device, 2);
    const question = JSON.stringify(["interfaces", id, location]);
    const from = cursor === undefined ? 0 : Number(decodeCursor(cursor, question));
    const intervals =
      last && before ? intervalsBetween(before, last, device.intervalSeconds) : new Map<string, Interval>();
    const items = (last?.interfaces ?? [])
      .slice(from, from + limit)
      .map((one) => present(one, last!, intervals.get(one.name), device.location));
    const hasMore = from + limit < (last?.interfaces.length ?? 0);
    return { body: { items, nextCursor: hasMore ? encodeCursor(String(from + limit), question) : null } };
  },
});

export const interfaces: readonly Route[] = [listInterfaces];
