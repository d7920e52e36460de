/** What the dashboard reads of sweeps, and their words. */

/** An item of `GET /v1/monitors/{id}/sweeps` */
export interface Sweep {
  /** Names it: the second in which it began. */
  readonly tick: number;
  readonly location: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly state: string;
  readonly message: string;
  readonly addresses: number;
  readonly silentAddresses: number;
  readonly open: number;
  readonly closed: number;
  readonly filtered: number;
  readonly unmeasured: number;
  readonly answersEverywhere: readonly string[];
}

export interface OpenPort {
  readonly address: string;
  readonly port: number;
  readonly transport: "tcp" | "udp";
  /** Null: not asked yet. */
  readonly service: string | null;
  /** Null: not known. */
  readonly firstSeenAt: string | null;
  readonly lastSeenAt: string;
}

/** `GET /v1/monitors/{id}/sweeps/{tick}` */
export interface SweepItem extends Sweep {
  /** Null where nothing was measured. */
  readonly openPorts: readonly OpenPort[] | null;
  /** Those that were open before, the last ones to close first. */
  readonly closedPorts: readonly OpenPort[];
}

/** `GET /v1/monitors/{id}/sweeps/{tick}/diff/{other}` */
export interface SweepDiff {
  readonly opened: readonly OpenPort[];
  readonly closed: readonly OpenPort[];
}

/** Whether it says which ports are open: one that was cut short does not. */
export const isMeasured = ({ state }: Sweep) => state !== "unmeasured";

export const secondsOf = ({ startedAt, endedAt }: Sweep) => (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;

const SILENT: Readonly<Record<string, string>> = {
  unknown: "unknown service",
  silent: "says nothing",
  "closes-at-once": "closes at once",
};
export const serviceInWords = (service: string | null): string =>
  service === null ? "not asked" : (SILENT[service] ?? service);

/** "53/udp"; of TCP the number alone. */
export const portInWords = ({ port, transport }: OpenPort): string => `${port}${transport === "udp" ? "/udp" : ""}`;

/** When the first of these ports was first seen open; null where that is not known of any. */
export const firstSeenOf = (ports: readonly OpenPort[]): string | null =>
  ports.reduce<string | null>(
    (first, { firstSeenAt: at }) => (at !== null && (first === null || at < first) ? at : first),
    null,
  );

/** Ports by their address, in the order of the list. */
export const byAddress = (ports: readonly OpenPort[]): ReadonlyMap<string, readonly OpenPort[]> =>
  Map.groupBy(ports, ({ address }) => address);
