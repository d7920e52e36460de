/**
 * The context value `locations`: where checks run from. Everything is written out (no lookups), so that the template
 * can be made offline, and everything wrong is refused by name before anything is built.
 */

export const FAMILIES = ["ipv4", "ipv6"] as const;
export type Family = (typeof FAMILIES)[number];

interface Base {
  /**
   * Appears in views, keys and the names of the queue and the function: never changes once monitors use it. A location
   * that moves into a VPC or out of one needs a new name too: the old queue would still stand in another stack.
   */
  readonly name: string;
  readonly region: string;
  /** Address families that leave this location. */
  readonly families: readonly Family[];
  /** Whether AWS lifted its block of outbound TCP 25 here. */
  readonly port25: boolean;
  /** `host:port`; when all of them fail the location is offline and no view turns down. Empty: never asked. */
  readonly controlTargets: readonly string[];
}
export type LocationSpec =
  | (Base & { readonly kind: "public" | "local" })
  | (Base & {
      readonly kind: "vpc";
      readonly vpcId: string;
      readonly subnetIds: readonly string[];
      readonly availabilityZones: readonly string[];
      readonly securityGroupIds: readonly string[];
    });

/** Thrown for context that cannot be deployed; the message names the field, what was expected and what came. */
export class InvalidContext extends Error {
  override readonly name = "InvalidContext";
}

/**
 * Anycast addresses of four independent operators (Cloudflare, Google, Quad9, OpenDNS), by address so that no
 * resolver is involved. Judging "we are offline" by one operator would make its outage ours.
 */
export const PUBLIC_CONTROL_TARGETS = ["1.1.1.1:443", "8.8.8.8:443", "9.9.9.9:443", "208.67.222.222:443"];

const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;
const NAME = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;
const TARGET = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+):(\d{1,5})$/i;
const COMMON_FIELDS = ["name", "kind", "region", "families", "port25", "controlTargets"];
const VPC_FIELDS = ["vpcId", "subnetIds", "availabilityZones", "securityGroupIds"];

const show = (value: unknown) => (value === undefined ? "nothing" : JSON.stringify(value));

/**
 * @param value a list whose entries are region names (`"eu-west-1"`) or objects, or the same as JSON or comma-separated text
 * @param homeRegion where the tables live; `local` locations are there too
 * @throws {InvalidContext}
 */
export const parseLocations = (
  value: unknown,
  homeRegion: string,
  publicControlTargets: readonly string[] = PUBLIC_CONTROL_TARGETS,
): LocationSpec[] => {
  const list = fromText(value ?? [homeRegion]);
  if (!Array.isArray(list) || list.length === 0) {
    throw new InvalidContext(`locations must be a list with at least one location, got ${show(value)}`);
  }
  const locations = list.map((entry, index) =>
    parseLocation(entry, `locations[${index}]`, homeRegion, publicControlTargets),
  );
  const names = locations.map(({ name }) => name);
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice >= 0) throw new InvalidContext(`locations[${twice}].name must be unique, got ${show(names[twice])} again`);
  const [at, another] = [...locations.keys()].filter((index) => isAtHome(locations[index]!, homeRegion));
  if (another !== undefined) {
    throw new InvalidContext(
      `locations[${another}] is a second public location of ${homeRegion}, beside ${show(names[at!])}: both would see the same; take one out`,
    );
  }
  return locations;
};

const isAtHome = ({ kind, region }: LocationSpec, homeRegion: string) => kind === "public" && region === homeRegion;

/**
 * The location whose probe lives in the home stack: the public one of the home region, wherever it stands in the list.
 * A physical name that moved to another stack would fail the deployment (`QueueAlreadyExists`), so nothing else may
 * decide: no order, and no other location. On one machine, where nothing is deployed, it is the first.
 */
export const homeLocationOf = (locations: readonly LocationSpec[], homeRegion: string): LocationSpec | undefined =>
  locations.find((location) => isAtHome(location, homeRegion)) ??
  locations.find(({ kind, region }) => kind === "local" && region === homeRegion);

const fromText = (value: unknown): unknown => {
  if (typeof value !== "string") return value;
  if (!value.trim().startsWith("[")) return value.split(",").map((name) => name.trim());
  try {
    return JSON.parse(value);
  } catch {
    throw new InvalidContext(`locations must be JSON or region names separated by commas, got ${show(value)}`);
  }
};

const parseLocation = (
  entry: unknown,
  path: string,
  homeRegion: string,
  publicControlTargets: readonly string[],
): LocationSpec => {
  const given = typeof entry === "string" ? { name: entry } : entry;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new InvalidContext(`${path} must be a region's name or an object, got ${show(entry)}`);
  }
  const fields = given as Record<string, unknown>;
  const kind = oneOf(fields.kind ?? "public", ["public", "vpc", "local"] as const, `${path}.kind`);
  const known = kind === "vpc" ? [...COMMON_FIELDS, ...VPC_FIELDS] : COMMON_FIELDS;
  for (const field of Object.keys(fields)) {
    if (!known.includes(field)) {
      throw new InvalidContext(`${path}.${field} is not a field of a ${kind} location; those are ${known.join(", ")}`);
    }
  }
  const name = text(fields.name, NAME, `${path}.name`, "1 to 32 lower-case letters, digits and inner hyphens");
  const region = text(
    fields.region ?? (REGION.test(name) ? name : kind === "local" ? homeRegion : undefined),
    REGION,
    `${path}.region`,
    'an AWS region such as "eu-west-1"',
  );
  const base = {
    name,
    region,
    families: parseFamilies(fields.families, kind, `${path}.families`),
    port25: parsePort25(fields.port25, kind, `${path}.port25`),
    // A VPC may have no way out to the Internet, so its control targets are its owner's to name.
    controlTargets:
      fields.controlTargets === undefined
        ? kind === "public"
          ? publicControlTargets
          : []
        : parseControlTargets(fields.controlTargets, `${path}.controlTargets`),
  };
  if (kind !== "vpc") return { ...base, kind };
  const vpc = {
    vpcId: text(fields.vpcId, /^vpc-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, `${path}.vpcId`, "the id of a VPC (vpc-…)"),
    subnetIds: ids(fields.subnetIds, /^subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, `${path}.subnetIds`, "subnet-…"),
    availabilityZones: ids(
      fields.availabilityZones,
      /^[a-z]{2}(-[a-z0-9]+)+$/,
      `${path}.availabilityZones`,
      "eu-west-1a",
    ),
    securityGroupIds: ids(
      fields.securityGroupIds,
      /^sg-(?:[0-9a-f]{8}|[0-9a-f]{17})$/,
      `${path}.securityGroupIds`,
      "sg-…",
    ),
  };
  if (vpc.availabilityZones.length !== vpc.subnetIds.length) {
    throw new InvalidContext(
      `${path}.availabilityZones must name one zone for each of the ${vpc.subnetIds.length} subnetIds, got ${vpc.availabilityZones.length}`,
    );
  }
  return { ...base, kind, ...vpc };
};

const parseFamilies = (value: unknown, kind: LocationSpec["kind"], path: string): readonly Family[] => {
  if (value === undefined) return kind === "local" ? FAMILIES : ["ipv4"];
  if (!Array.isArray(value) || value.length === 0 || new Set(value).size !== value.length) {
    throw new InvalidContext(`${path} must be a list of ${FAMILIES.join(" and ")}, got ${show(value)}`);
  }
  const families = value.map((family, index) => oneOf(family, FAMILIES, `${path}[${index}]`));
  if (kind === "public" && families.includes("ipv6")) {
    throw new InvalidContext(`${path} must be ["ipv4"]: Lambda outside a VPC has no IPv6, got ${show(value)}`);
  }
  return families;
};

const parsePort25 = (value: unknown, kind: LocationSpec["kind"], path: string): boolean => {
  if (value === undefined) return kind === "local";
  if (typeof value !== "boolean") throw new InvalidContext(`${path} must be true or false, got ${show(value)}`);
  if (value && kind === "public") {
    throw new InvalidContext(`${path} cannot be true: AWS blocks outbound TCP 25 for Lambda outside a VPC for good`);
  }
  return value;
};

/** @throws {InvalidContext} */
export const parseControlTargets = (value: unknown, path: string): readonly string[] => {
  if (!Array.isArray(value)) throw new InvalidContext(`${path} must be a list of host:port, got ${show(value)}`);
  return value.map((target, index) => {
    const port = typeof target === "string" ? Number(TARGET.exec(target)?.[2]) : Number.NaN;
    if (port >= 1 && port <= 65_535) return target as string;
    throw new InvalidContext(`${path}[${index}] must be host:port with a port from 1 to 65535, got ${show(target)}`);
  });
};

const oneOf = <T extends string>(value: unknown, allowed: readonly T[], path: string): T => {
  if (allowed.includes(value as T)) return value as T;
  throw new InvalidContext(`${path} must be one of ${allowed.join(", ")}, got ${show(value)}`);
};

const text = (value: unknown, pattern: RegExp, path: string, expected: string): string => {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw new InvalidContext(`${path} must be ${expected}, got ${show(value)}`);
};

const ids = (value: unknown, pattern: RegExp, path: string, example: string): readonly string[] => {
  if (!Array.isArray(value) || value.length === 0) {
    throw new InvalidContext(`${path} must be a list such as ["${example}"], got ${show(value)}`);
  }
  return value.map((id, index) => text(id, pattern, `${path}[${index}]`, `text such as "${example}"`));
};
