import { fma, loadPart, storePart, wholeBytes } from "./vector.ts";

/** Rows whose sum is taken by itself before it joins the others': it loses less that way. */
const together: i32 = 64;

/** `y = x + y`. */
export function add(x: usize, y: usize, count: i32): void {
  const end = x + wholeBytes(count);
  while (x < end) {
    v128.store(y, f32x4.add(v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
  }
  storePart(y, f32x4.add(loadPart(x, count & 3), loadPart(y, count & 3)), count & 3);
}

/** `y = x * y`. */
export function multiply(x: usize, y: usize, count: i32): void {
  const end = x + wholeBytes(count);
  while (x < end) {
    v128.store(y, f32x4.mul(v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
  }
  storePart(y, f32x4.mul(loadPart(x, count & 3), loadPart(y, count & 3)), count & 3);
}

/** Every run of `count` values of `x` times its factor, into `y`, which may be `x`. */
export function scaleRuns(x: usize, factors: usize, runs: i32, count: i32, y: usize): void {
  for (let run = 0; run < runs; run++) {
    const factor = f32x4.splat(load<f32>(factors + ((<usize>run) << 2)));
    const end = x + wholeBytes(count);
    while (x < end) {
      v128.store(y, f32x4.mul(v128.load(x), factor));
      x += 16;
      y += 16;
    }
    storePart(y, f32x4.mul(loadPart(x, count & 3), factor), count & 3);
    x += (<usize>(count & 3)) << 2;
    y += (<usize>(count & 3)) << 2;
  }
}

/**
 * The sums of the columns of `x` `[rows, columns]`, or of `x * around` of the same shape, with
 * `stride` bytes from row to row.
 */
export function sumRows(
  x: usize,
  around: usize,
  rows: i32,
  columns: i32,
  stride: usize,
  sums: usize,
): void {
  memory.fill(sums, 0, (<usize>columns) << 2);
  for (let first = 0; first < rows; first += together) {
    const count = min(together, rows - first);
    let column = 0;
    for (; column + 16 <= columns; column += 16) {
      const at = (<usize>column) << 2;
      sumSixteen(x + at, around ? around + at : 0, count, stride, sums + at);
    }
    for (; column < columns; column++) {
      const at = (<usize>column) << 2;
      let sum: f32 = 0;
      for (let row: usize = 0; row < <usize>count; row++) {
        const value = load<f32>(x + row * stride + at);
        sum += around ? value * load<f32>(around + row * stride + at) : value;
      }
      store<f32>(sums + at, load<f32>(sums + at) + sum);
    }
    x += <usize>count * stride;
    if (around) around += <usize>count * stride;
  }
}

function sumSixteen(x: usize, around: usize, rows: i32, stride: usize, sums: usize): void {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  if (around) {
    for (let row = 0; row < rows; row++) {
      a = fma(v128.load(x), v128.load(around), a);
      b = fma(v128.load(x, 16), v128.load(around, 16), b);
      c = fma(v128.load(x, 32), v128.load(around, 32), c);
      d = fma(v128.load(x, 48), v128.load(around, 48), d);
      x += stride;
      around += stride;
    }
  } else {
    for (let row = 0; row < rows; row++) {
      a = f32x4.add(a, v128.load(x));
      b = f32x4.add(b, v128.load(x, 16));
      c = f32x4.add(c, v128.load(x, 32));
      d = f32x4.add(d, v128.load(x, 48));
      x += stride;
    }
  }
  v128.store(sums, f32x4.add(v128.load(sums), a));
  v128.store(sums, f32x4.add(v128.load(sums, 16), b), 16);
  v128.store(sums, f32x4.add(v128.load(sums, 32), c), 32);
  v128.store(sums, f32x4.add(v128.load(sums, 48), d), 48);
}
