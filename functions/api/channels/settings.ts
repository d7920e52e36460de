/** Validates the settings of an alert channel: the kind's own schema, and what this deployment refuses. */
import type { Channel, Outside } from "../../../shared/alerts/channels/channel.ts";
import { type ChannelName, channels, isChannelName } from "../../../shared/alerts/channels/index.ts";
import { isSecret } from "../../../shared/alerts/channels/secrets.ts";
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { HIDDEN } from "../../../shared/protocols/secrets.ts";
import { fieldErrors, PARSING } from "../http/input.ts";
import { type ChannelInput, channelInput } from "./representations.ts";

export type Settings = Readonly<Record<string, unknown>>;

/** Names of the secrets in whose place their mask was sent. */
const masked = (channel: Channel, settings: unknown): string[] =>
  Object.entries(settings ?? {}).flatMap(([name, value]) =>
    value === HIDDEN && isSecret(channel, name) ? [name] : [],
  );

const settingsErrors = (channel: Channel, settings: unknown, outside: Outside): FieldError[] => {
  // Before the schema, which takes the mask for a secret where that may be any text.
  const hidden = masked(channel, settings);
  if (hidden.length > 0)
    return hidden.map((name) => ({
      path: `settings.${name}`,
      message: `${HIDDEN} is only shown in place of a secret, and none is stored here: send the secret itself`,
    }));
  const { success, data, error } = channel.settings.safeParse(settings, PARSING);
  if (!success) return fieldErrors(error.issues, "settings");
  return (channel.errorsHere?.(data, outside) ?? []).map(({ path, message }) => ({
    path: `settings.${path}`,
    message,
  }));
};

/** Puts stored secrets back where their mask was sent. */
export const withStoredSecrets = (kind: ChannelName, settings: unknown, stored: Settings): unknown => {
  const kept = masked(channels[kind], settings).filter((name) => Object.hasOwn(stored, name));
  return kept.length === 0
    ? settings
    : { ...(settings as object), ...Object.fromEntries(kept.map((name) => [name, stored[name]])) };
};

const kindErrors = (kind: string, outside: Outside): FieldError[] => {
  if (!isChannelName(kind) || channels[kind].isSetUp(outside)) return [];
  const { title, needs = "a setting of the deployment" } = channels[kind];
  return [{ path: "kind", message: `${title} is off in this deployment: it needs ${needs}` }];
};

/** @throws InvalidInput that names every wrong field, also within `settings` */
export const readChannel = (input: unknown, outside: Outside): ChannelInput => {
  const { success, data, error } = channelInput.safeParse(input, PARSING);
  const { kind, settings } = (input ?? {}) as { readonly kind?: unknown; readonly settings?: unknown };
  const known = typeof kind === "string" && isChannelName(kind) ? kind : undefined;
  const isObject = typeof settings === "object" && settings !== null && !Array.isArray(settings);
  const errors = [
    ...(success ? [] : fieldErrors(error.issues)),
    ...(known ? kindErrors(known, outside) : []),
    ...(known && isObject ? settingsErrors(channels[known], settings, outside) : []),
  ];
  if (!success || errors.length > 0) throw new InvalidInput(errors);
  return data;
};

/** Servers that settings name: channels of a fixed service name none. */
const serversOf = (settings: Settings): string[] =>
  Object.values(settings).flatMap((value) =>
    typeof value === "string" && /^https?:/i.test(value) && URL.canParse(value) ? [new URL(value).origin] : [],
  );

/**
 * Refuses to take stored secrets to another server: nobody can read them, and a test alert would tell them to it.
 * @param before with its secrets
 * @param after with its secrets
 * @param sent settings as the caller sent them: a secret in there is the caller's own
 * @throws InvalidInput
 */
export const refuseMovedSecrets = (
  kind: ChannelName,
  before: Settings,
  after: Settings,
  sent: Settings | undefined,
): void => {
  const known = serversOf(before);
  if (serversOf(after).every((server) => known.includes(server))) return;
  const moved = Object.keys(after).filter(
    (name) => isSecret(channels[kind], name) && (sent?.[name] === undefined || sent[name] === HIDDEN),
  );
  if (moved.length > 0)
    throw new InvalidInput(
      moved.map((name) => ({
        path: `settings.${name}`,
        message: "must be sent again when the channel goes to another server, which would learn it",
      })),
    );
};
