/** What SNS and SES are asked, over HTTP, and what becomes of their refusals. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { SESClient } from "@aws-sdk/client-ses";
import { SNSClient } from "@aws-sdk/client-sns";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createAcknowledgeLinks } from "../../../functions/deliver/acknowledge-link.ts";
import { createFindRecipient } from "../../../functions/deliver/send.ts";
import { createFindTarget } from "../../../functions/deliver/targets.ts";
import { readLinkToken } from "../../../shared/alerts/acknowledge-link.ts";
import { outsideOf } from "../../../shared/alerts/outside.ts";
import type { Alert } from "../../../shared/model.ts";
import { readMail } from "../../support/raw-mail.ts";

const NOW = new Date("2026-11-23T10:00:01.000Z");
const SECRET = Buffer.alloc(32, 7);
const asked: URLSearchParams[] = [];
let refusal: { code: string; message: string } | undefined;
let server: Server;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    asked.push(form);
    const action = form.get("Action");
    const answer = refusal
      ? `<ErrorResponse><Error><Type>Sender</Type><Code>${refusal.code}</Code><Message>${refusal.message}</Message></Error></ErrorResponse>`
      : `<${action}Response><${action}Result><MessageId>1</MessageId></${action}Result></${action}Response>`;
    response.writeHead(refusal ? 400 : 200, { "content-type": "text/xml" }).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL_SNS: endpoint,
    AWS_ENDPOINT_URL_SES: endpoint,
  });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked.length = 0;
  refusal = undefined;
});

const alert: Alert = {
  alertId: "m1.1.1",
  event: "down",
  severity: "critical",
  monitor: { id: "m1", name: "DB", protocol: "tcp", host: "db.example.com", port: 5432, tags: {} },
  status: "down",
  previousStatus: "up",
  reason: "connection-refused",
  message: "db.example.com port 5432 refused the connection",
  locations: {},
  startedAt: "2026-11-23T10:00:00.000Z",
  endedAt: null,
  durationSeconds: null,
  incidentId: "m1.1",
  incidentState: "open",
  endReason: null,
  url: null,
};

const send = async (receiver: string, content = alert) => {
  const find = createFindRecipient({
    findTarget: createFindTarget(
      { get: async () => undefined, secrets: async () => ({}), retired: async () => undefined },
      () => new Date(),
    ),
    settleOwed: async () => {},
    outside: outsideOf({
      sns: new SNSClient({}),
      ses: new SESClient({}),
      topics: {
        alerts: "arn:aws:sns:us-east-1:000000000000:alerts",
        people: "arn:aws:sns:us-east-1:000000000000:people",
        system: "arn:aws:sns:us-east-1:000000000000:system",
      },
      sender: "sender@example.com",
    }),
    url: null,
    linksOf: createAcknowledgeLinks({
      url: "https://api.example.com/v1/acknowledge",
      readSecret: async () => SECRET,
      now: () => NOW,
    }),
    now: () => NOW,
  });
  return (await find(receiver)).send([content], "");
};

test("mail about trouble has the receiver's own link to acknowledge; topic alerts and other news have none", async () => {
  const mailIn = (form: URLSearchParams) =>
    readMail({ RawMessage: { Data: Buffer.from(form.get("RawMessage.Data") ?? "", "base64") } });
  await send("email:ops@example.com");
  const { text, references } = mailIn(asked[0]!);
  expect(references).toBe("<m1.1@example.com>");
  const [, token = ""] = /^Acknowledge: https:\/\/api\.example\.com\/v1\/acknowledge\?token=(\S+)$/m.exec(text) ?? [];
  expect(readLinkToken(token, SECRET, NOW)).toEqual({ incidentId: "m1.1", receiver: "email:ops@example.com" });
  await send("sns");
  await send("email:ops@example.com", { ...alert, event: "recovered", incidentState: "ended" });
  expect(asked[1]?.get("Message")).not.toContain("acknowledge?token");
  expect(mailIn(asked[2]!).text).not.toContain("acknowledge?token");
});

test("text messages go out as transactional", async () => {
  expect(await send("sns")).toMatchObject({ kind: "delivered" });
  const form = Object.fromEntries(asked[0]!);
  const [entry] = Object.entries(form).find(([, value]) => value === "AWS.SNS.SMS.SMSType") ?? [];
  expect(form[`${entry?.replace(/Name$/, "Value.StringValue")}`]).toBe("Transactional");
});

const UNCONFIRMED =
  "Email address is not verified. The following identities failed the check in region US-EAST-1: x@y.z";

test.each([
  ["MessageRejected", "550 no such user", true],
  ["InvalidParameterValue", "Illegal address", true],
  ["MessageRejected", UNCONFIRMED, false],
  ["MailFromDomainNotVerifiedException", "Could not send email because the MAIL FROM domain is not verified", false],
  ["AccessDenied", "not authorized to perform ses:SendRawEmail", false],
])("SES refuses a mail with %s (%s): for good is %s", async (code, message, isPermanent) => {
  refusal = { code, message };
  const result = await send("email:ops@example.com");
  expect(result).toMatchObject({ kind: "refused", isPermanent, error: expect.stringContaining(message) });
});

test.each([
  ["sns", { ...alert, locations: null }, "TypeError"],
  ["email:ops@example.com", { ...alert, monitor: undefined }, "TypeError"],
  ["email:nobody", alert, "must be a mail address"],
  ["pigeon:7", alert, "there is no alert channel pigeon"],
  ["toString", alert, "there is no alert channel toString"],
])("a message to %s that cannot be made is a fault of ours, and nobody is asked", async (receiver, content, error) => {
  const result = await send(receiver, content as unknown as Alert);
  expect(result).toMatchObject({ kind: "fault", error: expect.stringContaining(error), cause: expect.any(Error) });
  expect(asked).toEqual([]);
});
