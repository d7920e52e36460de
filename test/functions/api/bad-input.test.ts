import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Edge, startEdge } from "./edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge[Symbol.asyncDispose]());

const good = { name: "Orders", protocol: "tcp", host: "db.example.com", port: 5432 };
const from = (location: string) => ({ locations: [location] });

/** What is sent instead of, or beside, good fields; the paths that the answer names; words of its messages. */
const REFUSED: readonly [string, Record<string, unknown>, readonly string[], RegExp][] = [
  ["port 0", { port: 0 }, ["port"], /from 1 to 65535, got 0/],
  ["port 65536", { port: 65536 }, ["port"], /from 1 to 65535, got 65536/],
  ["port as text", { port: "5432" }, ["port"], /whole number.*got "5432"/],
  ["a broken port", { port: 80.5 }, ["port"], /whole number.*got 80.5/],
  ["no port without a default", { port: undefined }, ["port"], /is required: tcp has no default port/],
  ["an unknown protocol", { protocol: "gopher" }, ["protocol"], /one of .*tcp.*got "gopher"/],
  ["no protocol", { protocol: undefined }, ["protocol"], /is required/],
  ["a name from the prototype as protocol", { protocol: "constructor" }, ["protocol"], /one of/],
  ["an unknown field", { colour: "red" }, ["colour"], /there is no field "colour"/],
  ["an unknown nested field", { retries: { often: 3 } }, ["retries.often"], /there is no field/],
  [
    "an unknown setting",
    { settings: { colour: "red" } },
    ["settings.colour"],
    /no such setting; there are .*steps.*tls/,
  ],
  [
    "an unknown setting within",
    { settings: { tls: { cipher: "x" } } },
    ["settings.tls.cipher"],
    /no such setting; there are serverName, alpn, /,
  ],
  [
    "a setting of a protocol without any",
    { protocol: "vnc", settings: { user: "root" } },
    ["settings.user"],
    /no such setting; there is none/,
  ],
  [
    "an unknown setting of one of two kinds",
    { protocol: "dns", port: 53, settings: { transport: "udp", name: "a.ch", colour: "red" } },
    ["settings.colour"],
    /no such setting; there are transport, /,
  ],
  [
    "bytes to send that are missing",
    { protocol: "udp", settings: { silence: "down" } },
    ["settings.send"],
    /^is required: a text/,
  ],
  [
    "a name that breaks the SDK, anywhere",
    { tags: { constructor: "x" } },
    ["tags.constructor"],
    /not allowed as the name of a field/,
  ],
  ["half a surrogate pair", { name: "half \ud800" }, ["name"], /well-formed Unicode/],
  [
    "halves of surrogate pairs within",
    { settings: { tls: { serverName: "\ud800", alpn: ["h2", "\udfff"] } } },
    ["settings.tls.serverName", "settings.tls.alpn[1]"],
    /well-formed Unicode/,
  ],
  [
    "datagrams that would leave after the deadline",
    {
      protocol: "udp",
      settings: { send: "x", silence: "down", packets: { count: 20, spacingMs: 5000 } },
      timeoutMs: 1500,
    },
    ["settings.packets"],
    /last of 20 datagrams would leave after 95000 ms, and timeoutMs is 1500/,
  ],
  [
    "an authority that is none",
    { settings: { tls: { ca: "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n" } } },
    ["settings.tls.ca"],
    /certificates in PEM/,
  ],
  [
    "a secret that was never shown",
    { protocol: "radius", settings: { secret: "(hidden)" } },
    ["settings.secret"],
    /in place of a secret/,
  ],
  [
    "a header that was never shown",
    { protocol: "http", settings: { headers: { Authorization: "(hidden)" } } },
    ["settings.headers.Authorization"],
    /in place of a secret/,
  ],
  ["a setting that is missing", { protocol: "radius", settings: {} }, ["settings.secret"], /^is required$/],
  ["a setting of another kind", { settings: { steps: "PING" } }, ["settings.steps"], /^must be a list$/],
  [
    "a mail address whose local part has 65 characters",
    { alerts: { emails: [`${"a".repeat(65)}@example.com`] } },
    ["alerts.emails[0]"],
    /a mail address/,
  ],
  ["reminders each second", { alerts: { remindEverySeconds: 1 } }, ["alerts.remindEverySeconds"], /from 60 to 604800/],
  ["flapping by a flag", { flapping: true }, ["flapping"], /must be a JSON object, got true/],
  [
    "a low mark beyond the high one",
    { flapping: { lowPercent: 30 } },
    ["flapping.lowPercent"],
    /less than highPercent \(30\)/,
  ],
  [
    "marks beyond 100 %",
    { flapping: { highPercent: 101, lowPercent: -1, days: 3 } },
    ["flapping.highPercent", "flapping.lowPercent", "flapping.days"],
    /from 1 to 100 percent|from 0 to 99 percent|no field/,
  ],
  ["a usual range of a misspelt measure", { unusual: { latncy: "high" } }, ["unusual.latncy"], /no field/],
  [
    "a usual range by a number",
    { unusual: { latency: 5 } },
    ["unusual.latency"],
    /one of off, low, normal, high, got 5/,
  ],
  ["a usual range of nothing", { unusual: {} }, ["unusual"], /must name a measure to watch/],
  [
    "a usual range of few checks",
    { intervalSeconds: 600, unusual: { latency: "high" } },
    ["unusual"],
    /a check every 300 s at least.*intervalSeconds is 600/,
  ],
  [
    "a usual range of what is not measured",
    { unusual: { latency: "high", loss: "low", inBytes: "normal" } },
    ["unusual.loss", "unusual.inBytes"],
    /only by UDP protocols with settings.packets|tcp counts no traffic, only interfaces does/,
  ],
  [
    "a usual range of a sweep",
    { protocol: "ports", port: undefined, unusual: { latency: "low" } },
    ["unusual"],
    /ports measures nothing but open ports/,
  ],
  ["channels", { channels: ["x"] }, ["channels"], /in alerts.steps/],
  ["an empty name", { name: " " }, ["name"], /1 to 200 characters/],
  ["a name with a line end", { name: "a\nb" }, ["name"], /one line/],
  ["an empty host", { host: "" }, ["host"], /a host name or an IP address/],
  ["a URL as host", { host: "https://db.example.com:5432/x" }, ["host"], /not a URL; try "db.example.com"/],
  ["a path as host", { host: "db.example.com/x" }, ["host"], /not a URL/],
  ["a host with a port", { host: "db.example.com:5432" }, ["host"], /without a port/],
  ["a host in brackets", { host: "[2001:db8::1]" }, ["host"], /without brackets/],
  ["a host with a space", { host: "db example" }, ["host"], /labels of 1 to 63/],
  ["a label of 64", { host: `${"a".repeat(64)}.example.com` }, ["host"], /labels of 1 to 63/],
  ["an empty label", { host: "db..example.com" }, ["host"], /labels of 1 to 63/],
  ["an IDN too long in its xn-- form", { host: `${"ü".repeat(60)}.example.com` }, ["host"], /host name/],
  ["a URL with other letters", { host: "https://bücher.example/x" }, ["host"], /not a URL/],
  ["loopback in full-width digits", { host: "１２７.0.0.1", ...from("eu-west-1") }, ["host"], /loopback/],
  ["a zone of an address that has none", { host: "2001:db8::1%eth0" }, ["host"], /without a zone/],
  ["a link-local address without its zone", { host: "fe80::1" }, ["host"], /fe80::1%eth0/],
  ["a link-local address from afar", { host: "fe80::1%eth0", ...from("inside") }, ["host"], /link-local/],
  ["a host of 254", { host: `${"a.".repeat(127)}` }, ["host"], /at most 253/],
  ["an interval off the list", { intervalSeconds: 45 }, ["intervalSeconds"], /one of 10, 20, 30, 60.*got 45/],
  ["a negative timeout", { timeoutMs: -1 }, ["timeoutMs"], /from 100 to 57000.*got -1/],
  ["a timeout beyond a minute", { timeoutMs: 60_000 }, ["timeoutMs"], /from 100 to 57000/],
  [
    "a timeout too long for 10 s",
    { intervalSeconds: 10, timeoutMs: 7_001 },
    ["timeoutMs"],
    /at most 7000 at an interval of 10 s/,
  ],
  [
    "retries that do not fit",
    { intervalSeconds: 10, timeoutMs: 5_000, retries: { count: 2 } },
    ["retries"],
    /take up to 17000 ms.*has 9000 ms/,
  ],
  [
    "a latency limit beyond the timeout",
    { degradedAboveMs: 5_000 },
    ["degradedAboveMs"],
    /less than timeoutMs \(5000\)/,
  ],
  [
    "a location's latency limit beyond the timeout",
    { degradedAboveMsByLocation: { local: 5_000 } },
    ["degradedAboveMsByLocation.local"],
    /less than timeoutMs \(5000\)/,
  ],
  [
    "a latency limit of a location that it is not checked from",
    { degradedAboveMsByLocation: { inside: 100 } },
    ["degradedAboveMsByLocation.inside"],
    /one of the monitor's locations \(local\), got "inside"/,
  ],
  [
    "a latency limit of zero",
    { degradedAboveMsByLocation: { local: 0 } },
    ["degradedAboveMsByLocation.local"],
    /from 1 to 57000 milliseconds, got 0/,
  ],
  ["degraded alerts by another word", { alerts: { degraded: "no" } }, ["alerts.degraded"], /true or false/],
  ["loopback from a public location", { host: "127.0.0.1", ...from("eu-west-1") }, ["host"], /loopback.*eu-west-1/],
  ["localhost from a public location", { host: "localhost", ...from("eu-west-1") }, ["host"], /eu-west-1/],
  [
    "a private address from a public location",
    { host: "10.1.2.3", ...from("eu-west-1") },
    ["host"],
    /private.*eu-west-1/,
  ],
  ["metadata from a public location", { host: "169.254.169.254", ...from("eu-west-1") }, ["host"], /link-local/],
  ["metadata from a VPC", { host: "169.254.169.254", ...from("inside") }, ["host"], /link-local.*inside/],
  ["metadata as a decimal number", { host: "2852039166", ...from("eu-west-1") }, ["host"], /means 169\.254\.169\.254/],
  ["metadata in hexadecimal", { host: "0xa9fea9fe", ...from("eu-west-1") }, ["host"], /means 169\.254\.169\.254/],
  ["loopback in octal", { host: "0177.0.0.1", ...from("eu-west-1") }, ["host"], /four decimal numbers/],
  ["loopback in short", { host: "127.1", ...from("eu-west-1") }, ["host"], /means 127\.0\.0\.1/],
  ["metadata, mapped into IPv6", { host: "::ffff:169.254.169.254", ...from("eu-west-1") }, ["host"], /link-local/],
  ["loopback, mapped in hexadecimal", { host: "::ffff:7f00:1", ...from("eu-west-1") }, ["host"], /loopback/],
  ["metadata of IPv6", { host: "fd00:ec2::254", ...from("eu-west-1") }, ["host"], /AWS/],
  ["IPv6 from where there is none", { host: "2606:4700::1111", ...from("eu-west-1") }, ["host"], /has only ipv4/],
  ["a family that the location has not", { family: "ipv6", ...from("eu-west-1") }, ["family"], /has no ipv6/],
  ["an address of the other family", { host: "127.0.0.1", family: "ipv6" }, ["family"], /not an ipv6 address/],
  ["port 25 from a public location", { port: 25, ...from("eu-west-1") }, ["port"], /AWS blocks.*587 or 465/],
  ["an unknown location", { locations: ["mars"] }, ["locations[0]"], /one of local, eu-west-1, inside, got "mars"/],
  ["a location twice", { locations: ["local", "local"] }, ["locations[1]"], /there twice/],
  ["no location", { locations: [] }, ["locations"], /at least one location/],
  ["a quorum beyond the locations", { quorum: 2 }, ["quorum"], /at most the number of locations \(1\), got 2/],
  ["a quorum of another word", { quorum: "most" }, ["quorum"], /"majority", "any", "all" or a number/],
  ["a mail address that is none", { alerts: { emails: ["ops"] } }, ["alerts.emails[0]"], /mail address, got "ops"/],
  ["a mail address with a comma", { alerts: { emails: ["a,b@c.ch"] } }, ["alerts.emails[0]"], /mail address/],
  ["a mail address twice", { alerts: { emails: ["a@b.ch", "A@b.ch"] } }, ["alerts.emails[1]"], /there twice/],
  ["a negative delay of alerts", { alerts: { afterSeconds: -1 } }, ["alerts.afterSeconds"], /from 0 to 86400/],
  ["a tag that is a number", { tags: { team: 1 } }, ["tags.team"], /must be text, got 1/],
  ["a tag's name with a comma", { tags: { "a,b": "x" } }, ["tags.a,b"], /a tag's name/],
  [
    "tags of more bytes than fit",
    { tags: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`tag ${n}`, "ü".repeat(60)])) },
    ["tags"],
    /at most 2048 bytes of names and values together, got 2510/,
  ],
  [
    "17 locations",
    { locations: Array.from({ length: 17 }, (_, n) => `l${n}`) },
    ["locations"],
    /a list of at most 16 names of locations/,
  ],
  [
    "21 addresses",
    { alerts: { emails: Array.from({ length: 21 }, (_, n) => `a${n}@example.com`) } },
    ["alerts.emails"],
    /a list of at most 20 mail addresses/,
  ],
  [
    "21 tags",
    { tags: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`t${n}`, ""])) },
    ["tags"],
    /at most 20/,
  ],
  ["a key with a space", { key: "a b" }, ["key"], /1 to 128/],
  ["paused as text", { paused: "yes" }, ["paused"], /true or false, got "yes"/],
  ["a threshold of 0", { failureThreshold: 0 }, ["failureThreshold"], /from 1 to 20/],
  ["an expected state of another word", { expectedState: "ajar" }, ["expectedState"], /open, closed/],
  ["settings that are a list", { settings: [] }, ["settings"], /an object/],
  ["settings beyond 16 KB", { settings: { send: "x".repeat(20_000) } }, ["settings"], /at most 16384 bytes/],
];

describe("POST /v1/monitors refuses and stores nothing:", () => {
  test.each(REFUSED)("%s", async (_name, fields, paths, message) => {
    const { status, headers, body } = await edge.call("POST", "/v1/monitors", { body: { ...good, ...fields } });
    expect([status, body.code, headers["content-type"]]).toEqual([422, "invalid-input", "application/problem+json"]);
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(paths);
    expect(body.errors[0].message).toMatch(message);
    expect(await edge.stored("monitors", "MONITOR#")).toEqual([]);
    expect(await edge.stored("monitors", "SHARD")).toEqual([]);
  });

  test("everything that is wrong at once", async () => {
    const { body } = await edge.call("POST", "/v1/monitors", {
      body: {
        protocol: "tcp",
        host: "a b",
        port: 0,
        intervalSeconds: 5,
        alerts: { emails: ["x"] },
        locations: ["mars"],
        zzz: 1,
      },
    });
    expect(body.errors.map(({ path }: { path: string }) => path).toSorted()).toEqual(
      ["name", "host", "port", "intervalSeconds", "alerts.emails[0]", "locations[0]", "zzz"].toSorted(),
    );
  });

  test("a tag named __proto__", async () => {
    const raw = JSON.stringify(good).replace(/}$/, ',"tags":{"__proto__":"x"}}');
    const { status, body } = await edge.call("POST", "/v1/monitors", { raw });
    expect([status, body.errors?.[0].path]).toEqual([422, "tags.__proto__"]);
  });
});

describe("bodies", () => {
  const cases: readonly [string, Parameters<Edge["call"]>[2], number, string][] = [
    ["that are not JSON", { raw: "{name:" }, 400, "malformed-json"],
    [
      "that are not UTF-8",
      { raw: Buffer.from([0x22, 0xff, 0x22]).toString("base64"), isBase64: true },
      400,
      "malformed-json",
    ],
    ["that are missing", { headers: { "Content-Type": "application/json" } }, 400, "malformed-json"],
    [
      "of another content type",
      { raw: "a=b", headers: { "Content-Type": "text/plain" } },
      415,
      "unsupported-media-type",
    ],
    ["that are packed", { body: good, headers: { "Content-Encoding": "gzip" } }, 415, "unsupported-media-type"],
    [
      "in another alphabet",
      { body: good, headers: { "Content-Type": "application/json; charset=latin1" } },
      415,
      "unsupported-media-type",
    ],
    ["with a promise that nobody keeps", { body: good, headers: { "If-Match": '"1"' } }, 422, "invalid-input"],
    ["over 256 KB", { body: { ...good, name: "x".repeat(256 * 1024) } }, 413, "body-too-large"],
    ["that are a list", { body: [good] }, 422, "invalid-input"],
    ["that are null", { body: null }, 422, "invalid-input"],
  ];
  test.each(cases)("%s are refused", async (_name, options, status, code) => {
    const answer = await edge.call("POST", "/v1/monitors", options);
    expect([answer.status, answer.body.code, answer.body.status]).toEqual([status, code, status]);
    expect(await edge.stored("monitors", "MONITOR#")).toEqual([]);
  });

  test("of PUT are refused over 4 MB", async () => {
    const big = { monitors: [{ ...good, key: "a", name: "x".repeat(4 * 1024 * 1024) }] };
    expect((await edge.call("PUT", "/v1/monitors", { body: big })).status).toBe(413);
    const large = { monitors: [{ ...good, key: "a", name: "x".repeat(1024 * 1024) }] };
    expect((await edge.call("PUT", "/v1/monitors", { body: large })).status).toBe(422);
  });

  test("where none is taken are refused", async () => {
    expect((await edge.call("GET", "/v1/monitors", { body: { limit: 1 } })).status).toBe(422);
  });
});

describe("queries", () => {
  test.each([
    ["limit=0", "limit", /from 1 to 200/],
    ["limit=201", "limit", /from 1 to 200 \(for more, send nextCursor as cursor\), got "201"/],
    ["limit=1000000000", "limit", /from 1 to 200 \(for more/],
    ["limit=many", "limit", /whole number/],
    ["limit=1&limit=2", "limit", /once/],
    ["status=fine", "status[0]", /one of pending, up/],
    ["colour=red", "colour", /no such parameter/],
    ["constructor=red", "constructor", /no such parameter/],
    ["cursor=made-up", "cursor", /nextCursor/],
    ["cursor=", "cursor", /nextCursor/],
    ["cursor=eyJhIjoxfQ.AAAAAAAAAAAA", "cursor", /nextCursor/],
    ["tag==x", "tag[0]", /name=value/],
  ])("GET /v1/monitors?%s is refused", async (query, path, message) => {
    const { status, body } = await edge.call("GET", `/v1/monitors?${query}`);
    expect([status, body.code, body.errors[0].path]).toEqual([422, "invalid-input", path]);
    expect(body.errors[0].message).toMatch(message);
    expect(body.errors).toHaveLength(1);
  });

  test.each(["/v1/incidents", "/v1/tokens", "/v1/subscriptions"])("a made-up cursor at %s is refused", async (path) => {
    const { status, body } = await edge.call("GET", `${path}?cursor=WyJhbGVydHMiXQ.x`);
    expect([status, body.errors[0].path]).toEqual([422, "cursor"]);
  });
});

test.each([
  [
    "/v1/maintenance-windows",
    { name: "Move", schedule: { kind: "once", durationSeconds: 60 } },
    "monitorIds",
    ["monitorIds[0]"],
  ],
  ["/v1/policies", { name: "Night" }, "steps", ["steps[0].channels[0]"]],
  ["/v1/monitors", good, "alerts", ["alerts.policies[0]"]],
])(
  "ids that no key of the table can hold, in %s: a wrong field, and no fault of ours",
  async (url, body, field, path) => {
    for (const id of ["", "x".repeat(3_000), "\u0000", "ä"]) {
      const value = { monitorIds: [id], steps: [{ afterSeconds: 0, channels: [id] }], alerts: { policies: [id] } }[
        field
      ];
      const { status, body: answer } = await edge.call("POST", url, { body: { ...body, [field]: value } });
      expect([status, answer.errors.map((error: { path: string }) => error.path)], JSON.stringify(id)).toEqual([
        422,
        path,
      ]);
    }
  },
);
