/** A switch with an SNMP agent, whose ports count what a test lets happen to them: IF-MIB and EtherLike-MIB over version 2c or 3. */
import type { User } from "../../shared/protocols/snmp-v3.ts";
import {
  element,
  expectNext,
  integer,
  next,
  objectId,
  octets,
  toInteger,
  toObjectId,
  toUnsigned,
} from "../../shared/wire/ber.ts";
import { Cursor } from "../../shared/wire/cursor.ts";
import { serveUdp } from "./servers.ts";
import { SnmpAgent } from "./snmp-agent.ts";

const SEQUENCE = 0x30;
const GET_BULK = 0xa5;
const NO_SUCH_INSTANCE = element(0x81);
const END_OF_MIB = element(0x82);

const unsigned = (tag: number, value: bigint | number): Buffer => {
  let hex = BigInt(value).toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  const bytes = Buffer.from(hex, "hex");
  return element(tag, bytes[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
};
const counter32 = (value: bigint | number) => unsigned(0x41, BigInt(value) & 0xffffffffn);
const gauge = (value: number) => unsigned(0x42, value);
const ticks = (value: number) => unsigned(0x43, value);
const counter64 = (value: bigint) => unsigned(0x46, value & 0xffffffffffffffffn);

export interface Port {
  index: number;
  name: string;
  alias: string;
  type: number;
  admin: number;
  oper: number;
  lastChange: number;
  discontinuity: number;
  speedMbps: number;
  duplex: number;
  /** Whether it has 32-bit counters only. */
  isNarrow: boolean;
  inOctets: bigint;
  outOctets: bigint;
  inPackets: bigint;
  outPackets: bigint;
  inErrors: number;
  outErrors: number;
  inDiscards: number;
  outDiscards: number;
  fcsErrors: number;
  lateCollisions: number;
}

const portOf = (place: number): Port => ({
  index: place + 1,
  name: `Gi1/0/${place + 1}`,
  alias: `desk ${place + 1}`,
  type: 6,
  admin: 1,
  oper: 1,
  lastChange: 100,
  discontinuity: 0,
  speedMbps: 1_000,
  duplex: 3,
  isNarrow: false,
  inOctets: 1_000_000n,
  outOctets: 2_000_000n,
  inPackets: 1_000n,
  outPackets: 2_000n,
  inErrors: 0,
  outErrors: 0,
  inDiscards: 0,
  outDiscards: 0,
  fcsErrors: 0,
  lateCollisions: 0,
});

const arcsOf = (oid: string) => oid.split(".").map(Number);
const compare = (a: readonly number[], b: readonly number[]): number => {
  for (let place = 0; place < Math.max(a.length, b.length); place++) {
    const difference = (a[place] ?? -1) - (b[place] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
};

export class Switch {
  community = "harbor";
  upHundredths = 1_000_000;
  tableChange = 0;
  sysName = "switch-3";
  ports: Port[];
  /** Objects that an answer has room for; more of a GET is too big. */
  mostObjects = 1_000;
  /** Whether walks come back to the beginning of their column for ever. */
  isTurning = false;

  constructor(ports: number) {
    this.ports = Array.from({ length: ports }, (_, place) => portOf(place));
  }

  port(name: string): Port {
    const found = this.ports.find((one) => one.name === name);
    if (!found) throw new Error(`there is no port ${name}`);
    return found;
  }

  /** Lets time pass, in which each port that is up receives and sends so much. */
  pass(seconds: number, perSecond: { in?: number; out?: number; packetBytes?: number } = {}): void {
    const { in: received = 1_000, out: sent = 2_000, packetBytes = 500 } = perSecond;
    this.upHundredths += seconds * 100;
    for (const port of this.ports) {
      if (port.oper !== 1) continue;
      port.inOctets += BigInt(received * seconds);
      port.outOctets += BigInt(sent * seconds);
      port.inPackets += BigInt(Math.round((received * seconds) / packetBytes));
      port.outPackets += BigInt(Math.round((sent * seconds) / packetBytes));
    }
  }

  /** Changes a port's link, as its agent notes it. */
  setLink(name: string, oper: number): void {
    Object.assign(this.port(name), { oper, lastChange: this.upHundredths });
  }

  /** Starts anew: all counters are 0. @param seconds since when it is up again */
  restart(seconds = 10): void {
    this.upHundredths = seconds * 100;
    for (const port of this.ports) {
      for (const key of ["inOctets", "outOctets", "inPackets", "outPackets"] as const) port[key] = 0n;
      for (const key of ["inErrors", "outErrors", "inDiscards", "outDiscards", "fcsErrors", "lateCollisions"] as const)
        port[key] = 0;
      port.lastChange = 50;
    }
  }

  /** All objects, in the order of their OIDs. */
  #mib(): { readonly arcs: readonly number[]; readonly value: Buffer }[] {
    const entries: [string, Buffer][] = [
      ["1.3.6.1.2.1.1.3.0", ticks(this.upHundredths)],
      ["1.3.6.1.2.1.1.5.0", octets(this.sysName)],
      ["1.3.6.1.2.1.2.1.0", integer(this.ports.length)],
      ["1.3.6.1.2.1.31.1.5.0", ticks(this.tableChange)],
    ];
    for (const port of this.ports) {
      const { index } = port;
      const add = (table: string, columns: Readonly<Record<number, Buffer | undefined>>) => {
        for (const [column, value] of Object.entries(columns))
          if (value) entries.push([`${table}.${column}.${index}`, value]);
      };
      add("1.3.6.1.2.1.2.2.1", {
        2: octets(`port ${port.name}`),
        3: integer(port.type),
        5: gauge(Math.min(port.speedMbps * 1_000_000, 4_294_967_295)),
        7: integer(port.admin),
        8: integer(port.oper),
        9: ticks(port.lastChange),
        10: counter32(port.inOctets),
        11: counter32(port.inPackets),
        13: counter32(port.inDiscards),
        14: counter32(port.inErrors),
        16: counter32(port.outOctets),
        17: counter32(port.outPackets),
        19: counter32(port.outDiscards),
        20: counter32(port.outErrors),
      });
      add("1.3.6.1.2.1.10.7.2.1", {
        3: counter32(port.fcsErrors),
        8: counter32(port.lateCollisions),
        19: integer(port.duplex),
      });
      add("1.3.6.1.2.1.31.1.1.1", {
        1: octets(port.name),
        ...(!port.isNarrow && {
          6: counter64(port.inOctets),
          7: counter64(port.inPackets),
          10: counter64(port.outOctets),
          11: counter64(port.outPackets),
        }),
        15: gauge(port.speedMbps),
        18: octets(port.alias),
        19: ticks(port.discontinuity),
      });
    }
    return entries.map(([oid, value]) => ({ arcs: arcsOf(oid), value })).toSorted((a, b) => compare(a.arcs, b.arcs));
  }

  /** All objects, in the form of snmpsim's recordings: OID, type, value. */
  recording(): string {
    const lines = this.#mib().map(({ arcs, value }) => {
      const { tag, content } = next(new Cursor(value, "object"), "object");
      const said = tag === 0x04 ? content.bytes.toString() : toUnsigned(content);
      return `${arcs.join(".")}|${tag}|${said}`;
    });
    return `${lines.join("\n")}\n`;
  }

  /** The PDU that answers this one. */
  respond(tag: number, pdu: Cursor): Buffer {
    const id = toInteger(expectNext(pdu, 0x02, "request"));
    expectNext(pdu, 0x02, "request");
    const repetitions = toInteger(expectNext(pdu, 0x02, "request"));
    const asked: string[] = [];
    const bindings = expectNext(pdu, SEQUENCE, "request");
    while (bindings.left > 0)
      asked.push(toObjectId(expectNext(expectNext(bindings, SEQUENCE, "request"), 0x06, "request")));
    const mib = this.#mib();
    const answer = (error: number, found: readonly (readonly [string, Buffer])[]) =>
      element(
        0xa2,
        integer(id),
        integer(error),
        integer(0),
        element(SEQUENCE, ...found.map(([oid, value]) => element(SEQUENCE, objectId(oid), value))),
      );
    if (tag !== GET_BULK) {
      if (asked.length > this.mostObjects) return answer(1, []);
      const values = new Map(mib.map(({ arcs, value }) => [arcs.join("."), value]));
      return answer(
        0,
        asked.map((oid) => [oid, values.get(oid) ?? NO_SUCH_INSTANCE] as const),
      );
    }
    const found: (readonly [string, Buffer])[] = [];
    for (const oid of asked) {
      const isInstance = mib.some(({ arcs }) => compare(arcs, arcsOf(oid)) === 0);
      const from = this.isTurning && isInstance ? arcsOf(oid).slice(0, -1) : arcsOf(oid);
      const after = mib.filter(({ arcs }) => compare(arcs, from) > 0);
      for (const { arcs, value } of after.slice(0, Math.min(repetitions, this.mostObjects)))
        found.push([arcs.join("."), value]);
      if (after.length === 0) found.push([oid, END_OF_MIB]);
    }
    return answer(0, found);
  }

  /** Answers a datagram of version 2c; nothing to another community. */
  answer(question: Buffer): Buffer | undefined {
    const message = expectNext(new Cursor(question, "request"), SEQUENCE, "request");
    expectNext(message, 0x02, "request");
    if (expectNext(message, 0x04, "request").bytes.toString() !== this.community) return undefined;
    const { tag, content } = next(message, "request");
    return element(SEQUENCE, integer(1), octets(this.community), this.respond(tag, content));
  }

  /** @param answers decides over what is said to the n-th datagram */
  serve(answers: (said: Buffer, n: number) => readonly Buffer[] = (said) => [said]) {
    let n = 0;
    return serveUdp((question, reply) => {
      const said = this.answer(question);
      if (said) for (const one of answers(said, n++)) reply(one);
    });
  }

  /** Serves version 3 to this user. */
  serveUser(user: User) {
    const agent = new SnmpAgent(user);
    agent.respond = (tag, pdu) => this.respond(tag, pdu);
    return agent.serve();
  }
}
