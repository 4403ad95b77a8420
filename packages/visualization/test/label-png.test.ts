/// <reference types="node" />

import { readFileSync } from "node:fs";
import { decodeLabelPng, encodeLabelPng } from "@dino/visualization";
import fc from "fast-check";
import { decode } from "fast-png";
import { expect, test } from "vitest";

/** What `reference/label-files.py` makes. */
const files: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(new URL("./reference/label-files.json", import.meta.url), "utf8"),
);
const bytesOf = (name: string) => new Uint8Array(Buffer.from(files[name] as string, "base64"));
const numbers = (value: (i: number) => number) =>
  Uint8Array.from({ length: 13 * 7 }, (_, i) => value(i));

test.each([
  ["palette8", 256],
  ["palette4", 16],
  ["palette2", 4],
  ["palette1", 2],
])("reads the numbers of %s as Pillow wrote them", (name, colors) => {
  const data = numbers((i) => i % colors);
  expect(decodeLabelPng(bytesOf(name))).toEqual({ width: 13, height: 7, data });
});

test("takes greys for numbers", () => {
  expect(decodeLabelPng(bytesOf("grey")).data).toEqual(numbers((i) => 2 * i));
});

test("writes what it reads, in DAVIS's colours", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.uint8Array({ minLength: 1 }), (height, row) => {
      const data = Uint8Array.from(
        { length: row.length * height },
        (_, i) => row[i % row.length] ?? 0,
      );
      const labels = { width: row.length, height, data };
      expect(decodeLabelPng(encodeLabelPng(labels))).toEqual(labels);
    }),
  );
  const { palette = [] } = decode(encodeLabelPng({ width: 1, height: 1, data: Uint8Array.of(1) }));
  expect(palette).toHaveLength(256);
  expect([1, 2, 9, 21, 22, 255].map((label) => palette[label])).toEqual([
    [128, 0, 0],
    [0, 128, 0],
    [191, 0, 0],
    [128, 64, 128],
    [22, 22, 22],
    [255, 255, 255],
  ]);
});

test("gives numbers or a sentence for damaged files", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(files)),
      fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 4 }),
      fc.nat(2000),
      (name, changes, length) => {
        const bytes = bytesOf(name).slice(0, length % 3 === 0 ? length : undefined);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          const { width, height, data } = decodeLabelPng(bytes, "mask");
          expect(data).toHaveLength(width * height);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          expect((error as RangeError).message).toMatch(/^mask: expected .*, got /s);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test.each<[string, () => unknown, string | RegExp]>([
  [
    "colours",
    () => decodeLabelPng(bytesOf("rgb"), "a.png"),
    "a.png: expected a PNG with a palette or of 8-bit greys, whose numbers are objects, got 3 channels of 8 bits",
  ],
  [
    "another file",
    () => decodeLabelPng(new TextEncoder().encode("no picture")),
    "labels: expected a PNG file, got other bytes",
  ],
  [
    "half a file",
    () => decodeLabelPng(bytesOf("grey").subarray(0, 60)),
    /^labels: expected a whole PNG file, got one that is not/,
  ],
  [
    "pixels without a number",
    () => encodeLabelPng({ width: 2, height: 2, data: new Uint8Array(3) }),
    "labels: expected 2 x 2 = 4 numbers, got 3",
  ],
])("says what is wrong with %s", (_, run, message) => {
  expect(run).toThrow(message);
});
