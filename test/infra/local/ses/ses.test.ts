import { readdirSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { GetSendQuotaCommand, SESClient, SendEmailCommand, SendRawEmailCommand } from "@aws-sdk/client-ses";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Fixture, startFixture } from "../fixture.ts";

let fixture: Fixture;
let ses: SESClient;

beforeAll(async () => {
  fixture = await startFixture();
  ses = new SESClient(fixture.as());
});
afterAll(() => fixture[Symbol.asyncDispose]());

const mail = (more: object = {}) =>
  new SendEmailCommand({
    Source: "Harborlight <sender@example.com>",
    Destination: { ToAddresses: ["ops@example.com"] },
    Message: { Subject: { Data: "Zürich ✓ is down" }, Body: { Text: { Data: "text" }, Html: { Data: "<p>html</p>" } } },
    ...more,
  });
const files = () => {
  const folder = join(fixture.dataFolder, "mail");
  const names = readdirSync(folder).sort();
  return names.map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
};

test("a mail becomes a file with both forms of its text, sorted by time", async () => {
  const { MessageId } = await ses.send(
    mail({ Destination: { ToAddresses: ["a@example.com"], BccAddresses: ["b@example.com"] } }),
  );
  await ses.send(mail());
  expect(MessageId).toMatch(/^[\w-]+$/);
  const [first, second] = files();
  expect(first!.name).toMatch(/^\d{4}-\d\d-\d\dT.*\.eml$/);
  expect(first!.text).toMatch(
    /^X-Envelope-From: sender@example.com\r\nX-Envelope-To: a@example.com, b@example.com\r\n/,
  );
  expect(first!.text).not.toMatch(/^Bcc:/m);
  expect(first!.text).toMatch(/text\/plain[\s\S]*text\/html/);
  expect(second!.text).toContain("X-Envelope-To: ops@example.com");
});

test("a raw mail goes out as it is, to those its headers name", async () => {
  const Data = Buffer.from(
    "From: alerts@sub.example.org\r\nTo: A <a@example.com>,\r\n b@example.com\r\nSubject: raw\r\n\r\nbody\r\n",
  );
  await ses.send(new SendRawEmailCommand({ RawMessage: { Data } }));
  expect(files().at(-1)!.text).toBe(
    `X-Envelope-From: alerts@sub.example.org\r\nX-Envelope-To: a@example.com, b@example.com\r\n${Data.toString()}`,
  );
  expect(await ses.send(new GetSendQuotaCommand({}))).toMatchObject({ Max24HourSend: 50_000 });
});

describe("refuses", () => {
  test.for([
    ["a sender that is not verified", { Source: "other@example.com" }, "MessageRejected"],
    ["an address without a domain", { Destination: { ToAddresses: ["nobody"] } }, "InvalidParameterValue"],
    ["an address beyond ASCII", { Destination: { ToAddresses: ["zürich@example.com"] } }, "InvalidParameterValue"],
    ["no recipient", { Destination: {} }, "InvalidParameterValue"],
    ["an empty body", { Message: { Subject: { Data: "x" }, Body: {} } }, "ValidationError"],
  ] as const)("%s", async ([, change, name]) => {
    await expect(ses.send(mail(change))).rejects.toMatchObject({ name });
  });

  test("a function whose role may not send", async () => {
    await new SESClient(fixture.as("t-Api")).send(mail());
    await expect(new SESClient(fixture.as("worker")).send(mail())).rejects.toMatchObject({ name: "AccessDenied" });
  });
});

describe("with SMTP_URL", () => {
  test.for([
    ["ops@example.com", undefined],
    ["unknown@example.com", "MessageRejected"],
    ["full@example.com", "ServiceUnavailable"],
  ] as const)("a mail to %s ends as the server says: %s", async ([address, name]) => {
    const got: string[] = [];
    const server = new SMTPServer({
      authOptional: true,
      hideSTARTTLS: true,
      onRcptTo: ({ address: to }, _, done) => {
        const responseCode = to.startsWith("unknown") ? 550 : to.startsWith("full") ? 452 : undefined;
        done(responseCode === undefined ? null : Object.assign(new Error("no"), { responseCode }));
      },
      onData: (stream, _, done) => {
        stream.on("data", (chunk: Buffer) => got.push(chunk.toString()));
        stream.on("end", () => done());
      },
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const smtpUrl = `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
    const own = await startFixture({ smtpUrl });
    const sent = new SESClient(own.as()).send(mail({ Destination: { ToAddresses: [address] } }));
    if (name === undefined) {
      await sent;
      expect(got.join("")).toContain("To: ops@example.com");
    } else await expect(sent).rejects.toMatchObject({ name });
    await own[Symbol.asyncDispose](); // gives the connection up that it keeps for the next mail
    await new Promise<void>((resolve) => server.close(resolve));
  });

  test.for([
    ["connecting", { connect: 554 }, "ServiceUnavailable"],
    ["AUTH", { auth: 535 }, "ServiceUnavailable"],
    ["MAIL FROM", { from: 550 }, "ServiceUnavailable"],
    ["the text", { data: 554 }, "MessageRejected"],
    ["the text, for now", { data: 451 }, "ServiceUnavailable"],
  ] as const)(
    "only what is about the mail is refused for good; %s is answered by an error: %j",
    async ([, at, name]) => {
      const fail = (code: number | undefined, done: (error?: Error | null) => void) =>
        done(code === undefined ? null : Object.assign(new Error("no"), { responseCode: code }));
      const codes: { connect?: number; auth?: number; from?: number; data?: number } = at;
      const server = new SMTPServer({
        authOptional: true,
        allowInsecureAuth: true,
        hideSTARTTLS: true,
        onConnect: (_, done) => fail(codes.connect, done),
        onAuth: (_, __, done) => fail(codes.auth, (error) => done(error ?? null, { user: "u" })),
        onMailFrom: (_, __, done) => fail(codes.from, done),
        onData: (stream, _, done) => {
          stream.resume();
          stream.on("end", () => fail(codes.data, done));
        },
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const smtpUrl = `smtp://u:p@127.0.0.1:${(server.server.address() as AddressInfo).port}`;
      const own = await startFixture({ smtpUrl });
      await expect(new SESClient(own.as()).send(mail())).rejects.toMatchObject({ name });
      await own[Symbol.asyncDispose]();
      await new Promise<void>((resolve) => server.close(resolve));
    },
  );

  test("a server that is not there is a failure that passes", async () => {
    await using own = await startFixture({ smtpUrl: "smtp://127.0.0.1:1" });
    await expect(new SESClient(own.as()).send(mail())).rejects.toMatchObject({ name: "ServiceUnavailable" });
  });
});
