/** Every scenario that was written by hand, as a test. */
import { expect, test } from "vitest";
import { loadDeployment } from "../runner.ts";
import { simulate } from "../world.ts";
import { faultsOf, NAMED } from "./index.ts";

const deployment = await loadDeployment();

test.each(NAMED)("$name", { timeout: 120_000 }, async (named) => {
  expect(await faultsOf(named, await simulate(named.scenario, { deployment }))).toEqual([]);
});
