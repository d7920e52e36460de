/** Keeps what is shown up to date: asks again and again, while somebody looks. */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { CallFailure, isSessionOver } from "./api.ts";

/** The present, for texts such as "3 minutes ago". */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 10_000);

/** Pauses after failed calls, so that a server in trouble is not asked by all pages at once. */
const PAUSES_MS = [5_000, 10_000, 20_000, 60_000];

const pauseMs = (failures: number, everyMs: number, failure: unknown) => {
  if (failures === 0) return everyMs;
  const asked = failure instanceof CallFailure ? (failure.retryAfterSeconds ?? 0) * 1000 : 0;
  const own = PAUSES_MS[Math.min(failures, PAUSES_MS.length) - 1]!;
  return Math.max(asked, own * (0.75 + Math.random() / 2));
};

/**
 * Calls `load` now, then every `everyMs` while the page is visible, and at once when it becomes visible again or
 * somebody logs in again.
 * @param load its failures are shown by whoever calls it, and lead to longer pauses
 */
export const usePolling = (load: (isPoll: boolean) => Promise<void>, everyMs: number, inputs: readonly unknown[]) => {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let isRunning = false;
    let hasEnded = false;
    const run = async (isPoll: boolean) => {
      if (isRunning || hasEnded) return;
      clearTimeout(timer);
      isRunning = true;
      let failure: unknown;
      try {
        await load(isPoll);
        failures = 0;
      } catch (error) {
        failure = error;
        failures++;
      }
      isRunning = false;
      now.value = Date.now();
      if (!hasEnded && !document.hidden) timer = setTimeout(() => void run(true), pauseMs(failures, everyMs, failure));
    };
    const look = () => {
      clearTimeout(timer);
      if (!document.hidden) void run(true);
    };
    document.addEventListener("visibilitychange", look);
    addEventListener("online", look);
    void run(false);
    // Once logged in again.
    const unsubscribe = isSessionOver.subscribe((isOver) => !isOver && look());
    return () => {
      hasEnded = true;
      unsubscribe();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
      removeEventListener("online", look);
    };
  }, inputs);
};

/** What `load` answers, kept up to date; `refresh` asks at once. It stays what it was while calls fail; null before the first answer. */
export const useLoaded = <Answer>(
  load: (isPoll: boolean) => Promise<Answer>,
  everyMs: number,
  inputs: readonly unknown[] = [],
) => {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [failure, fail] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  usePolling(
    async (isPoll) => {
      try {
        setAnswer(await load(isPoll));
        fail(null);
      } catch (error) {
        fail(error);
        throw error;
      }
    },
    everyMs,
    [...inputs, attempt],
  );
  return { answer, failure, fail, refresh: () => setAttempt((before) => before + 1) };
};

/** Runs what a button does, and keeps why it failed. */
export const useAction = () => {
  const [failure, setFailure] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setFailure(null);
    try {
      await work();
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return { failure, isBusy, run: (work: () => Promise<void>) => void run(work) };
};
