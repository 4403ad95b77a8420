import { expectClose, expectValues, onEveryBackend } from "@dino/testing";
import { type PatchTokens, patchPca, patchTokens, pcaColors } from "@dino/visualization";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { pixel } from "./pictures.ts";

/** `sin(0.13 i^2 + 0.9 i + s)`, as the published figures are made of. */
const made = (length: number, s: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(0.13 * i * i + 0.9 * i + s));

const grid = { rows: 3, columns: 4, patchSize: 2 };
const four: PatchTokens = { ...grid, dim: 4, values: made(48, 1) };

/** Rows of `dim` less their mean, in float64. */
function centered(values: ArrayLike<number>, dim: number): number[][] {
  const rows = Array.from({ length: values.length / dim }, (_, i) =>
    Array.from({ length: dim }, (_, j) => values[i * dim + j] as number),
  );
  const mean = Array.from({ length: dim }, (_, j) => {
    return rows.reduce((sum, row) => sum + (row[j] as number), 0) / rows.length;
  });
  return rows.map((row) => row.map((value, j) => value - (mean[j] as number)));
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * (b[i] as number), 0);

onEveryBackend(() => {
  test("finds the variances that the reference's PCA finds", async () => {
    const { explained } = await patchPca([four]);
    const eigenvalues = [0.582092565, 0.4845435021, 0.3877256533];
    const total = centered(four.values, 4).reduce((sum, row) => sum + dot(row, row), 0) / 12;
    expectValues(
      explained,
      eigenvalues.map((value) => value / total),
    );
  });

  test("gives scores that do not vary together, and as much variance as it says", async () => {
    const dim = 24;
    const tokens = [0, 1].map((s) => ({ ...grid, dim, values: made(12 * dim, 3 + s) }));
    const values = [...(tokens[0]?.values ?? []), ...(tokens[1]?.values ?? [])];
    const { pictures, explained } = await patchPca(tokens);
    const scores = [0, 1, 2].map((i) => pictures.flatMap(({ maps }) => [...(maps[i] ?? [])]));
    const rows = centered(values, dim);
    const total = rows.reduce((sum, row) => sum + dot(row, row), 0);
    for (const [i, score] of scores.entries()) {
      expect(Math.abs(score.reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-4);
      expect(dot(score, score) / total).toBeCloseTo(explained[i] as number, 5);
      // A principal component is an eigenvector: X^T X v is v times the sum of its squared scores.
      const image =
        rows[0]?.map((_, j) =>
          dot(
            score,
            rows.map((row) => row[j] as number),
          ),
        ) ?? [];
      const length = Math.sqrt(dot(image, image));
      expectValues(
        rows.map((row) => dot(row, image) / length),
        score,
        1e-4,
      );
      for (const other of scores.slice(i + 1)) {
        expect(Math.abs(dot(score, other)) / total).toBeLessThan(1e-5);
      }
    }
    expect(explained).toEqual([...explained].sort((a, b) => b - a));
  });

  test("takes the end that is looked at for the foreground, and shows it alone", async () => {
    const things = new Set([1, 2, 5, 6, 7]);
    const dim = 6;
    const values = made(12 * dim, 2).map((value, i) => {
      const isThing = things.has(Math.floor(i / dim));
      return 0.1 * value + (i % dim === 2 && isThing ? 3 : 0);
    });
    const tokens = { ...grid, dim, values };
    for (const sign of [1, -1]) {
      const attention = Float32Array.from({ length: 12 }, (_, i) => (things.has(i) ? sign : 0));
      const { pictures } = await patchPca([tokens], { foreground: 0.5, attention: [attention] });
      const [picture] = pictures;
      const found = Array.from(picture?.mask ?? [], (shown) => shown === 1);
      expect(found).toEqual(found.map((_, i) => things.has(i) === (sign === 1)));
      for (const map of picture?.maps ?? []) {
        expect(map.every((value, i) => found[i] || value === 0)).toBe(true);
        expect(map.some((value) => value !== 0)).toBe(true);
      }
    }
  });

  test("reads the patches' tokens, and leaves no tensors behind", async () => {
    const values = made(7 * 3, 4);
    const tensor = tf.tensor3d(values, [1, 7, 3]);
    const before = tf.memory().numTensors;
    const tokens = await patchTokens(tensor, { width: 13, height: 9 }, { patchSize: 4 });
    expect(tokens).toEqual({ rows: 2, columns: 3, patchSize: 4, dim: 3, values: values.slice(3) });
    await patchPca([tokens], { foreground: 0.1 });
    await expect(patchPca([tokens], { foreground: 0.99 })).rejects.toThrow("foreground");
    expect(tf.memory().numTensors).toBe(before);
    expectClose(tensor, values, 0);
    tensor.dispose();
  });
});

test("is the same every time", async () => {
  expect(await patchPca([four])).toEqual(await patchPca([four]));
});

test("finds nothing where there is no variance", async () => {
  const { pictures, explained } = await patchPca([
    { ...four, values: new Float32Array(48).fill(2) },
  ]);
  expect(explained).toEqual([0, 0, 0]);
  expect(pictures[0]?.maps).toEqual(Array.from({ length: 3 }, () => new Float32Array(12)));
});

test("colours what is alike the same in every picture, and the background as asked", () => {
  const [a, b] = [0, 1].map((i) => ({
    rows: 1,
    columns: 2,
    patchSize: 2,
    mask: Uint8Array.of(1, i),
    maps: [Float32Array.of(i, 3), Float32Array.of(2 * i, 2), Float32Array.of(-1, 1)],
  }));
  if (!a || !b) throw new Error("expected two pictures");
  const [first, second] = pcaColors({ pictures: [a, b], explained: [] }, { background: [9, 8, 7] });
  if (!first || !second) throw new Error("expected two pictures");
  expect([first.width, first.height]).toEqual([4, 2]);
  expect(pixel(first, 0, 0)).toEqual([0, 0, 0]);
  expect(pixel(first, 3, 1)).toEqual([9, 8, 7]);
  expect(pixel(second, 1, 1)).toEqual([85, 255, 0]);
  expect(pixel(second, 2, 0)).toEqual([255, 255, 255]);
});

test("says what does not fit together", async () => {
  await expect(patchPca([])).rejects.toThrow("pictures: expected one or more, got none");
  await expect(patchPca([four, { ...four, rows: 2 }])).rejects.toThrow(
    "pictures[1]: expected 2 x 4 tokens of 4 values, got 48 values",
  );
  await expect(patchPca([four, { ...four, dim: 3, values: made(36, 0) }])).rejects.toThrow(
    "pictures[1]: expected tokens of 4 values, got 3",
  );
  await expect(patchPca([{ ...four, rows: 1, columns: 3, values: made(12, 0) }])).rejects.toThrow(
    "pictures: expected at least 4 patches, got 3",
  );
  await expect(patchPca([{ ...four, dim: 2, values: made(24, 0) }])).rejects.toThrow(
    "pictures[0]: expected tokens of 3 values or more, got 2",
  );
  await expect(patchPca([four], { foreground: 1 })).rejects.toThrow(
    "foreground: expected [0, 1), got 1",
  );
  await expect(patchPca([four], { attention: [] })).rejects.toThrow(
    "attention: expected 1 maps, one a picture, got 0",
  );
  await expect(patchPca([four], { attention: [[1]] })).rejects.toThrow(
    "attention[0]: expected 3 x 4 = 12 patches, got 1",
  );
  const tokens = tf.zeros<tf.Rank.R3>([1, 7, 3]);
  await expect(patchTokens(tokens, { width: 8, height: 8 }, { patchSize: 4 })).rejects.toThrow(
    "tokens: expected shape [1, 5, *], got [1, 7, 3]",
  );
  tokens.dispose();
});
