import { fma } from "./vector.ts";

/**
 * One tile, 4 x 8, of a product of packed panels, `depth` places deep. `start` is where its first
 * row's start values lie and `startRow` the bytes from one row of them to the next: 0 for a bias,
 * which every row begins with. No `start` is zeros.
 */
/* @inline */
export function tile(
  a: usize,
  b: usize,
  depth: i32,
  start: usize,
  startRow: usize,
  c: usize,
  row: usize,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  let k = depth >> 1;
  while (k) {
    let b0 = v128.load(b);
    let b1 = v128.load(b, 16);
    let value = v128.load32_splat(a);
    c00 = fma(value, b0, c00);
    c01 = fma(value, b1, c01);
    value = v128.load32_splat(a, 4);
    c10 = fma(value, b0, c10);
    c11 = fma(value, b1, c11);
    value = v128.load32_splat(a, 8);
    c20 = fma(value, b0, c20);
    c21 = fma(value, b1, c21);
    value = v128.load32_splat(a, 12);
    c30 = fma(value, b0, c30);
    c31 = fma(value, b1, c31);
    b0 = v128.load(b, 32);
    b1 = v128.load(b, 48);
    value = v128.load32_splat(a, 16);
    c00 = fma(value, b0, c00);
    c01 = fma(value, b1, c01);
    value = v128.load32_splat(a, 20);
    c10 = fma(value, b0, c10);
    c11 = fma(value, b1, c11);
    value = v128.load32_splat(a, 24);
    c20 = fma(value, b0, c20);
    c21 = fma(value, b1, c21);
    value = v128.load32_splat(a, 28);
    c30 = fma(value, b0, c30);
    c31 = fma(value, b1, c31);
    a += 32;
    b += 64;
    k--;
  }
  if (depth & 1) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let value = v128.load32_splat(a);
    c00 = fma(value, b0, c00);
    c01 = fma(value, b1, c01);
    value = v128.load32_splat(a, 4);
    c10 = fma(value, b0, c10);
    c11 = fma(value, b1, c11);
    value = v128.load32_splat(a, 8);
    c20 = fma(value, b0, c20);
    c21 = fma(value, b1, c21);
    value = v128.load32_splat(a, 12);
    c30 = fma(value, b0, c30);
    c31 = fma(value, b1, c31);
  }
  if (start) {
    c00 = f32x4.add(c00, v128.load(start));
    c01 = f32x4.add(c01, v128.load(start, 16));
    start += startRow;
    c10 = f32x4.add(c10, v128.load(start));
    c11 = f32x4.add(c11, v128.load(start, 16));
    start += startRow;
    c20 = f32x4.add(c20, v128.load(start));
    c21 = f32x4.add(c21, v128.load(start, 16));
    start += startRow;
    c30 = f32x4.add(c30, v128.load(start));
    c31 = f32x4.add(c31, v128.load(start, 16));
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += row;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += row;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += row;
  v128.store(c, c30);
  v128.store(c, c31, 16);
}
