/** Property tests: any record data and any expected text gives a text or a `ProbeFailure`, and quickly. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProbeFailure } from "../../../shared/contract/protocol.ts";
import { Cursor } from "../../../shared/wire/cursor.ts";
import { dataKey, labelsOf, plainText, readData, TYPES, type TypeName } from "../../../shared/wire/dns-records.ts";

const type = fc.constantFrom(...(Object.keys(TYPES) as TypeName[]));
/** Bytes that look like names, lengths and pointers more often than random ones. */
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.string({ maxLength: 20 }).map((text) => Uint8Array.from([text.length, ...Buffer.from(text, "latin1")])),
      fc.constantFrom(Uint8Array.of(0), Uint8Array.of(0xc0, 0), Uint8Array.of(0, 1), Uint8Array.of(0xff, 0xff)),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts));
/** Text with many characters that are special in master files. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom('"', "\\", " ", ".", "=", ",", "\\0", "\\255", "\\999", "a", "ü"),
      fc.string({ maxLength: 5 }),
    ),
    {
      maxLength: 40,
    },
  )
  .map((parts) => parts.join(""));

test("record data is read or refused, and its text equals itself", () => {
  fc.assert(
    fc.property(type, bytes, (name, data) => {
      let dig: string;
      try {
        dig = readData(TYPES[name], new Cursor(data, "DNS answer"));
      } catch (error) {
        expect(error).toBeInstanceOf(ProbeFailure);
        return;
      }
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(dig).not.toMatch(/[\x00-\x1f\x7f-\uffff]/);
      expect(dataKey(name, dig)).toBe(dataKey(name, dig.replaceAll(/ (?=[^"]*$)/g, "  ")));
      expect(typeof plainText(name, dig)).toBe("string");
    }),
    { numRuns: 5_000 },
  );
});

test("a TXT record equals only its own text, with and without quotes", () => {
  const string = fc.uint8Array({ maxLength: 255 }).map((one) => Buffer.from(one));
  fc.assert(
    fc.property(fc.array(string, { minLength: 1, maxLength: 3 }), (strings) => {
      const data = Buffer.concat(strings.map((one) => Buffer.concat([Buffer.of(one.length), one])));
      const key = dataKey("TXT", readData(TYPES.TXT, new Cursor(data, "DNS answer")));
      expect(key).toBe(Buffer.concat(strings).toString("latin1"));
    }),
  );
});

test("any expected text can be compared, and any name is accepted or refused", () => {
  fc.assert(
    fc.property(type, text, (name, written) => {
      expect(typeof dataKey(name, written)).toBe("string");
      for (const label of labelsOf(written) ?? []) expect(label.length).toBeLessThanOrEqual(63);
    }),
    { numRuns: 5_000 },
  );
});

test.each(['"'.repeat(2048), "\\".repeat(2047), 'a"'.repeat(1024), "a.".repeat(1024), `${"\\0".repeat(1000)}x`])(
  "hostile text takes no time: %#",
  (written) => {
    const startedAt = performance.now();
    for (const name of Object.keys(TYPES) as TypeName[]) dataKey(name, written);
    labelsOf(written);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  },
);
