/**
 * Tags of the OpenAPI document, which group its operations by subject, and its path parameters. Generators make a class
 * of each tag.
 */
import { z } from "zod";

interface Tag {
  readonly name: string;
  readonly description: string;
  /** Paths of its operations; the first tag that matches counts. */
  readonly paths: RegExp;
}

const TAGS: readonly Tag[] = [
  {
    name: "History",
    description: "What was seen: raw outcomes, uptime, failures and latency over time.",
    paths: /^\/v1\/(uptime|monitors\/\{id\}\/(results|stats|timeline))$/,
  },
  { name: "Incidents", description: "What went wrong, from when to when.", paths: /\/incidents\b|\/acknowledge$/ },
  {
    name: "Changes",
    description: "What services say of themselves and did not say before.",
    paths: /^\/v1\/(changes\b|monitors\/\{id\}\/(changes|baseline)\b)/,
  },
  {
    name: "Sweeps",
    description: "Which ports of hosts and networks are open, and what differs between two looks.",
    paths: /^\/v1\/monitors\/\{id\}\/sweeps\b/,
  },
  {
    name: "Interfaces",
    description: "Links, speeds, errors and traffic of a device's interfaces.",
    paths: /^\/v1\/monitors\/\{id\}\/interfaces\b/,
  },
  {
    name: "Checks",
    description: "Checks at once, of a monitor or of settings that are not saved yet.",
    paths: /^\/v1\/(checks|monitors\/\{id\}\/check)$/,
  },
  { name: "Monitors", description: "What is checked, and how it stands.", paths: /^\/v1\/(monitors|tags)\b/ },
  { name: "Policies", description: "Who is told of trouble, and when.", paths: /^\/v1\/policies\b/ },
  {
    name: "Maintenance",
    description: "Times in which nobody is told of trouble.",
    paths: /^\/v1\/maintenance-windows\b/,
  },
  { name: "Overview", description: "How everything stands, in one cheap call.", paths: /^\/v1\/overview\b/ },
  { name: "Metrics", description: "Newest outcomes for other systems.", paths: /^\/v1\/(metrics|badges)\b/ },
  {
    name: "Channels",
    description: "Ways to people and programs that alerts can take.",
    paths: /^\/v1\/(channels|channel-kinds)\b/,
  },
  { name: "Subscriptions", description: "Who is told of incidents.", paths: /^\/v1\/subscriptions\b/ },
  {
    name: "Status pages",
    description: "Pages that tell everybody how services are.",
    paths: /^\/v1\/status-pages\b/,
  },
  { name: "Tokens", description: "Tokens of programs.", paths: /^\/v1\/tokens\b/ },
  { name: "Sessions", description: "Sessions of people in a browser.", paths: /^\/v1\/sessions?\b/ },
  { name: "Audit", description: "Who changed what, and when.", paths: /^\/v1\/audit\b/ },
  {
    name: "Catalogue",
    description: "What there is to choose from: protocols and locations.",
    paths: /^\/v1\/(protocols|locations)\b/,
  },
  {
    name: "Service",
    description: "The API itself.",
    paths: /^\/(v1)?$|^\/favicon\.ico$|^\/v1\/(health|openapi\.json)$/,
  },
];

/** @throws Error for a path without a tag */
export const tagOf = (path: string): string => {
  const tag = TAGS.find(({ paths }) => paths.test(path));
  if (!tag) throw new Error(`no tag is declared for ${path}: add one to functions/api/openapi/tags.ts`);
  return tag.name;
};

/** The tags that these paths have, by name, for the head of the document. */
export const tagsOf = (paths: readonly string[]) =>
  TAGS.filter(({ name }) => paths.some((path) => tagOf(path) === name))
    .map(({ name, description }) => ({ name, description }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** What a path names, by the path up to its parameter: the words for it, and an example. */
const ITEMS: readonly { readonly paths: RegExp; readonly what: string; readonly example: string }[] = [
  { paths: /^\/v1\/badges\b/, what: "Id of the monitor, and `.svg`", example: "7ca139c8bbaa9b19b116.svg" },
  { paths: /\/sweeps\/(.*\/)?$/, what: "The second in which the sweep began", example: "1795809600" },
  { paths: /\/interfaces\/$/, what: "Id of the interface, or its name if that has no slash", example: "R2kxLzAvNw" },
  { paths: /^\/v1\/monitors\b/, what: "Id of the monitor", example: "7ca139c8bbaa9b19b116" },
  { paths: /\/notes\/$/, what: "Id of the note", example: "5b1c4f7e-9a51-4d6c-8d1b-0c1f0a3f5b7e" },
  { paths: /^\/v1\/incidents\b/, what: "Id of the incident", example: "7ca139c8bbaa9b19b116.1795341600000" },
  { paths: /^\/v1\/changes\b/, what: "Id of the change", example: "7ca139c8bbaa9b19b116.0a1b2c3d4e5f" },
  {
    paths: /^\/v1\/subscriptions\b/,
    what: "Id of the subscription",
    example: "alerts-0d4e6f3a-5b1c-4f7e-9a51-2f4f1f6b7c90",
  },
  { paths: /^\/v1\/tokens\b/, what: "Id of the token", example: "a1b2c3d4e5f6a7b8c9d0" },
  { paths: /^\/v1\/policies\b/, what: "Id of the policy", example: "0a1b2c3d4e5f6a7b8c9d" },
  { paths: /^\/v1\/channels\b/, what: "Id of the channel", example: "0a1b2c3d4e5f6a7b8c9d" },
  { paths: /^\/v1\/maintenance-windows\b/, what: "Id of the window", example: "0a1b2c3d4e5f6a7b8c9d" },
  { paths: /\/notices\/$/, what: "Id of the notice", example: "0a1b2c3d4e5f6a7b8c9d" },
  {
    paths: /\/subscribers\/$/,
    what: "Id of the subscriber",
    example: "0a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f",
  },
  { paths: /^\/v1\/status-pages\b/, what: "Id of the status page", example: "0a1b2c3d4e5f6a7b8c9d" },
  { paths: /^\/v1\/sessions\b/, what: "Id of the session", example: "5f6a7b8c9d0a1b2c" },
];

/** @throws Error for a path whose parameter is not described */
export const pathParameter = (path: string, name: string): z.ZodType => {
  const before = path.slice(0, path.indexOf(`{${name}}`));
  const item = ITEMS.find(({ paths }) => paths.test(before));
  if (!item) throw new Error(`{${name}} of ${path} is not described: add it to functions/api/openapi/tags.ts`);
  return z.string().meta({ description: `${item.what}.`, example: item.example });
};
