import { expect, test } from "vitest";
import { describeWithAddon } from "../needs-addon.ts";
import { expectAgreement, type Given, odd, random, run } from "./agreement.ts";

const ids = (shape: readonly number[], below: number, seed: number): Given => {
  const given = random(shape, seed, 0.5);
  const values = Array.from(given.values, (value) => Math.floor((value + 0.5) * below * 0.999));
  return { shape, values, dtype: "int32" };
};

describeWithAddon("kernels that move numbers", () => {
  test("Transpose agrees with tfjs's own", () => {
    for (const [shape, perm] of [
      [[], []],
      [[5], [0]],
      [
        [3, 5],
        [1, 0],
      ],
      [
        [3, 0],
        [1, 0],
      ],
      [
        [100, 70],
        [1, 0],
      ],
      [
        [33, 49],
        [1, 0],
      ],
      [
        [2, 3, 4],
        [2, 0, 1],
      ],
      [
        [2, 17, 3, 33],
        [0, 2, 3, 1],
      ],
      [
        [2, 19, 3, 8],
        [2, 0, 1, 3],
      ],
      [
        [2, 19, 3, 8],
        [2, 0, 3, 1],
      ],
      [
        [5, 18, 20],
        [2, 1, 0],
      ],
      [
        [2, 3, 1, 4, 5, 2],
        [5, 4, 2, 3, 1, 0],
      ],
      [
        [3, 200, 311],
        [0, 2, 1],
      ],
    ] as const) {
      expectAgreement("Transpose", { x: odd(shape, 1) }, { attributes: { perm } });
    }
    const x = { ...random([3, 4], 1, 9), dtype: "int32" } as const;
    expectAgreement("Transpose", { x }, { attributes: { perm: [1, 0] } });
  });

  test("Slice agrees with tfjs's own, in memory of its own", () => {
    for (const [shape, begin, size] of [
      [[7], [2], [3]],
      [[7], [0], [-1]],
      [
        [5, 6],
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [1, 0],
        [2, 6],
      ],
      [
        [5, 6],
        [1, 2],
        [0, 3],
      ],
      [
        [3, 4, 5],
        [0, 1, 2],
        [3, 2, 1],
      ],
      [
        [200, 301],
        [10, 7],
        [150, 200],
      ],
    ] as const) {
      expectAgreement("Slice", { x: odd(shape, 2) }, { attributes: { begin, size } });
    }
  });

  test("SplitV and Unpack agree with tfjs's own", () => {
    const x = odd([4, 6, 5], 3);
    for (const [numOrSizeSplits, axis] of [
      [2, 0],
      [[1, 3, 2], 1],
      [[2, -1], -1],
    ]) {
      expectAgreement("SplitV", { x }, { attributes: { numOrSizeSplits, axis } });
    }
    for (const axis of [0, 1, 2, -1]) {
      expectAgreement("Unpack", { value: x }, { attributes: { axis } });
    }
  });

  test("Concat and Pack agree with tfjs's own", () => {
    const parts = [odd([3, 2, 4], 1), odd([3, 5, 4], 2), odd([3, 0, 4], 3), odd([3, 1, 4], 4)];
    expectAgreement("Concat", parts, { attributes: { axis: 1 } });
    expectAgreement("Concat", [odd([2, 3], 1), odd([2, 4], 2)], { attributes: { axis: -1 } });
    expectAgreement("Concat", [odd([7], 1), odd([0], 2)], { attributes: { axis: 0 } });
    expectAgreement("Concat", [odd([0, 2], 1), odd([0, 2], 2)], { attributes: { axis: 0 } });
    const alike = [odd([3, 4], 1), odd([3, 4], 2), odd([3, 4], 3)];
    for (const axis of [0, 1, 2]) expectAgreement("Pack", alike, { attributes: { axis } });
    expectAgreement("Pack", alike.slice(0, 1), { attributes: { axis: 1 } });
    expectAgreement("Pack", [odd([], 1), odd([], 2)], { attributes: { axis: 0 } });
  });

  test("PadV2 and Tile agree with tfjs's own", () => {
    for (const [shape, paddings] of [
      [[3], [[1, 2]]],
      [
        [3, 4],
        [
          [0, 0],
          [2, 1],
        ],
      ],
      [
        [2, 3, 4],
        [
          [1, 0],
          [0, 2],
          [3, 1],
        ],
      ],
      [
        [0, 3],
        [
          [1, 1],
          [0, 0],
        ],
      ],
    ] as const) {
      for (const constantValue of [0, -1.5]) {
        const attributes = { paddings, constantValue };
        expectAgreement("PadV2", { x: odd(shape, 4) }, { attributes });
      }
    }
    for (const [shape, reps] of [
      [[3], [4]],
      [
        [2, 3],
        [2, 1],
      ],
      [
        [2, 3],
        [1, 3],
      ],
      [
        [2, 1, 3],
        [3, 2, 2],
      ],
      [
        [2, 3, 1, 2],
        [2, 2, 3, 3],
      ],
      [
        [2, 3],
        [2, 0],
      ],
    ] as const) {
      expectAgreement("Tile", { x: odd(shape, 5) }, { attributes: { reps } });
    }
  });

  test("Reverse and FlipLeftRight agree with tfjs's own", () => {
    for (const dims of [[0], [1], [2], [0, 2], [-1], [0, 1, 2], []]) {
      expectAgreement("Reverse", { x: odd([3, 4, 5], 6) }, { attributes: { dims } });
    }
    expectAgreement("Reverse", { x: odd([], 6) }, { attributes: { dims: [] } });
    expectAgreement("FlipLeftRight", { image: odd([2, 3, 5, 3], 7) });
  });

  test("GatherV2 agrees with tfjs's own", () => {
    for (const [shape, indices, axis, batchDims] of [
      [[7, 3], [4], 0, 0],
      [[7, 3], [2, 4], 0, 0],
      [[4, 5, 3], [6], 1, 0],
      [[4, 5, 3], [6], -1, 0],
      [[4, 5, 3], [4, 2], 1, 1],
      [[4, 5, 3], [0], 1, 0],
      [[50, 700], [80], 0, 0],
    ] as const) {
      const inputs = { x: odd(shape, 8), indices: ids(indices, 3, 9) };
      expectAgreement("GatherV2", inputs, { attributes: { axis, batchDims } });
    }
  });

  test("GatherV2 refuses an index that is not there", () => {
    const inputs = {
      x: random([3, 2], 1),
      indices: { shape: [2], values: [0, 3], dtype: "int32" } as const,
    };
    expect(() => run("native", "GatherV2", inputs, { axis: 0 })).toThrow(
      "GatherV2: the index value 3 is not in [0, 2]",
    );
  });

  test("UnsortedSegmentSum agrees with tfjs's own", () => {
    for (const [shape, numSegments] of [
      [[9], 4],
      [[9, 3], 4],
      [[60, 5, 7], 3],
      [[100, 300], 20],
    ] as const) {
      const inputs = { x: random(shape, 1), segmentIds: ids([shape[0]], numSegments, 2) };
      const attributes = { numSegments };
      expectAgreement("UnsortedSegmentSum", inputs, { attributes, tolerance: 3e-6 });
    }
    const segmentIds = { shape: [3], values: [-1, 5, 1], dtype: "int32" } as const;
    const attributes = { numSegments: 2 };
    expectAgreement("UnsortedSegmentSum", { x: random([3, 2], 1), segmentIds }, { attributes });
  });

  test("what only renames or fills agrees with tfjs's own", () => {
    const x = odd([3, 4], 1);
    expectAgreement("Identity", { x });
    expectAgreement("Reshape", { x }, { attributes: { shape: [2, -1] } });
    expectAgreement("ExpandDims", { input: x }, { attributes: { dim: -1 } });
    expectAgreement("ExpandDims", { input: x }, { attributes: { dim: 1 } });
    for (const dtype of ["float32", "int32"] as const) {
      expectAgreement("ZerosLike", { x: { ...random([5], 1), dtype } });
      expectAgreement("OnesLike", { x: { ...random([5], 1), dtype } });
      expectAgreement("Fill", {}, { attributes: { shape: [2, 3], value: 7, dtype } });
    }
  });
});
