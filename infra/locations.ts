/**
 * The context value `locations`: where checks run from. Networks are given by id, without CDK lookups, so that synthesis
 * works offline; an error names every wrong field before anything is built.
 */
import { z } from "zod";
import { FAMILIES, LOCATION_KINDS, type Location } from "../shared/model.ts";
import { matching, must, show } from "./validation.ts";

interface Base extends Pick<Location, "name" | "region" | "families" | "port25"> {
  /**
   * Appears in views, keys and the names of the queue and the function: never changes once monitors use it. A location
   * that moves into a VPC or out of one needs a new name too: the old queue would still stand in another stack.
   */
  readonly name: string;
  /** `host:port`; while all of them fail, the location counts as offline and no view turns down. Empty: no such check. */
  readonly controlTargets: readonly string[];
}
export type LocationSpec =
  | (Base & { readonly kind: Exclude<Location["kind"], "vpc"> })
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

export const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;
/** Names of locations, on AWS and on one machine. */
export const LOCATION_NAME = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;
const TARGET = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+):(\d{1,5})$/i;

const isTarget = (text: unknown): text is string => {
  const port = typeof text === "string" ? Number(TARGET.exec(text)?.[2]) : Number.NaN;
  return port >= 1 && port <= 65_535;
};
export const controlTargets = z.array(
  z.custom<string>(isTarget, must("host:port with a port from 1 to 65535")),
  must("a list of host:port"),
);

const listOf = (pattern: RegExp, example: string) => {
  const aList = must(`a list such as ["${example}"]`);
  return z.array(matching(pattern, `text such as "${example}"`), aList).min(1, aList);
};

const listOfFamilies = must(`a list of ${FAMILIES.join(" and ")}`);
const families = z
  .array(z.enum(FAMILIES, must(`one of ${FAMILIES.join(", ")}`)), listOfFamilies)
  .min(1, listOfFamilies)
  .refine((all) => new Set(all).size === all.length, listOfFamilies);
const publicFamilies = families.refine(
  (all) => !all.includes("ipv6"),
  must('["ipv4"]: Lambda outside a VPC has no IPv6'),
);
const port25 = z.boolean(must("true or false"));
const publicPort25 = port25.refine((isOpen) => !isOpen, {
  error: "cannot be true: AWS blocks outbound TCP 25 for Lambda outside a VPC for good",
});

const common = {
  name: matching(LOCATION_NAME, "1 to 32 lower-case letters, digits and inner hyphens"),
  region: matching(REGION, 'an AWS region such as "eu-west-1"'),
};
const network = {
  vpcId: matching(/^vpc-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, "the id of a VPC (vpc-…)"),
  subnetIds: listOf(/^subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, "subnet-…"),
  availabilityZones: listOf(/^[a-z]{2}(-[a-z0-9]+)+$/, "eu-west-1a"),
  securityGroupIds: listOf(/^sg-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, "sg-…"),
};

const locationOf = <Kind extends Location["kind"], Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) => {
  const all = { name: common.name, kind: z.literal(kind), region: common.region, ...shape };
  const error = `is not a field of a ${kind} location; those are ${Object.keys(all).join(", ")}`;
  return z.strictObject(all, { error: ({ code }) => (code === "unrecognized_keys" ? error : undefined) });
};

const locationSchema = (homeRegion: string, publicControlTargets: readonly string[]) => {
  const ofPublic = locationOf("public", {
    families: publicFamilies.default(["ipv4"]),
    port25: publicPort25.default(false),
    controlTargets: controlTargets.default([...publicControlTargets]),
  });
  const ofLocal = locationOf("local", {
    families: families.default([...FAMILIES]),
    port25: port25.default(true),
    controlTargets: controlTargets.default([]),
  });
  const ofVpc = locationOf("vpc", {
    families: families.default(["ipv4"]),
    port25: port25.default(false),
    // No default: a VPC may have no way out to the Internet.
    controlTargets: controlTargets.default([]),
    ...network,
  }).refine(({ availabilityZones, subnetIds }) => availabilityZones.length === subnetIds.length, {
    path: ["availabilityZones"],
    error: ({ input }) => {
      const { availabilityZones, subnetIds } = input as Record<keyof typeof network, readonly string[]>;
      return `must name one zone for each of the ${subnetIds.length} subnetIds, got ${availabilityZones.length}`;
    },
  });
  const any = z.discriminatedUnion("kind", [ofPublic, ofLocal, ofVpc], {
    error: ({ code, input }) =>
      code === "invalid_union"
        ? `must be one of ${LOCATION_KINDS.join(", ")}, got ${show((input as { kind?: unknown }).kind)}`
        : `must be a region's name or an object, got ${show(input)}`,
  });
  return z.preprocess((entry) => withDefaults(entry, homeRegion), any);
};

/** Fills in the kind (default `public`), and the region that follows from the name or the kind. */
const withDefaults = (entry: unknown, homeRegion: string): unknown => {
  const given: unknown = typeof entry === "string" ? { name: entry } : entry;
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
  const { name, kind: kindGiven, region, ...fields } = given as Record<string, unknown>;
  const kind = kindGiven ?? "public";
  const implied = REGION.test(String(name)) ? name : kind === "local" ? homeRegion : undefined;
  return { ...fields, name, kind, region: region ?? implied };
};

/**
 * Schema of a list whose entries are region names (`"eu-west-1"`) or objects, or the same as JSON or comma-separated text.
 * @param homeRegion where the tables live: the region of `local` locations, and the only location where no list is given
 */
export const locationsSchema = (
  homeRegion: string,
  publicControlTargets: readonly string[] = PUBLIC_CONTROL_TARGETS,
) => {
  const aLocation = must("a list with at least one location");
  const list = z
    .array(locationSchema(homeRegion, publicControlTargets), aLocation)
    .min(1, aLocation)
    .superRefine((locations, { addIssue }) => {
      const refuse = (path: PropertyKey[], message: string) => addIssue({ code: "custom", path, message });
      const names = locations.map(({ name }) => name);
      for (const [index, name] of names.entries())
        if (names.indexOf(name) !== index) refuse([index, "name"], `must be unique, got ${show(name)} again`);
      const [first, ...others] = locations.keys().filter((index) => isAtHome(locations[index]!, homeRegion));
      const beside = show(names[first ?? 0]);
      for (const index of others)
        refuse(
          [index],
          `is a second public location of ${homeRegion}, beside ${beside}: both would see the same; take one out`,
        );
    });
  return z.preprocess((value, { addIssue }) => {
    try {
      return fromText(value ?? [homeRegion]);
    } catch {
      addIssue({ code: "custom", message: must("JSON or region names separated by commas").error({ input: value }) });
      return z.NEVER;
    }
  }, list);
};

const isAtHome = ({ kind, region }: LocationSpec, homeRegion: string) => kind === "public" && region === homeRegion;

/**
 * The location whose probe lives in the home stack: the public one of the home region, wherever it stands in the list.
 * It must depend neither on the order nor on other locations: a physical name that moved to another stack would fail the
 * deployment (`QueueAlreadyExists`). On one machine, where nothing is deployed, it is the first `local` location.
 */
export const homeLocationOf = (locations: readonly LocationSpec[], homeRegion: string): LocationSpec | undefined =>
  locations.find((location) => isAtHome(location, homeRegion)) ??
  locations.find(({ kind, region }) => kind === "local" && region === homeRegion);

/** @throws SyntaxError for text that begins with `[` and is not JSON */
const fromText = (value: unknown): unknown => {
  if (typeof value !== "string") return value;
  return value.trim().startsWith("[") ? JSON.parse(value) : value.split(",").map((name) => name.trim());
};
