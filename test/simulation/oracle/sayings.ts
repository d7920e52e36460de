/** What hosts say of themselves, by the scenario. */
import { FIRST_VALUE, HOST_KEY, type Saying, type Scenario } from "../scenario.ts";

export const keyOf = ({ key = HOST_KEY }: Pick<Saying, "key">) => key;

export class Sayings {
  readonly #byHost: ReadonlyMap<string, readonly Saying[]>;

  constructor({ says = [] }: Pick<Scenario, "says">) {
    this.#byHost = Map.groupBy(says, ({ host }) => host);
  }

  of(host: string): readonly Saying[] {
    return this.#byHost.get(host) ?? [];
  }

  /** Values by key, several where servers differ; undefined for a host that says nothing of itself. */
  at(host: string, location: string, at: number): ReadonlyMap<string, readonly string[]> | undefined {
    const own = this.#byHost.get(host);
    if (!own) return undefined;
    const said = new Map<string, readonly string[]>(own.map((one) => [keyOf(one), [FIRST_VALUE]]));
    for (const key of said.keys()) {
      const now = own.find(
        (one) =>
          keyOf(one) === key && at >= one.from && at < one.to && (!one.locations || one.locations.includes(location)),
      );
      if (now) said.set(key, now.values);
    }
    return said;
  }
}
