/** Finds an incident by its id, for the routes below one. */
import { show } from "../../../shared/issues.ts";
import type { RecordedIncident } from "../../../shared/store/incidents.ts";
import type { Deps } from "../deps.ts";
import { Problem } from "../http/problem.ts";

/** @throws Problem `not-found` */
export async function existingIncident({ incidents }: Pick<Deps, "incidents">, id: string): Promise<RecordedIncident> {
  const [incident] = await incidents.getMany([id]);
  if (!incident) throw new Problem("not-found", `there is no incident ${show(id)}`);
  return incident;
}
