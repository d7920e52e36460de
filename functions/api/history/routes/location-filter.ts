/** The query parameter `location` of the history calls. */
import { z } from "zod";
import { InvalidInput } from "../../../../shared/errors.ts";
import { show } from "../../../../shared/issues.ts";

export const locationField = {
  location: z
    .string()
    .max(100)
    .optional()
    .meta({ description: "One location only. Default: all.", example: "eu-west-1" }),
};

/** @throws InvalidInput if the location is unknown */
export function oneLocation(name: string | undefined, known: readonly string[]): string | undefined {
  if (name !== undefined && !known.includes(name))
    throw new InvalidInput([{ path: "location", message: `must be one of ${known.join(", ")}, got ${show(name)}` }]);
  return name;
}
