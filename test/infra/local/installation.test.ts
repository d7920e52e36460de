import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { installationIn } from "../../../infra/local/installation.ts";
import { installationName } from "../../../infra/names.ts";
import { parseSettings } from "../../../infra/settings.ts";
import { sweepProof } from "../../../shared/engine/sweep-permission.ts";

test("two data folders are two installations, whose DNS records differ; one stays the same", async () => {
  const folders = await Promise.all(["a", "b"].map((name) => mkdtemp(join(tmpdir(), `installation-${name}-`))));
  const proofOf = (folder: string) => {
    const settings = parseSettings({ local: true, installation: installationIn(folder) }, "us-east-1");
    return sweepProof(installationName(settings), "shop.example.com");
  };
  const [a, b] = folders.map(proofOf);
  expect(a).not.toBe(b);
  expect(proofOf(folders[0]!)).toBe(a);
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});
