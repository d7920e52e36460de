/**
 * Interfaces: open when an SNMP agent tells the counters of its device's interfaces (IF-MIB, RFC 2863; EtherLike-MIB, RFC 3635).
 * Their names are walked when they may have changed; the counters are asked for by name, 40 objects a datagram. What the
 * counters mean is not decided here, because that needs those of the checks before.
 */
import type { InterfacePoll, InterfaceReading } from "../contract/poll.ts";
import { type Dialog, type Finding, ProbeFailure, type Protocol, type Target } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { preparingOnce } from "../wire/settings.ts";
import { getBulkRequest, getRequest, type Pdu, readBindings, type SnmpValue } from "../wire/snmp-pdu.ts";
import { type InterfaceSettings, interfaceSettings, limitsOf, matcher } from "./interface-settings.ts";
import { communitySession, type Session, userSession } from "./snmp-session.ts";
import type { Answer, MakePdu } from "./snmp-v3.ts";

const SYS_UP_TIME = "1.3.6.1.2.1.1.3.0";
const SYS_NAME = "1.3.6.1.2.1.1.5.0";
const IF_NUMBER = "1.3.6.1.2.1.2.1.0";
const IF_TABLE_LAST_CHANGE = "1.3.6.1.2.1.31.1.5.0";
const IF_ENTRY = "1.3.6.1.2.1.2.2.1";
const IF_X_ENTRY = "1.3.6.1.2.1.31.1.1.1";
const DOT3_STATS = "1.3.6.1.2.1.10.7.2.1";

const NAMES = { name: `${IF_X_ENTRY}.1`, descr: `${IF_ENTRY}.2`, alias: `${IF_X_ENTRY}.18`, type: `${IF_ENTRY}.3` };
/** What each check reads of each interface. */
const OBJECTS = {
  name: `${IF_X_ENTRY}.1`,
  admin: `${IF_ENTRY}.7`,
  oper: `${IF_ENTRY}.8`,
  lastChange: `${IF_ENTRY}.9`,
  inDiscards: `${IF_ENTRY}.13`,
  inErrors: `${IF_ENTRY}.14`,
  outDiscards: `${IF_ENTRY}.19`,
  outErrors: `${IF_ENTRY}.20`,
  inOctets: `${IF_X_ENTRY}.6`,
  inPackets: `${IF_X_ENTRY}.7`,
  outOctets: `${IF_X_ENTRY}.10`,
  outPackets: `${IF_X_ENTRY}.11`,
  speed: `${IF_X_ENTRY}.15`,
  discontinuity: `${IF_X_ENTRY}.19`,
  fcsErrors: `${DOT3_STATS}.3`,
  lateCollisions: `${DOT3_STATS}.8`,
  duplex: `${DOT3_STATS}.19`,
} as const;
/** What stands in for it where an agent has no counters of 64 bits. */
const NARROW = {
  inOctets: `${IF_ENTRY}.10`,
  inPackets: `${IF_ENTRY}.11`,
  outOctets: `${IF_ENTRY}.16`,
  outPackets: `${IF_ENTRY}.17`,
  speed: `${IF_ENTRY}.5`,
} as const;

const OBJECTS_A_DATAGRAM = 40;
const MOST_INTERFACES = 512;
/** Instances of a column that a walk takes at most: an agent may invent them for ever. */
const MOST_INSTANCES = 4_096;
/** Names are walked again after a day, in case an agent does not tell that they changed. */
const NAMES_KEPT_MS = 86_400_000;
/** Agents that a monitor remembers the names of: those of a name with many addresses. */
const MOST_AGENTS = 16;

interface Named {
  readonly index: number;
  readonly name: string;
  /** What the agent calls it; empty where it has no ifName. */
  readonly ifName: string;
  readonly alias: string;
  readonly type: number;
}
interface KnownNames {
  readonly names: readonly Named[];
  readonly leftOut: number;
  readonly upHundredths: number;
  readonly tableChange: SnmpValue | undefined;
  readonly count: SnmpValue | undefined;
  readonly atMs: number;
}

const TOO_BIG = 1;
const ERRORS = ["no error", "too big", "no such name", "bad value", "read only", "general error", "no access"];

const numberOf = (value: SnmpValue | undefined): number | null => (typeof value === "bigint" ? Number(value) : null);
const counterOf = (value: SnmpValue | undefined): bigint | null => (typeof value === "bigint" ? value : null);
const textOf = (value: SnmpValue | undefined, most: number): string =>
  typeof value === "string" ? printable(value, most).trim() : "";

/** The requests of one check. */
function createReader(dialog: Dialog, session: Session<{ readonly pdu: Pdu } | Answer>, target: Target) {
  let engineId: string | undefined;
  const ask = async (request: MakePdu): Promise<Pdu> =>
    dialog.request<Pdu>(
      () => session.ask(target, request),
      (answer, question) => {
        const read = session.read(answer, question, target, request);
        if (!read || "followUp" in read) return read;
        if ("message" in read) engineId = read.message.engineId.toString("hex");
        return { value: read.pdu };
      },
    );
  const refuse = ({ error }: Pdu, what: string): never => {
    throw new ProbeFailure(
      "service-unavailable",
      `the SNMP agent answers "${ERRORS[error] ?? `error ${error}`}" for ${what}`,
    );
  };

  /** Reads objects; what is too big for an answer is asked for in halves. */
  const getSome = async (oids: readonly string[], into: Map<string, SnmpValue>): Promise<void> => {
    const pdu = await ask((id) => getRequest(id, ...oids));
    if (pdu.error === TOO_BIG && oids.length > 1) {
      const half = Math.ceil(oids.length / 2);
      await Promise.all([getSome(oids.slice(0, half), into), getSome(oids.slice(half), into)]);
      return;
    }
    if (pdu.error) refuse(pdu, oids[0]!);
    const found = readBindings(pdu.bindings);
    for (const [place, oid] of oids.entries()) {
      if (found[place]?.oid !== oid)
        throw new ProbeFailure("unexpected-answer", `asked for ${oid}, got ${found[place]?.oid ?? "nothing"}`);
      into.set(oid, found[place].value);
    }
  };

  return {
    /** Of the agent, once it has answered in version 3. */
    engineId: () => engineId,

    async get(oids: readonly string[]): Promise<ReadonlyMap<string, SnmpValue>> {
      const values = new Map<string, SnmpValue>();
      const batches = Array.from({ length: Math.ceil(oids.length / OBJECTS_A_DATAGRAM) }, (_, batch) =>
        oids.slice(batch * OBJECTS_A_DATAGRAM, (batch + 1) * OBJECTS_A_DATAGRAM),
      );
      await Promise.all(batches.map((some) => getSome(some, values)));
      return values;
    },

    /** All instances of a column, by the rest of their OID. @throws ProbeFailure if they do not grow, as they would never end */
    async walk(column: string): Promise<ReadonlyMap<string, SnmpValue>> {
      const values = new Map<string, SnmpValue>();
      let last = column;
      while (values.size < MOST_INSTANCES) {
        const after = last;
        const pdu = await ask((id) => getBulkRequest(id, OBJECTS_A_DATAGRAM, after));
        if (pdu.error) refuse(pdu, column);
        const found = readBindings(pdu.bindings);
        if (found.length === 0) return values;
        for (const { oid, value } of found) {
          if (value === null || !oid.startsWith(`${column}.`)) return values;
          if (!isAfter(oid, last))
            throw new ProbeFailure(
              "unexpected-answer",
              `the SNMP agent lists ${oid} after ${last}, and would never end`,
            );
          values.set(oid.slice(column.length + 1), value);
          last = oid;
        }
      }
      return values;
    },
  };
}
type Reader = ReturnType<typeof createReader>;

/** Whether an object identifier comes after another one. */
function isAfter(oid: string, other: string): boolean {
  const [a, b] = [oid.split("."), other.split(".")];
  for (let place = 0; place < a.length; place++) {
    const difference = Number(a[place]) - Number(b[place] ?? -1);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

async function readNames(
  reader: Reader,
  { only, except }: InterfaceSettings,
): Promise<Pick<KnownNames, "names" | "leftOut">> {
  const [names, descriptions, aliases, types] = await Promise.all(
    [NAMES.name, NAMES.descr, NAMES.alias, NAMES.type].map((column) => reader.walk(column)),
  );
  const [isWanted, isExcepted] = [only === undefined ? () => true : matcher(only), matcher(except)];
  const all: Named[] = [];
  const taken = new Set<string>();
  for (const instance of types!.keys()) {
    const ifName = textOf(names!.get(instance), 64);
    const wanted = ifName || textOf(descriptions!.get(instance), 64) || `interface ${instance}`;
    const name = taken.has(wanted) ? `${wanted}#${instance}` : wanted;
    taken.add(name);
    const alias = textOf(aliases!.get(instance), 64);
    all.push({ index: Number(instance), name, ifName, alias, type: numberOf(types!.get(instance)) ?? 0 });
  }
  const chosen = all.filter(({ name }) => isWanted(name) && !isExcepted(name));
  if (chosen.length > 0)
    return { names: chosen.slice(0, MOST_INTERFACES), leftOut: Math.max(0, chosen.length - MOST_INTERFACES) };
  const seen = all
    .slice(0, 8)
    .map(({ name }) => name)
    .join(", ");
  throw new ProbeFailure(
    "unexpected-answer",
    all.length === 0
      ? "the SNMP agent lists no interfaces: it has none, or may not show its interfaces (IF-MIB) to this user"
      : `none of the ${all.length} interfaces is wanted by only and except: the agent has ${seen}${all.length > 8 ? " and others" : ""}`,
  );
}

/** ifType of loopback interfaces, which have no line rate: net-snmp says 10 Mb/s, and gigabits go over them. */
const LOOPBACK = 24;

type Values = ReadonlyMap<string, SnmpValue>;

const reading = ({ index, name, alias, type }: Named, values: Values, narrow: Values): InterfaceReading => {
  const of = (object: keyof typeof OBJECTS) => values.get(`${OBJECTS[object]}.${index}`);
  const isWide = counterOf(of("inOctets")) !== null;
  const counter = (object: "inOctets" | "inPackets" | "outOctets" | "outPackets") =>
    counterOf(isWide ? of(object) : narrow.get(`${NARROW[object]}.${index}`));
  const ifSpeed = numberOf(narrow.get(`${NARROW.speed}.${index}`)) ?? 0;
  return {
    index,
    name,
    alias,
    type,
    admin: numberOf(of("admin")) ?? 0,
    oper: numberOf(of("oper")) ?? 0,
    lastChange: numberOf(of("lastChange")) ?? 0,
    discontinuity: numberOf(of("discontinuity")) ?? 0,
    speedMbps: type === LOOPBACK ? 0 : (numberOf(of("speed")) ?? Math.round(ifSpeed / 1e6)),
    duplex: numberOf(of("duplex")) ?? 0,
    isWide,
    inOctets: counter("inOctets"),
    outOctets: counter("outOctets"),
    inPackets: counter("inPackets"),
    outPackets: counter("outPackets"),
    inErrors: numberOf(of("inErrors")),
    outErrors: numberOf(of("outErrors")),
    inDiscards: numberOf(of("inDiscards")),
    outDiscards: numberOf(of("outDiscards")),
    fcsErrors: numberOf(of("fcsErrors")),
    lateCollisions: numberOf(of("lateCollisions")),
  };
};

/** Room for the facts of all interfaces in the monitor's item, as JSON with what is remembered of each while it is new. */
const FACT_BYTES = 7_500;
const REMEMBERED_BYTES = 40;
const UP = 1;
const word = (status: number) => (status === UP ? "up" : "down");

/** What is said of interfaces: first of all their links, then kind by kind, as long as a kind has room. */
function factsOf(interfaces: readonly InterfaceReading[]): Record<string, string> {
  const kinds: Readonly<Record<string, (one: InterfaceReading) => string | undefined>> = {
    link: ({ oper }) => word(oper),
    admin: ({ admin }) => word(admin),
    speed: ({ oper, speedMbps }) => (oper === UP && speedMbps > 0 ? String(speedMbps) : undefined),
    duplex: ({ oper, duplex }) => (oper === UP ? { 2: "half", 3: "full" }[duplex] : undefined),
  };
  const facts: Record<string, string> = {};
  let left = FACT_BYTES;
  for (const [kind, say] of Object.entries(kinds)) {
    const found = interfaces.flatMap((one) => {
      const value = say(one);
      return value === undefined ? [] : [[`if.${one.name.replace(/[^A-Za-z0-9./:_-]/g, "-")}.${kind}`, value] as const];
    });
    const needed = found.map(([key, value]) => key.length + value.length + REMEMBERED_BYTES);
    if (kind !== "link" && needed.reduce((sum, bytes) => sum + bytes, 0) > left) break;
    for (const [place, [key, value]] of found.entries()) {
      left -= needed[place]!;
      if (left < 0) return facts;
      facts[key] = value;
    }
  }
  return facts;
}

function finding(
  poll: InterfacePoll,
  wanted: InterfaceSettings,
  sysName: string,
  engineId: string | undefined,
  leftOut: number,
): Finding {
  const { interfaces } = poll;
  const up = interfaces.filter(({ oper }) => oper === UP).length;
  const many = leftOut > 0 ? `; ${leftOut} more are left out: choose by only and except` : "";
  return {
    message: `${interfaces.length} interfaces, ${up} up${many}`,
    evidence: {
      version: wanted.version ?? "2c",
      ...(sysName !== "" && { name: sysName }),
      interfaces: interfaces.length,
      up,
      uptimeSeconds: Math.floor(poll.upHundredths / 100),
      ...(leftOut > 0 && { leftOut }),
    },
    facts: {
      ...(engineId !== undefined && { "snmp.engineId": engineId }),
      ...(sysName !== "" && { "snmp.name": sysName }),
      ...factsOf(interfaces),
    },
    poll: { ...poll, limits: limitsOf(wanted) },
  };
}

const conversation = (wanted: InterfaceSettings, session: Session) => {
  const known = new Map<string, KnownNames>();

  return async (dialog: Dialog, target: Target): Promise<Finding> => {
    const reader = createReader(dialog, session, target);
    const place = `${target.address} ${target.port}`;
    const system = await reader.get([SYS_UP_TIME, IF_TABLE_LAST_CHANGE, IF_NUMBER, SYS_NAME]);
    const upHundredths = numberOf(system.get(SYS_UP_TIME));
    const atMs = target.now();
    if (upHundredths === null) throw new ProbeFailure("unexpected-answer", "the SNMP agent does not tell its uptime");
    const [tableChange, count] = [system.get(IF_TABLE_LAST_CHANGE), system.get(IF_NUMBER)];

    const learn = async (): Promise<KnownNames> => {
      const names = { ...(await readNames(reader, wanted)), upHundredths, tableChange, count, atMs };
      if (known.size >= MOST_AGENTS) known.clear();
      known.set(place, names);
      return names;
    };
    const before = known.get(place);
    const isSame =
      before !== undefined &&
      before.tableChange === tableChange &&
      before.count === count &&
      before.upHundredths <= upHundredths &&
      atMs - before.atMs < NAMES_KEPT_MS;
    let names = isSame ? before : await learn();

    const ask = ({ names: all }: KnownNames) =>
      reader.get(all.flatMap(({ index }) => Object.values(OBJECTS).map((object) => `${object}.${index}`)));
    let values = await ask(names);
    const isRenamed = names.names.some(
      ({ index, ifName }) => textOf(values.get(`${OBJECTS.name}.${index}`), 64) !== ifName,
    );
    if (isRenamed) {
      names = await learn();
      values = await ask(names);
    }
    const narrow = await reader.get(
      names.names
        .filter(({ index }) => counterOf(values.get(`${OBJECTS.inOctets}.${index}`)) === null)
        .flatMap(({ index }) => Object.values(NARROW).map((object) => `${object}.${index}`)),
    );
    const interfaces = names.names.map((one) => reading(one, values, narrow));
    const sysName = textOf(system.get(SYS_NAME), 64);
    return finding({ atMs, upHundredths, interfaces }, wanted, sysName, reader.engineId(), names.leftOut);
  };
};

const sessionOf = (wanted: InterfaceSettings): Session<Answer> | Session =>
  wanted.version === "3" ? userSession(wanted.user) : communitySession("2c", wanted.community);

export const interfaces: Protocol = {
  title: "Interfaces (SNMP)",
  summary:
    "Open when an SNMP agent tells the counters of its interfaces; degraded when a link, its errors or its load are bad.",
  reference: "RFC 2863; RFC 3635; RFC 3416, section 4.2; RFC 3414",
  transports: ["udp"],
  readsCounters: true,
  defaultPort: 161,
  settings: interfaceSettings,
  example: { settings: { version: "2c", community: "public", except: "Vlan*" } },
  prepare: preparingOnce(interfaceSettings, (wanted) => {
    const session = sessionOf(wanted);
    const { silenceMeans = "an SNMP agent is silent to a wrong community" } = session;
    return { transport: "udp", silence: "down", silenceMeans, converse: conversation(wanted, session) };
  }),
};
