import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/synth.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two workers on two cores: real servers and child processes need air too.
    maxWorkers: 2,
    pool: "forks",
  },
});
