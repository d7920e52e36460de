import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createControl } from "../../../functions/probe/control.ts";
import { createViewWriter } from "../../../functions/probe/view-writer.ts";
import { createEngine } from "../../../shared/engine/run.ts";
import type { Outcome } from "../../../shared/model.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { EMPTY_HISTORY, remember } from "../../../shared/rules/judge.ts";

import { monitorOf, viewOf } from "../../support/monitors.ts";
import { serve } from "../../support/servers.ts";

const TICK = 1_800_000_000;

const DOWN: Outcome = {
  state: "closed",
  reason: "connection-refused",
  message: "",
  health: "down",
  timings: {},
  traffic: { bytesSent: 0, bytesReceived: 0 },
  evidence: {},
  attempts: 1,
};

/** One tick's views, with a clock and control targets as the test wants; `saved` are the ids that were written. */
const startViews = () => {
  const state = { now: TICK * 1000, questions: [] as (number | undefined)[], saved: [] as string[] };
  const views = {
    views: async () => new Map(),
    save: async (id: string) => state.saved.push(id) > 0,
  };
  const control = async (notBefore?: number) => {
    state.questions.push(notBefore);
    return "online" as const;
  };
  const writer = createViewWriter({ location: "a", views, control, now: () => state.now })(
    TICK,
    TICK * 1000 + 9_000,
    async () => true,
  );
  const turnDown = (id: string) =>
    writer.add({
      member: { ...monitorOf({ id }), beliefs: {} },
      outcome: DOWN,
      history: remember(EMPTY_HISTORY, "down"),
      view: viewOf("up", TICK - 100),
      isFenced: false,
    });
  return { state, writer, turnDown };
};

describe("a view that turns down", () => {
  test("waits for an answer of control targets that were asked after its failure, whatever they said before", async () => {
    const { state, writer, turnDown } = startViews();
    writer.doubtNetwork();
    state.now += 400;
    turnDown("m1");
    await writer.end();
    expect(state.questions.at(-1)).toBe(TICK * 1000 + 400);
    expect(state.saved).toEqual(["m1"]);
  });

  test("is not written after its tick's deadline", async () => {
    const { state, writer, turnDown } = startViews();
    state.now += 9_000;
    turnDown("m1");
    const { tried, stored } = await writer.end();
    expect(state.saved).toEqual([]);
    expect(tried.size).toBe(0);
    expect(stored.get("m1")?.health).toBe("up");
  });
});

test("a hundred failures within a moment are one question to the control targets, not a flood that goes unanswered", async () => {
  let questions = 0;
  await using target = await serve(() => void questions++);
  const engine = createEngine({ location: { kind: "local", families: ["ipv4"] }, protocols });
  const control = createControl(engine, [`127.0.0.1:${target.port}`], Date.now, sleep);
  const views = { views: async () => new Map(), save: async () => true };
  const writeViews = createViewWriter({ location: "a", views, control, now: Date.now });
  const writer = writeViews(Math.floor(Date.now() / 1000), Date.now() + 9_000, async () => true);
  for (let failure = 0; failure < 100; failure++) {
    writer.doubtNetwork();
    if (failure % 2 === 0) await sleep(1);
  }
  await writer.end();
  expect(writer.isOffline()).toBe(false);
  expect(questions).toBeGreaterThanOrEqual(1);
  expect(questions).toBeLessThanOrEqual(3);
});
