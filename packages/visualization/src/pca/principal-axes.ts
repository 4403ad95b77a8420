import { symmetricEigen } from "./symmetric-eigen.ts";

/** A direction of length 1 and the variance along it; both 0 where no variance is left. */
export interface Axis {
  readonly direction: Float64Array;
  readonly variance: number;
}

/** Directions beside those that are asked for: with them these converge in fewer rounds. */
const spare = 5;

const maxRounds = 300;

/** The covariance itself is no more exact than this. */
const tolerance = 1e-8;

/**
 * The `count` eigenvectors of a covariance `[dim, dim]` with the largest eigenvalues, largest
 * first, each with its largest entry positive. By subspace iteration: a few directions are
 * multiplied by the matrix again and again, and within what they span the eigenvectors are exact
 * (Rayleigh and Ritz). Decomposing all of the matrix takes seconds where it is 768 wide.
 */
export function principalAxes(
  covariance: ArrayLike<number>,
  dim: number,
  count: number,
): readonly Axis[] {
  let basis = orthonormal(beginning(Math.min(dim, count + spare), dim));
  for (let round = 1; ; round++) {
    const images = basis.map((direction) => multiply(covariance, direction));
    const within = basis.map((direction) => Float64Array.from(images, (to) => dot(direction, to)));
    const { values, vectors } = symmetricEigen(within);
    const directions = vectors.map((weights) => combine(basis, weights));
    const turned = vectors.map((weights) => combine(images, weights));

    const off = directions.slice(0, count).map((direction, i) => {
      const value = values[i] as number;
      return distance(turned[i] as Float64Array, direction, value);
    });
    if (Math.max(...off) <= tolerance * (values[0] as number) || round === maxRounds) {
      return directions.slice(0, count).map((direction, i) => ({
        direction: upright(direction),
        variance: Math.max(0, values[i] as number),
      }));
    }
    basis = orthonormal(turned);
  }
}

/** Directions without any order in them, the same ones each time. */
function beginning(count: number, dim: number): readonly Float64Array[] {
  return Array.from({ length: count }, (_, i) =>
    Float64Array.from({ length: dim }, (_, j) => Math.sin((i + 1) * (j + 1) ** 2)),
  );
}

/** Gram and Schmidt, twice for what rounding leaves. A column that depends on others becomes 0. */
function orthonormal(columns: readonly Float64Array[]): readonly Float64Array[] {
  const done: Float64Array[] = [];
  for (const column of columns) {
    const before = Math.sqrt(dot(column, column));
    let rest = column;
    for (let pass = 0; pass < 2; pass++) {
      for (const other of done) rest = subtract(rest, other, dot(rest, other));
    }
    const length = Math.sqrt(dot(rest, rest));
    const scale = length > 1e-12 * before ? 1 / length : 0;
    done.push(rest.map((value) => value * scale));
  }
  return done;
}

/** The direction with its largest entry positive: else its sign would be left to chance. */
function upright(direction: Float64Array): Float64Array {
  const largest = direction.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
  return largest < 0 ? direction.map((value) => -value) : direction;
}

function multiply(matrix: ArrayLike<number>, vector: Float64Array): Float64Array {
  const dim = vector.length;
  const product = new Float64Array(dim);
  for (let i = 0; i < dim; i++) {
    let sum = 0;
    for (let j = 0; j < dim; j++) sum += (matrix[i * dim + j] as number) * (vector[j] as number);
    product[i] = sum;
  }
  return product;
}

function combine(columns: readonly Float64Array[], weights: Float64Array): Float64Array {
  const [first] = columns as readonly [Float64Array];
  return columns.reduce(
    (sum, column, i) => subtract(sum, column, -(weights[i] as number)),
    new Float64Array(first.length),
  );
}

function subtract(a: Float64Array, b: Float64Array, share: number): Float64Array {
  return a.map((value, i) => value - share * (b[i] as number));
}

function distance(a: Float64Array, b: Float64Array, share: number): number {
  const rest = subtract(a, b, share);
  return Math.sqrt(dot(rest, rest));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
