/** Validates the settings of an alert channel: the kind's own schema, and what this deployment refuses. */
import type { Channel, Outside } from "../../../shared/alerts/channels/channel.ts";
import { channels, isChannelName } from "../../../shared/alerts/channels/index.ts";
import { isSecret } from "../../../shared/alerts/channels/secrets.ts";
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { HIDDEN } from "../../../shared/protocols/secrets.ts";
import { fieldErrors, PARSING } from "../http/input.ts";
import { type ChannelInput, channelInput } from "./representations.ts";

const settingsErrors = (channel: Channel, settings: unknown, outside: Outside): FieldError[] => {
  const { success, data, error } = channel.settings.safeParse(settings, PARSING);
  if (success)
    return (channel.errorsHere?.(data, outside) ?? []).map(({ path, message }) => ({
      path: `settings.${path}`,
      message,
    }));
  const hidden = Object.entries(settings ?? {}).filter(([name, value]) => value === HIDDEN && isSecret(channel, name));
  return hidden.length > 0
    ? hidden.map(([name]) => ({
        path: `settings.${name}`,
        message: `${HIDDEN} is only shown in place of a secret: send the secret itself, or leave the field out of a PATCH`,
      }))
    : fieldErrors(error.issues, "settings");
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
