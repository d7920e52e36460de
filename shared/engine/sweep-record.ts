/** The TXT record by which the owner of a name allows sweeps of it, in the words of a refusal. Pure: the dashboard reads it from there. */

export interface SweepProofRecord {
  readonly name: string;
  readonly value: string;
}

export const missingRecord = ({ name, value }: SweepProofRecord) => `the TXT record ${name} is not "${value}"`;

/** The record that a refusal asks for; undefined where none would help. */
export function recordIn(refusal: string): SweepProofRecord | undefined {
  const [, name, value] = /the TXT record (\S+) is not "([^"]+)"/.exec(refusal) ?? [];
  return name === undefined || value === undefined ? undefined : { name, value };
}
