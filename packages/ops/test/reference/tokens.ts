import type { Segment } from "@dino/ops";
import { sequences } from "./attention.ts";
import { at, linear, type Values } from "./linear.ts";

interface Picture {
  readonly pictures: number;
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
  readonly patch: number;
}

/** Class token, then patches row by row; positions added. The kernel is in PyTorch's order. */
export function patchEmbed(
  images: Values,
  { weight, bias, classToken, positions }: Readonly<Record<string, Values>>,
  { pictures, rows, columns, channels, patch }: Picture,
): Values {
  const y: number[] = [];
  const dim = (bias as Values).length;
  for (let picture = 0; picture < pictures; picture++) {
    y.push(...(classToken as Values).map((value, i) => value + at(positions as Values, i)));
    let token = 1;
    for (let top = 0; top + patch <= rows; top += patch) {
      for (let left = 0; left + patch <= columns; left += patch, token++) {
        const pixels: number[] = [];
        for (let channel = 0; channel < channels; channel++) {
          for (let i = 0; i < patch * patch; i++) {
            const row = top + Math.floor(i / patch);
            const column = left + (i % patch);
            pixels.push(
              at(images, ((picture * rows + row) * columns + column) * channels + channel),
            );
          }
        }
        const embedded = linear(Float64Array.from(pixels), weight as Values, bias, pixels.length);
        y.push(...embedded.map((value, i) => value + at(positions as Values, token * dim + i)));
      }
    }
  }
  return Float64Array.from(y);
}

/** The first row of each sequence. */
export function classTokens(x: Values, dim: number, segments: readonly Segment[]): Values {
  return Float64Array.from(
    sequences(segments).flatMap(({ first }) => [...x.subarray(first * dim, (first + 1) * dim)]),
  );
}

/** `matrix` `[m, n]` times `x` `[n, dim]`. */
export function product(matrix: ArrayLike<number>, x: Values, n: number): Values {
  const m = matrix.length / n;
  const dim = x.length / n;
  const y = new Float64Array(m * dim);
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < dim; column++) {
      for (let i = 0; i < n; i++) {
        y[row * dim + column] =
          at(y, row * dim + column) + at(matrix, row * n + i) * at(x, i * dim + column);
      }
    }
  }
  return y;
}
