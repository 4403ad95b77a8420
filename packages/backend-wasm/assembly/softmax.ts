import { exp, fma, loadPart, maxLanes, storePart, sumLanes, wholeBytes } from "./vector.ts";

/** The softmax of every row of `scale * x`; `y` may be `x`. */
export function softmax(x: usize, scale: f32, rows: i32, columns: i32, y: usize): void {
  const stride = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++) {
    softmaxRow(x, scale, columns, y);
    x += stride;
    y += stride;
  }
}

/** The softmax of one row of `scale * x`; gives the largest of `scale * x`. */
export function softmaxRow(x: usize, scale: f32, count: i32, y: usize): void {
  const most = largest(x, count) * scale;
  const total = exponentials(x, scale, most, count, y);
  const factor = f32x4.splat(<f32>1 / total);
  const whole = wholeBytes(count);
  for (let at: usize = 0; at < whole; at += 16) {
    v128.store(y + at, f32x4.mul(v128.load(y + at), factor));
  }
  storePart(y + whole, f32x4.mul(loadPart(y + whole, count & 3), factor), count & 3);
}

/** The largest value. */
export function largest(x: usize, count: i32): f32 {
  const whole = wholeBytes(count);
  let most = f32x4.splat(-Infinity);
  for (let at: usize = 0; at < whole; at += 16) most = f32x4.max(most, v128.load(x + at));
  let found = maxLanes(most);
  for (let i = count & ~3; i < count; i++) {
    found = max(found, load<f32>(x + ((<usize>i) << 2)));
  }
  return found;
}

/** `exp(scale * x - most)` of every value into `y`, unless that is 0, and their sum. */
export function exponentials(x: usize, scale: f32, most: f32, count: i32, y: usize): f32 {
  const factor = f32x4.splat(scale);
  const shift = f32x4.splat(-most);
  const whole = wholeBytes(count);
  let total = f32x4.splat(0);
  for (let at: usize = 0; at < whole; at += 16) {
    const power = exp(fma(v128.load(x + at), factor, shift));
    total = f32x4.add(total, power);
    if (y) v128.store(y + at, power);
  }
  let sum = sumLanes(total);
  const left = count & 3;
  if (left) {
    const power = exp(fma(loadPart(x + whole, left), factor, shift));
    if (y) storePart(y + whole, power, left);
    sum += f32x4.extract_lane(power, 0);
    if (left > 1) sum += f32x4.extract_lane(power, 1);
    if (left > 2) sum += f32x4.extract_lane(power, 2);
  }
  return sum;
}

/**
 * The gradient of `softmax(scale * x)` with respect to `x`, from its rows `p` and their gradient,
 * which is overwritten.
 */
export function softmaxBack(p: usize, dp: usize, scale: f32, rows: i32, columns: i32): void {
  const stride = (<usize>columns) << 2;
  const whole = wholeBytes(columns);
  const left = columns & 3;
  const factor = f32x4.splat(scale);
  for (let row = 0; row < rows; row++) {
    let total = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) {
      total = fma(v128.load(p + at), v128.load(dp + at), total);
    }
    total = fma(loadPart(p + whole, left), loadPart(dp + whole, left), total);
    const along = f32x4.splat(sumLanes(total));
    for (let at: usize = 0; at < whole; at += 16) {
      const slope = f32x4.mul(f32x4.sub(v128.load(dp + at), along), v128.load(p + at));
      v128.store(dp + at, f32x4.mul(slope, factor));
    }
    const slope = f32x4.mul(
      f32x4.sub(loadPart(dp + whole, left), along),
      loadPart(p + whole, left),
    );
    storePart(dp + whole, f32x4.mul(slope, factor), left);
    p += stride;
    dp += stride;
  }
}
