/** What the dashboard reads of changes of what services say of themselves, and their words. */
import { nameOfFact } from "../../../../shared/rules/fact-names.ts";

/** `GET /v1/changes` */
export interface Change {
  readonly id: string;
  readonly monitorId: string;
  readonly monitorName: string;
  readonly key: string;
  readonly from: readonly string[];
  readonly to: string;
  readonly state: "open" | "accepted" | "reverted" | "recorded" | "closed";
  readonly since: string;
  readonly endedAt: string | null;
  readonly locations: readonly string[];
  readonly accepted: { readonly at: string; readonly by: string; readonly note: string | null } | null;
}

/** `GET /v1/monitors/{id}/baseline` */
export interface Baseline {
  readonly learned: readonly string[];
  readonly values: Readonly<Record<string, readonly string[]>>;
  readonly openChanges: number;
}

export const factInWords = (key: string): string => {
  const name = nameOfFact(key);
  return name.charAt(0).toUpperCase() + name.slice(1);
};

export const endInWords = ({ state, accepted }: Change): string => {
  switch (state) {
    case "open":
      return "open";
    case "accepted":
      return accepted ? `${accepted.by} accepted it` : "expected by its settings";
    case "reverted":
      return "it is as before";
    case "recorded":
      return "recorded, told to nobody";
    case "closed":
      return "no longer watched";
  }
};
