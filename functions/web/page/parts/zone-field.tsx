/** A field for a time zone, with all names that the browser knows. */
import type { FieldError } from "../api.ts";
import { TextField } from "./field.tsx";

const zones = ["UTC", ...Intl.supportedValuesOf("timeZone")];

interface ZoneFieldProps {
  readonly help?: string;
  readonly errors: readonly FieldError[];
  readonly value: string;
  readonly change: (value: string) => void;
}

export const ZoneField = (field: ZoneFieldProps) => (
  <>
    <TextField id="timeZone" label="Time zone" {...field} input={{ list: "zones", spellcheck: false }} />
    <datalist id="zones">
      {zones.map((name) => (
        <option key={name} value={name} />
      ))}
    </datalist>
  </>
);
