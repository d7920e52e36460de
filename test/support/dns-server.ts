/** A name server over UDP (RFC 1035) that says what the test tells it to. */
import { isIPv6 } from "node:net";
import { serveUdp, type UdpServer } from "./servers.ts";

export interface DnsReply {
  /** Addresses to answer with; those of the other family are left out. None: NODATA. */
  readonly addresses?: readonly string[];
  readonly ttlSeconds?: number;
  readonly rcode?: keyof typeof RCODES;
  readonly delayMs?: number;
}

const RCODES = { noerror: 0, servfail: 2, nxdomain: 3, refused: 5 } as const;
const TYPES = { 1: "A", 2: "NS", 28: "AAAA" } as const;
type QueryType = (typeof TYPES)[keyof typeof TYPES];

export interface DnsServer extends UdpServer {
  /** `127.0.0.1:port`, for `nameServers`. */
  readonly address: string;
  /** "A example.com", in order of arrival. */
  readonly queries: readonly string[];
}

/** @param answer `undefined` is silence */
export async function serveDns(answer: (name: string, type: QueryType) => DnsReply | undefined): Promise<DnsServer> {
  const queries: string[] = [];
  const server = await serveUdp((query, reply) => {
    const { name, type, end } = question(query);
    queries.push(`${type} ${name}`);
    const said = answer(name, type);
    if (!said) return;
    const response = respond(query.subarray(0, end), type, said);
    if (said.delayMs) setTimeout(() => reply(response), said.delayMs);
    else reply(response);
  });
  return Object.assign(server, { address: `127.0.0.1:${server.port}`, queries });
}

function question(query: Buffer) {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at++] ?? 0; length > 0; length = query[at++] ?? 0) {
    labels.push(query.toString("latin1", at, at + length));
    at += length;
  }
  const type = TYPES[query.readUInt16BE(at) as keyof typeof TYPES];
  return { name: labels.join("."), type, end: at + 4 };
}

function respond(query: Buffer, type: QueryType, { addresses = [], ttlSeconds = 60, rcode = "noerror" }: DnsReply) {
  const fitting = addresses.filter((address) => isIPv6(address) === (type === "AAAA"));
  const answers = type === "NS" ? [] : fitting.map((address) => record(address, ttlSeconds));
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | RCODES[rcode], 2); // response, recursion desired and available
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  return Buffer.concat([header, query.subarray(12), ...answers]);
}

function record(address: string, ttlSeconds: number): Buffer {
  const data = isIPv6(address) ? ipv6Bytes(address) : Buffer.from(address.split(".").map(Number));
  const fixed = Buffer.alloc(12);
  fixed.writeUInt16BE(0xc00c, 0); // the name of the question
  fixed.writeUInt16BE(isIPv6(address) ? 28 : 1, 2);
  fixed.writeUInt16BE(1, 4);
  fixed.writeUInt32BE(ttlSeconds, 6);
  fixed.writeUInt16BE(data.length, 10);
  return Buffer.concat([fixed, data]);
}

function ipv6Bytes(address: string): Buffer {
  const [head = "", tail] = address.split("::");
  const groups = (text: string) => (text ? text.split(":") : []);
  const left = groups(head);
  const right = groups(tail ?? "");
  const middle = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return Buffer.from([...left, ...middle, ...right].map((group) => group.padStart(4, "0")).join(""), "hex");
}
