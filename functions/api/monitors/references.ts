/**
 * Checks that what the settings of monitors name exists: monitors that they depend on, policies and channels. What a monitor named
 * before may be gone meanwhile, and stay.
 */
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import type { MonitorSettings } from "../../../shared/model.ts";
import { channelLookup, unknownChannels } from "../alerting/steps.ts";
import type { Deps } from "../deps.ts";
import { type Children, childrenIn, type Lookup, parentErrors, storedMonitors } from "./dependencies.ts";

/** What there is, each read once at most. */
export interface Known {
  readonly monitors: Lookup;
  /** As fresh as the rows of monitors in memory. */
  readonly children: () => Promise<Children>;
  readonly isChannel: (id: string) => Promise<boolean>;
  readonly isPolicy: (id: string) => Promise<boolean>;
}

/** @param changes what monitors will depend on, by id, where that is not what is stored */
export const knownIn = (
  deps: Pick<Deps, "monitors" | "channels" | "policies" | "now">,
  changes: ReadonlyMap<string, Pick<MonitorSettings, "dependsOn">> = new Map(),
): Known => {
  let rows: Promise<Children> | undefined;
  const children = async () => {
    const all = (await deps.monitors.rows(deps.now())).filter(({ deletedAt }) => !deletedAt);
    return childrenIn(all.map((row) => ({ ...row, dependsOn: changes.get(row.id)?.dependsOn ?? row.dependsOn })));
  };
  let all: Promise<ReadonlySet<string>> | undefined;
  const policies = () => (all ??= deps.policies.all().then((found) => new Set(found.map(({ id }) => id))));
  return {
    monitors: storedMonitors(deps),
    children: () => (rows ??= children()),
    isChannel: channelLookup(deps),
    isPolicy: async (id) => (await policies()).has(id),
  };
};

/**
 * @param before its stored settings, or those of the monitor it is copied from
 * @param base path of the monitor in the body, for messages
 */
export async function referenceErrors(
  known: Known,
  id: string,
  settings: MonitorSettings,
  { before, base = "" }: { readonly before?: MonitorSettings | undefined; readonly base?: string } = {},
): Promise<FieldError[]> {
  const at = base ? `${base}.` : "";
  const errors = await parentErrors(id, settings, { lookup: known.monitors, children: known.children, before, base });
  const { policies, steps } = settings.alerts;
  for (const [i, policy] of policies.entries())
    if (!before?.alerts.policies.includes(policy) && !(await known.isPolicy(policy)))
      errors.push({ path: `${at}alerts.policies[${i}]`, message: `there is no policy ${show(policy)}` });
  const named = new Set(before?.alerts.steps.flatMap(({ channels }) => channels));
  const exists = async (channel: string) => named.has(channel) || known.isChannel(channel);
  return [...errors, ...(await unknownChannels(steps, `${at}alerts.steps`, exists))];
}

/** @throws InvalidInput like `referenceErrors` */
export async function refuseWrongReferences(
  known: Known,
  id: string,
  settings: MonitorSettings,
  before?: MonitorSettings,
): Promise<void> {
  const errors = await referenceErrors(known, id, settings, { before });
  if (errors.length > 0) throw new InvalidInput(errors);
}
