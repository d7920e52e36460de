/** How this browser shows the dashboard: theme, time zone, clock, density, keyboard shortcuts. Kept in the browser only. */
import { computed, signal } from "@preact/signals";

export interface Display {
  readonly theme: "system" | "light" | "dark";
  /** IANA name of a time zone; empty: the browser's. */
  readonly zone: string;
  readonly clock: "24" | "12";
  readonly density: "normal" | "compact";
  readonly shortcuts: "on" | "off";
}

const STANDARD: Display = { theme: "system", zone: "", clock: "24", density: "normal", shortcuts: "on" };
export const STORED = "harborlight-display";

export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const isZone = (name: string) => {
  try {
    Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false; // another browser, or an older one, may know other names
  }
};

export const stored = (): Display => {
  try {
    const found: Display = { ...STANDARD, ...JSON.parse(localStorage.getItem(STORED) ?? "{}") };
    return found.zone === "" || isZone(found.zone) ? found : { ...found, zone: "" };
  } catch {
    return STANDARD;
  }
};

export const display = signal(stored());
/** Time zone of every time that is shown. */
export const zone = computed(() => display.value.zone || browserZone);

export const changeDisplay = (change: Partial<Display>): void => {
  display.value = { ...display.value, ...change };
  localStorage.setItem(STORED, JSON.stringify(display.value));
};
