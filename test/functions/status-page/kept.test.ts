import { expect, test } from "vitest";
import { createKept } from "../../../functions/status-page/kept.ts";

test("what was made is good for a while, is made once for a crowd, and is given out again while nothing new can be made", async () => {
  let [now, count, isBroken] = [0, 0, false];
  const kept = createKept<number>(1_000, () => new Date(now));
  const make = async () => {
    if (isBroken) throw new Error("the table does not answer");
    return ++count;
  };
  expect(await Promise.all([kept("a", make), kept("a", make)])).toEqual([1, 1]);
  now = 999;
  expect(await kept("a", make)).toBe(1);
  expect(await kept("b", make)).toBe(2);
  now = 1_000;
  expect(await kept("a", make)).toBe(3);
  now = 5_000;
  isBroken = true;
  for (let n = 0; n < 3; n++) expect(await kept("a", make)).toBe(3);
  await expect(kept("c", make)).rejects.toThrow("does not answer");
  isBroken = false;
  expect(await kept("a", make)).toBe(4);
  expect(await kept("c", make)).toBe(5);
});
