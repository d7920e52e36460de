/** Routes that check at once: a monitor, or settings before they are saved. The outcomes are not stored. */
import { z } from "zod";
import { InvalidInput } from "../../../../shared/errors.ts";
import type { MonitorSettings } from "../../../../shared/model.ts";
import { checkAt, checkSettingsOf } from "../../../../shared/monitor/settings.ts";
import { isSweep } from "../../../../shared/protocols/sweeps.ts";
import type { Token } from "../../../../shared/store/tokens.ts";
import type { Deps } from "../../deps.ts";
import { Problem } from "../../http/problem.ts";
import { outcomes } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { checkInput } from "../../http/schemas.ts";
import { readMonitorSettings } from "../settings.ts";
import { existing, startSweep } from "../write.ts";

/** Timeout for all locations together; they run concurrently. */
const TOTAL_MS = 20_000;
/** Shorter than `TOTAL_MS`, so that a cold probe has time to start and to answer. */
const MAX_TIMEOUT_MS = 15_000;
const PER_MINUTE = 60;

export const spend = async ({ tokens, now }: Deps, token: Token | null) => {
  const at = now();
  if (token && (await tokens.spend(token.id, PER_MINUTE, at))) return;
  throw new Problem("too-many-requests", `a token may ask for ${PER_MINUTE} checks a minute`, {
    "retry-after": String(60 - Math.floor((at.getTime() / 1000) % 60)),
  });
};

const checkNow = async ({ probes }: Deps, settings: MonitorSettings) => {
  const signal = AbortSignal.timeout(TOTAL_MS);
  const check = {
    ...checkSettingsOf(settings),
    timeoutMs: Math.min(settings.timeoutMs, MAX_TIMEOUT_MS),
    retries: { count: 0, delayMs: 0 },
  };
  const found = await Promise.all(
    settings.locations.map(async (location) => {
      try {
        const { stalled: _flag, ...outcome } = await probes.check(location, checkAt(location, check), signal);
        return { location, ...outcome };
      } catch (error) {
        const isLate = signal.aborted;
        return { location, error: isLate ? `no answer within ${TOTAL_MS / 1000} s` : (error as Error).message };
      }
    }),
  );
  return { body: { outcomes: found } };
};

const about = {
  scope: "deploy",
  responses: { 200: { description: "What each location saw, or why it saw nothing.", schema: outcomes } },
} as const;
const description = `From all its locations, 20 s in all, one attempt of at most ${MAX_TIMEOUT_MS / 1000} s; ${PER_MINUTE} a minute per token. History and status stay as they are.`;

const sweepStarted = z
  .object({
    tick: z
      .int()
      .meta({ description: "Names the sweep: `GET /v1/monitors/{id}/sweeps/{tick}`.", example: 1_795_809_600 }),
  })
  .meta({ id: "SweepStarted", description: "A sweep that was asked for." });

const checkMonitor = route({
  ...about,
  responses: {
    ...about.responses,
    202: {
      description: "Monitors that sweep ports: a sweep begins, or is under way, and will change what the monitor says.",
      schema: sweepStarted,
    },
  },
  problems: ["paused"],
  method: "POST",
  path: "/v1/monitors/{id}/check",
  operationId: "checkMonitor",
  summary: "Check a monitor now",
  description,
  handle: async ({ params, token, record }, deps) => {
    await record([]);
    const monitor = await existing(deps, params.id ?? "");
    if (isSweep(monitor) && monitor.paused) throw new Problem("paused", "it is paused: resume it first");
    await spend(deps, token);
    return isSweep(monitor)
      ? { status: 202, body: { tick: await startSweep(deps, monitor) } }
      : checkNow(deps, monitor);
  },
});

const trySettings = route({
  ...about,
  method: "POST",
  path: "/v1/checks",
  operationId: "testSettings",
  summary: "Try settings before saving them",
  description: `Takes what \`POST /v1/monitors\` takes; the name may be missing. ${description}`,
  body: checkInput,
  checksBody: true,
  handle: async ({ body, token, record }, deps) => {
    await record([]);
    const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
    const settings = readMonitorSettings(isObject ? { name: "unsaved", ...body } : body, deps.locations);
    if (isSweep(settings))
      throw new InvalidInput([{ path: "protocol", message: "cannot be tried: a sweep takes minutes, and is kept" }]);
    await spend(deps, token);
    return checkNow(deps, settings);
  },
});

export const checks: readonly Route[] = [checkMonitor, trySettings];
