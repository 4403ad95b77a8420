import { attentionJaccard, type PatchMask } from "@dino/evaluation";
import fc from "fast-check";
import { expect, test } from "vitest";

const truth = {
  width: 4,
  height: 4,
  data: Uint8Array.of(0, 0, 5, 5, 0, 0, 5, 5, 0, 0, 255, 0, 7, 0, 0, 0),
};
const mask = (...data: number[]): PatchMask => ({ rows: 2, columns: 2, data });

test("is the pixels of both over those of either, at the segmentation's size", () => {
  const { each, best } = attentionJaccard(
    [mask(0, 1, 0, 0), mask(0, 1, 1, 1), mask(1, 0, 0, 0)],
    truth,
  );
  expect(each).toEqual([4 / 5, 5 / 11, 0]);
  expect(best).toBe(4 / 5);
});

test("leaves out the label that is asked for", () => {
  expect(attentionJaccard([mask(0, 1, 0, 1)], truth).best).toBe(4 / 8);
  expect(attentionJaccard([mask(0, 1, 0, 1)], truth, { ignore: 7 }).best).toBe(5 / 8);
  expect(attentionJaccard([mask(0, 1, 0, 1)], truth, { ignore: -1 }).best).toBe(5 / 9);
});

test("counts what no patch covers as not kept", () => {
  const all = { ...mask(1, 1, 1, 1), extent: { rows: 2, columns: 2.9 } };
  const full = { width: 29, height: 20, data: new Uint8Array(29 * 20).fill(1) };
  expect(attentionJaccard([all], full).best).toBe(20 / 29);
});

test("agrees with sets of pixels", () => {
  const bits = (length: number) =>
    fc.array(fc.integer({ min: 0, max: 1 }), { minLength: length, maxLength: length });
  fc.assert(
    fc.property(bits(6), bits(24), (patches, labels) => {
      const inside = new Set<number>();
      labels.forEach((_, pixel) => {
        const [y, x] = [Math.floor(pixel / 6), pixel % 6];
        if (patches[Math.floor(y / 2) * 3 + Math.floor(x / 2)]) inside.add(pixel);
      });
      const objects = new Set(labels.flatMap((label, pixel) => (label ? [pixel] : [])));
      const both = [...inside].filter((pixel) => objects.has(pixel)).length;
      const either = new Set([...inside, ...objects]).size;
      const { best } = attentionJaccard([{ rows: 2, columns: 3, data: patches }], {
        width: 6,
        height: 4,
        data: Uint8Array.from(labels),
      });
      expect(best).toBe(either === 0 ? 1 : both / either);
    }),
  );
});

test("says what does not fit", () => {
  expect(() => attentionJaccard([], truth)).toThrow("masks: expected one or more, got none");
  expect(() => attentionJaccard([mask(1)], truth)).toThrow(
    "masks[0]: expected 2 x 2 = 4 patches, got 1",
  );
  expect(() =>
    attentionJaccard([{ ...mask(1, 0, 0, 0), extent: { rows: 1, columns: 3 } }], truth),
  ).toThrow("masks[0]: expected an extent of at least 2 x 2 patches, got 1 x 3");
  expect(() => attentionJaccard([mask(1, 0, 0, 0)], { ...truth, width: 5 })).toThrow(
    "truth: expected 5 x 4 labels, got 16",
  );
});
