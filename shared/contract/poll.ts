/** Counters of a device's interfaces as one check read them, on their way from the protocol to the rules and the history. */

/** One interface at one moment. Null: the agent has no such object, or its counter cannot be trusted. */
export interface InterfaceReading {
  /** Number of the agent, which may be another one after a restart. */
  readonly index: number;
  /** ifName, or ifDescr where there is none; what history is kept by. */
  readonly name: string;
  /** What people call it (ifAlias). */
  readonly alias: string;
  /** ifType, by IANA's list: 6 is Ethernet. */
  readonly type: number;
  /** 1: on. */
  readonly admin: number;
  /** 1: up, 2: down; RFC 2863, section 6, ifOperStatus. */
  readonly oper: number;
  /** The agent's uptime when the link last changed, in hundredths of a second. */
  readonly lastChange: number;
  /** The agent's uptime when its counters last lost their meaning, in hundredths of a second. */
  readonly discontinuity: number;
  /** Megabits a second; 0: unknown. */
  readonly speedMbps: number;
  /** 2: half, 3: full, else unknown (RFC 3635). */
  readonly duplex: number;
  /** Whether octets and packets are counted in 64 bits. */
  readonly isWide: boolean;
  readonly inOctets: bigint | null;
  readonly outOctets: bigint | null;
  readonly inPackets: bigint | null;
  readonly outPackets: bigint | null;
  readonly inErrors: number | null;
  readonly outErrors: number | null;
  readonly inDiscards: number | null;
  readonly outDiscards: number | null;
  /** Frames with a wrong checksum. */
  readonly fcsErrors: number | null;
  /** Collisions after the first 64 bytes, which full duplex and short cables never have. */
  readonly lateCollisions: number | null;
}

/** From where on an interface is in trouble. Null: never. */
export interface InterfaceLimits {
  readonly utilisationPercent: number | null;
  readonly errorsPerMillion: number | null;
  readonly discardsPerMillion: number | null;
  readonly flaps: number | null;
  readonly duplex: boolean;
  readonly slower: boolean;
  /** Which links must be up: those that were, those of `critical` only, or none. */
  readonly down: "if-it-was-up" | "critical" | "never";
  /** Whether the link of an interface that is down makes the monitor down. */
  readonly isCritical: (name: string) => boolean;
  /** Whether an interface may come and go, as those of laptops do. */
  readonly isIdle: (name: string) => boolean;
}

/** All interfaces of a device at one moment. */
export interface InterfacePoll {
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** The agent's uptime (sysUpTime), in hundredths of a second. */
  readonly upHundredths: number;
  readonly interfaces: readonly InterfaceReading[];
}

/** A poll with the limits of its monitor. */
export interface JudgedPoll extends InterfacePoll {
  readonly limits: InterfaceLimits;
}
