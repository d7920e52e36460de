import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createControl } from "../../../functions/probe/control.ts";
import { createViewWriter } from "../../../functions/probe/view-writer.ts";
import { createEngine } from "../../../shared/engine/run.ts";
import { serve } from "../../support/servers.ts";

test("a hundred failures within a moment are one question to the control targets, not a flood that goes unanswered", async () => {
  let questions = 0;
  await using target = await serve(() => void questions++);
  const engine = createEngine({ location: { kind: "local", families: ["ipv4"] } });
  const control = createControl(engine, [`127.0.0.1:${target.port}`], Date.now);
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
