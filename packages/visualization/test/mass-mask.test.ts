import { decode, expectValues, type GoldenArray, golden } from "@dino/testing";
import { massMask, upsample } from "@dino/visualization";
import fc from "fast-check";
import { expect, test } from "vitest";

interface AttentionGolden {
  readonly threshold: number;
  readonly cls_attention: GoldenArray;
  readonly mask: GoldenArray;
  readonly [upsampled: `upsampled_nearest_${number}`]: GoldenArray;
}

const attention = golden<AttentionGolden>("attention");
const [heads, rows, columns] = attention.mask.shape as [number, number, number];
const values = decode(attention.cls_attention);
const map = (head: number) => values.slice(head * rows * columns, (head + 1) * rows * columns);
const everyHead = Array.from({ length: heads }, (_, head) => head);

test("keeps the patches that the reference keeps", () => {
  const masks = everyHead.flatMap((head) => [...massMask(map(head), attention.threshold)]);
  expect(masks).toEqual([...decode(attention.mask)]);
});

test("enlarges maps as the reference does", () => {
  const name = Object.keys(attention).find((key) => key.startsWith("upsampled_nearest_"));
  const patchSize = Number(name?.split("_").at(-1));
  const expected = decode(attention[`upsampled_nearest_${patchSize}`] as GoldenArray);
  const maps = everyHead.flatMap((head) => [...upsample(map(head), { rows, columns, patchSize })]);
  expectValues(maps, expected, 0);
});

test("keeps the fewest patches that hold the mass, and the strongest", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(weights, fc.double({ min: 0.01, max: 1, noNaN: true }), (weights, keep) => {
      const mask = massMask(weights, keep);
      const inside = weights.filter((_, i) => mask[i] === 1);
      const outside = weights.filter((_, i) => mask[i] === 0);
      const total = weights.reduce((a, b) => a + b);
      const held = inside.reduce((a, b) => a + b, 0);
      const rounding = 1e-5 * total;
      expect(held).toBeGreaterThanOrEqual(keep * total - rounding);
      expect(held - Math.min(...inside)).toBeLessThanOrEqual(keep * total + rounding);
      expect(Math.min(...inside)).toBeGreaterThanOrEqual(Math.max(0, ...outside));
    }),
  );
});

test("says what share can be kept", () => {
  expect(() => massMask([1, 2], 0)).toThrow("keep: expected (0, 1], got 0");
  expect(() => massMask([1, 2], 60)).toThrow("keep: expected (0, 1], got 60");
});

test("says how many patches a map has", () => {
  expect(() => upsample([1, 2, 3], { rows: 2, columns: 2, patchSize: 8 })).toThrow(
    "map: expected 2 x 2 = 4 patches, got 3",
  );
  expect(() => upsample([1], { rows: 1, columns: 1, patchSize: 0 })).toThrow(
    "patchSize: expected an integer of 1 and more, got 0",
  );
});
