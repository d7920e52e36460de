/** Tells the secret settings of a channel from the others: those that its schema marks `writeOnly`. */
import * as z from "zod/mini";
import type { Channel } from "./channel.ts";

type Values = Readonly<Record<string, unknown>>;

const shapeOf = ({ settings }: Channel) => (settings as unknown as z.ZodMiniObject).shape;

export const isSecret = (channel: Channel, setting: string): boolean => {
  const schema = shapeOf(channel)[setting];
  return schema !== undefined && z.globalRegistry.get(schema)?.writeOnly === true;
};

export const splitSecrets = (
  channel: Channel,
  settings: Values,
): { readonly shown: Values; readonly secrets: Values } => {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const those = (wanted: boolean) =>
    Object.fromEntries(given.filter(([name]) => isSecret(channel, name) === wanted)) as Values;
  return { shown: those(false), secrets: those(true) };
};

/** All texts in a value. */
const textsIn = (value: unknown): string[] => {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
};

/** Shortest secret that is looked for in other text: shorter ones are in ordinary words. */
const MIN_LENGTH = 6;

/** Replaces secrets within text, for example in an error message that repeats the URL. */
export const withoutSecrets = (text: string, secrets: Values, replacement: string): string =>
  textsIn(secrets)
    .filter((secret) => secret.length >= MIN_LENGTH)
    .toSorted((a, b) => b.length - a.length)
    .reduce((left, secret) => left.replaceAll(secret, replacement), text);
