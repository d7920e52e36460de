/** Settings that a protocol has to refuse, each with the path of the field that is wrong; and its example, which works. */
import { expect, test } from "vitest";
import type { Protocol } from "../../shared/contract/protocol.ts";
import { InvalidInput } from "../../shared/errors.ts";

export function refuses(protocol: Protocol, rows: readonly (readonly [settings: unknown, path: string])[]): void {
  test("takes its own example", () => {
    expect(() => protocol.prepare(protocol.example.settings)).not.toThrow();
    expect(protocol.defaultPort ?? protocol.example.port).toBeGreaterThan(0);
  });

  test.each(rows)("refuses %j naming %s", (settings, path) => {
    let refused: unknown;
    try {
      protocol.prepare(settings);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(InvalidInput);
    expect((refused as InvalidInput).errors.map((error) => error.path)).toContain(path);
  });
}
