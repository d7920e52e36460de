/** What services say of themselves costs nothing while it stays, also where two servers answer in turn. */
import { expect, test } from "vitest";
import { onLines, serve } from "../../support/servers.ts";
import { startProbe } from "./fixture.ts";

test("a pair behind one name that answers in turn causes no write of the view after its ninth check", async () => {
  await using p = await startProbe();
  let answers = 0;
  await using pair = await serve((socket) =>
    onLines(socket, (line) => {
      if (line !== "") return;
      const server = answers++ % 2 === 0 ? "one" : "two";
      socket.end(`HTTP/1.1 204 No Content\r\nX-Frame-Options: ${server}\r\nConnection: close\r\n\r\n`);
    }),
  );
  await p.put({ protocol: "http", port: pair.port });
  const writes: number[] = [];
  const reads: number[] = [];
  let now = 0;
  const run = p.startProcess((operation, { Key, RequestItems }) => {
    if (operation === "Update" && (Key as { sk?: string })?.sk === "MONITOR") writes.push(now);
    if (operation === "BatchGet" && JSON.stringify(RequestItems).includes("MONITOR#")) reads.push(now);
  });
  for (now = 1; now <= 40; now++) await p.tick(now, 0.5, run);
  const last = Math.max(...writes);
  expect(last).toBeLessThanOrEqual(9);
  // Each write leaves the view in doubt for two minutes, and it is read until that is over.
  expect(Math.max(...reads)).toBeLessThanOrEqual(last + 13);
  expect((await p.view())?.facts?.values["http.header.x-frame-options"]?.map(({ value }) => value)).toEqual([
    "one",
    "two",
  ]);
});

/** Another process sees what is new, and the first one sees that it is gone: what the first one remembers is outdated. */
test.each([
  ["while the last write is still in doubt", 4],
  ["long after it", 30],
])("a process learns what another has written meanwhile: %s", async (_, ticksBetween) => {
  await using p = await startProbe();
  let title = "old";
  await using server = await serve((socket) =>
    onLines(socket, (line) => {
      if (line !== "") return;
      socket.end(`HTTP/1.1 204 No Content\r\nX-Frame-Options: ${title}\r\nConnection: close\r\n\r\n`);
    }),
  );
  await p.put({ protocol: "http", port: server.port });
  const [first, second] = [p.startProcess(), p.startProcess()];
  let n = 1;
  while (n <= 20) await p.tick(n++, 0.5, first);
  title = "new";
  for (const end = n + ticksBetween; n < end; n++) await p.tick(n, 0.5, second);
  title = "old";
  for (const end = n + 3; n < end; n++) await p.tick(n, 0.5, first);
  expect((await p.view())?.facts?.values["http.header.x-frame-options"]).toEqual([
    expect.objectContaining({ value: "old" }),
    { value: "new", missed: 3 },
  ]);
});
