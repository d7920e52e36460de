/** What a change is, in words for people. Pure. */
import { formatPorts, parsePorts } from "../port-list.ts";
import { NO_PORTS, nameOfFact, valueOfFact } from "./fact-names.ts";

/** "port 8080 is open now on 203.0.113.5"; undefined for other facts, and for lists that are too long to be compared. */
function describePorts(key: string, value: string, from: readonly string[]): string | undefined {
  const [isPorts, transport, address] = /^ports\.(tcp|udp)(?:\.(.+))?$/.exec(key) ?? [];
  if (isPorts === undefined) return undefined;
  const [is, ...was] = [value, ...from].map((text) => (text === "" ? [] : parsePorts(text)));
  if (typeof is === "string" || is === undefined || was.some((ports) => typeof ports === "string")) return undefined;
  const before = was.flat() as number[];
  const say = (ports: readonly number[], what: string) =>
    ports.length === 0
      ? []
      : [
          `${transport === "udp" ? "UDP " : ""}port${ports.length === 1 ? "" : "s"} ${formatPorts(ports)} ${ports.length === 1 ? "is" : "are"} ${what}`,
        ];
  const said = [
    ...say(
      is.filter((port) => !before.includes(port)),
      "open now",
    ),
    ...say(
      before.filter((port) => !is.includes(port)),
      "no longer open",
    ),
  ];
  const where = address === undefined ? "" : ` on ${address}`;
  return said.length === 0 ? undefined : `${said.join(" and ")}${where} (open: ${value === "" ? "none" : value})`;
}

/** "SSH host key (ssh-ed25519) is now SHA256:cd…, not SHA256:ab…". */
export function describeChange({
  key,
  value,
  from,
}: {
  readonly key: string;
  readonly value: string;
  readonly from: readonly string[];
}): string {
  const ports = describePorts(key, value, from);
  if (ports) return ports;
  const before = from.length === 0 ? "" : `, not ${from.map((one) => valueOfFact(key, one)).join(" or ")}`;
  const now = valueOfFact(key, value);
  return `${nameOfFact(key)}${now === NO_PORTS ? `: ${now} now` : ` is now ${now}`}${before}`;
}
