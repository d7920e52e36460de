/** Checks what monitors name: the monitors that they depend on, and alert policies. */
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import type { MonitorSettings } from "../../../shared/model.ts";
import type { Deps } from "../deps.ts";
import { type Lookup, parentErrors, storedMonitors } from "./dependencies.ts";

/** Reads what monitors may name. */
export interface Referable {
  readonly monitors: Lookup;
  /** Ids of all policies. */
  readonly policies: () => Promise<ReadonlySet<string>>;
}

/** Reads from the table; all policies once, and only if they are asked for. */
export function storedThings(deps: Pick<Deps, "monitors" | "policies">): Referable {
  let all: Promise<ReadonlySet<string>> | undefined;
  return {
    monitors: storedMonitors(deps),
    policies: () => (all ??= deps.policies.all().then((policies) => new Set(policies.map(({ id }) => id)))),
  };
}

interface Named {
  /** Stored settings, or those of the monitor it is copied from: what was deleted meanwhile may stay. */
  readonly before?: MonitorSettings | undefined;
  /** Path of the monitor in the body, for messages. */
  readonly base?: string;
}

/** Errors of the policies that a monitor did not name before. Without this a typing error would tell nobody who is meant. */
async function policyErrors(
  { alerts }: MonitorSettings,
  policies: Referable["policies"],
  { before, base = "" }: Named,
): Promise<FieldError[]> {
  const added = alerts.policies.filter((id) => !before?.alerts.policies.includes(id));
  if (added.length === 0) return [];
  const known = await policies();
  return added
    .filter((id) => !known.has(id))
    .map((id) => ({
      path: `${base ? `${base}.` : ""}alerts.policies[${alerts.policies.indexOf(id)}]`,
      message: `there is no policy ${show(id)}`,
    }));
}

export const referenceErrors = async (
  id: string,
  settings: MonitorSettings,
  { monitors, policies }: Referable,
  named: Named,
): Promise<FieldError[]> => [
  ...(await parentErrors(id, settings, { lookup: monitors, ...named })),
  ...(await policyErrors(settings, policies, named)),
];

/** @throws InvalidInput that names every wrong one */
export async function refuseWrongReferences(
  deps: Pick<Deps, "monitors" | "policies">,
  id: string,
  settings: MonitorSettings,
  before?: MonitorSettings,
): Promise<void> {
  const errors = await referenceErrors(id, settings, storedThings(deps), { before });
  if (errors.length > 0) throw new InvalidInput(errors);
}
