import fc from "fast-check";
import { expect, test } from "vitest";
import { readView } from "../src/read-view.ts";

/** A storage of any length, in which element i is i, and the lengths that were asked for. */
function counting(elements: number) {
  const lengths: number[] = [];
  const read = async (offset: number, length: number) => {
    lengths.push(length);
    const first = offset / 4;
    return new Uint8Array(Int32Array.from({ length: length / 4 }, (_, i) => first + i).buffer);
  };
  return { lengths, source: { size: elements * 4, read } };
}

test("reads of a column in a large storage little else", async () => {
  const [rows, columns] = [4000, 3000];
  const { lengths, source } = counting(rows * columns); // 48 MB
  const view = { dtype: "I32", shape: [rows], strides: [columns], start: 4 * 7 } as const;
  const column = await readView(source, view);
  expect(column).toEqual(Int32Array.from({ length: rows }, (_, i) => i * columns + 7));
  expect(lengths.reduce((a, b) => a + b)).toBeLessThan(rows * 2 ** 15);
  expect(lengths.length).toBeLessThan(rows);
});

test("reads every other column in pieces of 16 MB", async () => {
  const [rows, columns] = [3000, 1000];
  const { lengths, source } = counting(rows * columns * 2); // 24 MB
  const view = {
    dtype: "I32",
    shape: [rows, columns],
    strides: [2 * columns, 2],
    start: 0,
  } as const;
  const half = await readView(source, view);
  expect([half[1], half[columns], half[rows * columns - 1]]).toEqual([2, 2000, 5_999_998]);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(2 ** 24);
  expect(lengths).toHaveLength(2);
});

test("reads a transposed storage that is larger than a piece", async () => {
  const [rows, columns] = [2500, 2000];
  const { lengths, source } = counting(rows * columns); // 20 MB
  const view = { dtype: "I32", shape: [columns, rows], strides: [1, columns], start: 0 } as const;
  const transposed = await readView(source, view);
  expect(transposed).toHaveLength(rows * columns);
  for (const [i, j] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [columns - 1, rows - 1],
    [1234, 1777],
  ] as const) {
    expect(transposed[i * rows + j]).toBe(j * columns + i);
  }
  expect(Math.max(...lengths)).toBeLessThanOrEqual(2 ** 24);
});

test("reads two elements however far apart they lie", async () => {
  const { lengths, source } = counting(2 ** 34);
  const view = { dtype: "I32", shape: [2], strides: [2 ** 30], start: 0 } as const;
  expect(await readView(source, view)).toEqual(Int32Array.of(0, 2 ** 30));
  expect(lengths).toEqual([4, 4]);
});

test("reads any view as its strides say", async () => {
  const axis = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 20 }));
  await fc.assert(
    fc.asyncProperty(fc.array(axis, { maxLength: 4 }), fc.nat(9), async (axes, offset) => {
      const shape = axes.map(([size]) => size);
      const strides = axes.map(([, stride]) => stride);
      const { source } = counting(1000);
      const view = { dtype: "I32", shape, strides, start: 4 * offset } as const;
      let expected = [offset];
      for (const [size, stride] of axes) {
        expected = expected.flatMap((at) =>
          Array.from({ length: size }, (_, i) => at + i * stride),
        );
      }
      expect([...(await readView(source, view))]).toEqual(expected);
    }),
  );
});
