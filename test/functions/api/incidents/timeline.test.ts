import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Alert, AlertEvent } from "../../../../shared/model.ts";
import { createDecisionStore } from "../../../../shared/store/decisions.ts";
import { createIncidentAlertStore } from "../../../../shared/store/incident-alerts.ts";
import { createMailboxStore } from "../../../../shared/store/mailbox.ts";
import { alertOf } from "../../../support/alerts.ts";
import { type Edge, startEdge } from "../edge.ts";
import { storeIncident } from "./fixture.ts";

const START = Date.parse("2026-12-01T11:00:00.000Z");
const moment = (minutes: number) => new Date(START + minutes * 60_000).toISOString();

let edge: Edge;
let id = "";
let monitorId = "";

/** Posts an alert as state-change does. */
const tell = async (number: number, event: AlertEvent, minutes: number, receivers: readonly string[]) => {
  const alert: Alert = { ...alertOf(event), alertId: `${id}.${number}`, incidentId: id, message: `no ${number}` };
  const mailbox = createMailboxStore(edge.client, edge.tables.monitors);
  for (const receiver of receivers) {
    const mail = { receiver, alert, createdAt: moment(minutes), sequence: number };
    await createIncidentAlertStore(edge.client, edge.tables.monitors).note(mail);
    await mailbox.post(mail, new Date(moment(minutes)));
  }
};

beforeAll(async () => {
  edge = await startEdge();
  edge.clock.now = () => new Date(moment(60));
  const body = { name: "Orders", protocol: "tcp", host: "127.0.0.1", port: 1, tags: { team: "orders" } };
  monitorId = (await edge.call("POST", "/v1/monitors", { body })).body.id;
  ({ id } = await storeIncident(edge, monitorId, moment(0)));
  await storeIncident(edge, monitorId, moment(0), {
    endedAt: moment(30),
    endReason: "recovered",
    acknowledged: {
      at: moment(10),
      by: "link sent to email:ops@example.com",
      note: null,
      severity: "down",
      isAnnounced: true,
    },
  });
  for (const [sequence, status, minutes] of [
    [1, "up", -10],
    [2, "degraded", 0],
    [3, "down", 5],
    [4, "up", 30],
    [5, "down", 45],
  ] as const)
    await edge.stores.stretches.record(monitorId, { status, since: moment(minutes) }, sequence);
  await tell(1, "down", 5, ["sns", "email:ops@example.com"]);
  await tell(2, "recovered", 31, ["sns"]);
  const mailbox = createMailboxStore(edge.client, edge.tables.monitors);
  const { mail } = await mailbox.waiting("email:ops@example.com", " ");
  const answer = "ops@example.com: 550 no such user";
  const lost = { state: "undeliverable", attempts: 1, nextAttemptAt: moment(9), hadFault: false } as const;
  await mailbox.record(mail[0]!, { ...lost, answer, digest: null }, new Date(moment(6)));
  await createDecisionStore(edge.client, edge.tables.monitors).noteUndeliverable(
    monitorId,
    moment(0),
    `${id}.1 email:ops@example.com`,
    { error: answer, at: moment(6) },
  );
  edge.clock.now = () => new Date(moment(40));
  await edge.call("POST", `/v1/incidents/${id}/notes`, { body: { text: "A cable" } });
});
afterAll(() => edge[Symbol.asyncDispose]());

const timeline = async (query = "", token = edge.admin) =>
  (await edge.call("GET", `/v1/incidents/${id}/timeline${query}`, { token })).body;

describe("the timeline of an incident", () => {
  test("has everything that happened, in the order of time, with what became of each delivery", async () => {
    const { items, nextCursor } = await timeline();
    const delivery = { state: "waiting", attempts: 0, attemptedAt: null, answer: null };
    expect(nextCursor).toBeNull();
    expect(items).toMatchObject([
      { kind: "opened", at: moment(0) },
      { kind: "status", at: moment(0), status: "degraded" },
      { kind: "status", at: moment(5), status: "down" },
      {
        kind: "alert",
        at: moment(5),
        alert: {
          id: `${id}.1`,
          event: "down",
          message: "no 1",
          deliveries: [
            {
              receiver: "email:ops@example.com",
              state: "undeliverable",
              attempts: 1,
              attemptedAt: moment(6),
              answer: "ops@example.com: 550 no such user",
            },
            { receiver: "sns", ...delivery },
          ],
        },
      },
      {
        kind: "undeliverable",
        at: moment(6),
        undeliverable: { alertId: `${id}.1`, receiver: "email:ops@example.com" },
      },
      { kind: "acknowledged", acknowledgement: { by: "link sent to email:ops@example.com" } },
      { kind: "status", at: moment(30), status: "up" },
      { kind: "ended", at: moment(30), endReason: "recovered" },
      { kind: "alert", at: moment(31), alert: { event: "recovered", deliveries: [{ receiver: "sns", ...delivery }] } },
      { kind: "note", at: moment(40), note: { text: "A cable", by: { name: "admin" } } },
    ]);
  });

  test.each([1, 3, 9])("is the same in pages of %s", async (limit) => {
    const whole = (await timeline()).items;
    const items: unknown[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page = await timeline(`?limit=${limit}${cursor && `&cursor=${cursor}`}`);
      expect(page.items.length).toBeLessThanOrEqual(limit);
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    expect(items).toEqual(whole);
  });

  test.each([
    ["may not write", () => edge.tokenWith("read")],
    ["are limited to tags, as policies name people of others", () => edge.limitedToken("write", "team=orders")],
  ])("shows no mail address to those who %s", async (_who, make) => {
    const token = await make();
    const shown = JSON.stringify(await timeline("", token));
    expect(shown).not.toContain("ops@example.com");
    expect(shown).toContain("email:(hidden)");
    const { body } = await edge.call("GET", `/v1/incidents/${id}`, { token });
    expect(body.acknowledged.by).toBe("link sent to email:(hidden)");
    expect(body.undeliverable).toMatchObject([{ delivery: `${id}.1 email:(hidden)` }]);
  });

  test("says nothing of deliveries whose mail has gone after 30 days", async () => {
    await tell(3, "reminder", 35, ["sns"]);
    const { items } = await timeline("?limit=200");
    const before = items.find(({ alert }: { alert?: { event: string } }) => alert?.event === "reminder");
    expect(before.alert.deliveries).toMatchObject([{ state: "waiting" }]);
    const Key = { pk: "MAIL#sns", sk: `${moment(35)}#${id}.3` };
    await edge.client.send(new DeleteCommand({ TableName: edge.tables.monitors, Key }));
    const after = (await timeline()).items.find(({ alert }: { alert?: { id: string } }) => alert?.id === `${id}.3`);
    expect(after.alert.deliveries).toEqual([
      { receiver: "sns", state: null, attempts: 0, attemptedAt: null, answer: null },
    ]);
  });

  test.each([
    ["nonsense", 404],
    ["x.1", 404],
  ])("of %s is answered with %s", async (wrong, status) => {
    expect((await edge.call("GET", `/v1/incidents/${wrong}/timeline`)).status).toBe(status);
  });
});
