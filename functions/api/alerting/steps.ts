/** Rules between the fields of escalation steps, of alert policies and of monitors alike. */
import type { FieldError } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import { MAX_RECEIVERS } from "../../../shared/monitor/escalation.ts";
import { isBuiltIn, type PolicyStep } from "../../../shared/rules/policies.ts";
import type { Deps } from "../deps.ts";

/**
 * Errors that follow from the steps alone.
 * @param path of the steps in the body
 * @param others addresses that are told beside the steps, and count like theirs
 * @param most receivers of all together
 */
export function stepErrors(
  steps: readonly PolicyStep[],
  path: string,
  { others = [], most = MAX_RECEIVERS }: { readonly others?: readonly string[]; readonly most?: number } = {},
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, { afterSeconds, channels, emails }] of steps.entries()) {
    const before = steps[i - 1]?.afterSeconds;
    if (before !== undefined && afterSeconds <= before)
      errors.push({
        path: `${path}[${i}].afterSeconds`,
        message: `must be more than the ${before} of the step before`,
      });
    if (channels.length + emails.length === 0)
      errors.push({ path: `${path}[${i}]`, message: "must name at least one channel or mail address" });
    for (const [j, id] of channels.entries())
      if (channels.indexOf(id) < j)
        errors.push({ path: `${path}[${i}].channels[${j}]`, message: `${show(id)} is there twice` });
    for (const [j, address] of emails.entries())
      if (emails.findIndex((other) => other.toLowerCase() === address.toLowerCase()) < j)
        errors.push({ path: `${path}[${i}].emails[${j}]`, message: `${show(address)} is there twice` });
  }
  const all = new Set([...others, ...steps.flatMap(({ channels, emails }) => [...channels, ...emails])]);
  if (all.size > most)
    errors.push({ path, message: `must name at most ${most} channels and addresses, got ${all.size}` });
  return errors;
}

/** Says whether channels exist, and asks for each once. */
export const channelLookup = ({ channels }: Pick<Deps, "channels">) => {
  const asked = new Map<string, Promise<boolean>>();
  return (id: string): Promise<boolean> => {
    if (isBuiltIn(id)) return Promise.resolve(true);
    const answer = asked.get(id) ?? channels.get(id).then((found) => found !== undefined);
    asked.set(id, answer);
    return answer;
  };
};

/** @param path of the steps in the body */
export async function unknownChannels(
  steps: readonly PolicyStep[],
  path: string,
  exists: (id: string) => Promise<boolean>,
): Promise<FieldError[]> {
  const errors: FieldError[] = [];
  for (const [i, { channels }] of steps.entries())
    for (const [j, id] of channels.entries())
      if (!(await exists(id)))
        errors.push({ path: `${path}[${i}].channels[${j}]`, message: `there is no channel ${show(id)}` });
  return errors;
}
