import { defineConfig } from "vitest/config";

/** Their files share a process, which saves a third of their time: each import is paid once. They leave no state behind. */
const SHARING = ["test/functions/**/*.test.ts", "test/shared/**/*.test.ts"];

export default defineConfig({
  test: {
    globalSetup: ["test/support/synth.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Four workers on two cores, because the tests of the whole stack mostly wait.
    maxWorkers: 4,
    pool: "forks",
    projects: [
      { extends: true, test: { name: "units", include: SHARING, isolate: false } },
      { extends: true, test: { name: "whole", include: ["test/**/*.test.ts"], exclude: SHARING } },
    ],
  },
});
