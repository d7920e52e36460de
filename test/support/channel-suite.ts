/**
 * The tests that every HTTP channel has to pass, against a server that validates what it gets as the service documents
 * it: delivered, 500, silence, 429 with Retry-After, a revoked key, hostile texts, digests.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Answer } from "../../shared/alerts/channels/answer.ts";
import type { Channel, Digest, Outside } from "../../shared/alerts/channels/channel.ts";
import type { HttpRequest } from "../../shared/alerts/http.ts";
import type { Alert } from "../../shared/model.ts";
import { alertOf, EVENTS, HOSTILE, hostile } from "./alerts.ts";
import { type Received, type Receiver, type Reply, startReceiver } from "./receiver.ts";

interface Service<Settings> {
  readonly channel: Channel<Settings, HttpRequest>;
  /** @param url address of the local server that stands for the service */
  readonly settings: (url: string) => Settings;
  /** Throws unless the service takes the request. */
  readonly validate: (received: Received) => void;
  readonly success: Reply;
  /** What the service answers to a wrong or revoked key, or at a deleted webhook. */
  readonly revoked: Reply;
  /** Whether a revoked key is no permanent refusal here. */
  readonly revokedMayPass?: boolean;
  /** What it answers when there is too much; it asks for seven seconds. Default: 429 with Retry-After. */
  readonly limited?: Reply;
  /** Answers 2xx that do not mean success. */
  readonly falseSuccesses?: readonly Reply[];
}

export const NOW = new Date("2026-11-27T10:32:00.000Z");
const CONTEXT = { topics: { alerts: "alerts", people: "people", system: "system" }, sender: undefined, now: NOW };
const WITHOUT_AWS = () => Promise.reject(new Error("not asked"));

export const digestOf = (count: number, alert: (n: number) => Alert = () => alertOf()): Digest => ({
  id: "digest-1",
  alerts: Array.from({ length: count }, (_, n) => alert(n)),
  url: "https://api.example.com/v1/incidents",
});

export function channelSuite<Settings>(service: Service<Settings>) {
  const { channel, validate, success } = service;
  let receiver: Receiver;
  let outside: Outside;
  beforeAll(async () => {
    receiver = await startReceiver(() => success);
    outside = { ...CONTEXT, publish: WITHOUT_AWS, sendMail: WITHOUT_AWS, http: receiver.http };
  });
  afterAll(() => receiver[Symbol.asyncDispose]());
  /** As the service answers: what does not fit its documented format is refused. */
  const strict = (received: Received): Reply => {
    try {
      validate(received);
      return success;
    } catch (error) {
      return { status: 400, body: `not valid: ${String(error)} in ${received.body.slice(0, 2000)}` };
    }
  };
  beforeEach(() => {
    receiver.received.length = 0;
    receiver.answers(strict);
  });

  const post = (request: HttpRequest, signal = AbortSignal.timeout(5_000)): Promise<Answer> =>
    channel.send(request, outside, signal);
  const deliver = (alert: Alert) => post(channel.render(alert, service.settings(receiver.url), CONTEXT));

  describe("takes the service's answers as they are meant", () => {
    test.each(EVENTS)("%s is delivered", async (event) => {
      expect(await deliver(alertOf(event))).toMatchObject({ kind: "delivered" });
      expect(receiver.received).toHaveLength(1);
      expect(receiver.received[0]!.headers["user-agent"]).toBe("harborlight/1.2.3");
    });

    test("500 is tried again", async () => {
      receiver.answers(() => ({ status: 500, body: "oops" }));
      expect(await deliver(alertOf())).toMatchObject({ kind: "refused", isPermanent: false, retryAfterSeconds: null });
      receiver.answers(strict);
      expect(await deliver(alertOf())).toMatchObject({ kind: "delivered" });
    });

    test("silence is tried again", async () => {
      receiver.answers(() => "silent");
      expect(await deliver(alertOf())).toMatchObject({
        kind: "refused",
        isPermanent: false,
        error: expect.stringContaining("did not answer in time"),
      });
    });

    test("too many requests are tried again when the service says", async () => {
      receiver.answers(() => service.limited ?? { status: 429, headers: { "retry-after": "7" }, body: "slow down" });
      expect(await deliver(alertOf())).toMatchObject({ kind: "refused", isPermanent: false, retryAfterSeconds: 7 });
    });

    test("a revoked key or a deleted receiver is final", async () => {
      receiver.answers(() => service.revoked);
      expect(await deliver(alertOf())).toMatchObject({
        kind: "refused",
        isPermanent: service.revokedMayPass !== true,
      });
    });

    test.each((service.falseSuccesses ?? []).map((reply) => [JSON.stringify(reply), reply] as const))(
      "%s is no delivery",
      async (_, reply) => {
        receiver.answers(() => reply);
        expect((await deliver(alertOf())).kind).toBe("refused");
      },
    );
  });

  describe("hostile texts stay within the service's format and limits", () => {
    test.each(Object.keys(HOSTILE))("%s", async (name) => {
      for (const event of EVENTS) {
        const answer = await deliver(hostile(HOSTILE[name]!, event));
        expect(answer).toMatchObject({ kind: "delivered" });
      }
    });
  });

  test(`${channel.audience} ${channel.audience === "people" ? "get" : "get no"} digests`, async () => {
    expect(channel.renderDigest !== undefined).toBe(channel.audience === "people");
    if (!channel.renderDigest) return;
    const settings = service.settings(receiver.url);
    for (const digest of [digestOf(37), digestOf(1_000, () => hostile(HOSTILE["markup again and again"]!))]) {
      expect(await post(channel.renderDigest(digest, settings, CONTEXT))).toMatchObject({ kind: "delivered" });
      const { body } = receiver.received.at(-1)!;
      expect(body).toContain(`${digest.alerts.length} alerts: ${digest.alerts.length} down`);
    }
  });

  test("the example is valid, and secrets are in its schema", () => {
    expect(channel.settings.safeParse(channel.example).success).toBe(true);
  });

  return {
    /** Delivers an alert. @returns the request that the service got */
    sent: async (alert: Alert, settings?: Partial<Settings>): Promise<Received> => {
      const request = channel.render(alert, { ...service.settings(receiver.url), ...settings }, CONTEXT);
      expect(await post(request)).toMatchObject({ kind: "delivered" });
      return receiver.received.at(-1)!;
    },
  };
}
