import { fma, loadPart, storePart, sumLanes, wholeBytes } from "./vector.ts";

/** Layer normalisation of rows `[rows, columns]`; keeps each row's mean and inverse deviation. */
export function layerNorm(
  x: usize,
  weight: usize,
  bias: usize,
  epsilon: f32,
  rows: i32,
  columns: i32,
  y: usize,
  mean: usize,
  inverse: usize,
): void {
  const stride = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++) {
    const center = sum(x, columns) / <f32>columns;
    const scale = <f32>1 / sqrt<f32>(squares(x, center, columns) / <f32>columns + epsilon);
    store<f32>(mean, center);
    store<f32>(inverse, scale);
    normRow(x, center, scale, weight, bias, columns, y);
    x += stride;
    y += stride;
    mean += 4;
    inverse += 4;
  }
}

/** The output of `layerNorm` once more, from what it kept. */
export function layerNormAgain(
  x: usize,
  weight: usize,
  bias: usize,
  mean: usize,
  inverse: usize,
  rows: i32,
  columns: i32,
  y: usize,
): void {
  const stride = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++) {
    normRow(x, load<f32>(mean), load<f32>(inverse), weight, bias, columns, y);
    x += stride;
    y += stride;
    mean += 4;
    inverse += 4;
  }
}

function sum(x: usize, count: i32): f32 {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  const end = x + wholeBytes(count);
  while (x + 16 < end) {
    a = f32x4.add(a, v128.load(x));
    b = f32x4.add(b, v128.load(x, 16));
    x += 32;
  }
  if (x < end) {
    a = f32x4.add(a, v128.load(x));
    x += 16;
  }
  return sumLanes(f32x4.add(f32x4.add(a, b), loadPart(x, count & 3)));
}

/** The sum of the squares of what is beyond `center`. */
function squares(x: usize, center: f32, count: i32): f32 {
  const middle = f32x4.splat(center);
  let total = f32x4.splat(0);
  const end = x + wholeBytes(count);
  while (x < end) {
    const off = f32x4.sub(v128.load(x), middle);
    total = fma(off, off, total);
    x += 16;
  }
  let rest: f32 = 0;
  for (const last = x + ((<usize>(count & 3)) << 2); x < last; x += 4) {
    const off = load<f32>(x) - center;
    rest += off * off;
  }
  return sumLanes(total) + rest;
}

function normRow(
  x: usize,
  center: f32,
  scale: f32,
  weight: usize,
  bias: usize,
  count: i32,
  y: usize,
): void {
  const middle = f32x4.splat(center);
  const factor = f32x4.splat(scale);
  const end = x + wholeBytes(count);
  while (x < end) {
    const normed = f32x4.mul(f32x4.sub(v128.load(x), middle), factor);
    v128.store(y, fma(normed, v128.load(weight), v128.load(bias)));
    x += 16;
    y += 16;
    weight += 16;
    bias += 16;
  }
  const left = count & 3;
  const normed = f32x4.mul(f32x4.sub(loadPart(x, left), middle), factor);
  storePart(y, fma(normed, loadPart(weight, left), loadPart(bias, left)), left);
}

/** Rows whose gradients of weight and bias `layerNormBack` sums. */
export const rowsTogether: i32 = 256;

/**
 * The gradients of `layerNorm`. `dx` takes `around`, the gradient that comes past the norm, in
 * addition, unless that is 0. `dWeight` and `dBias` are sums of `rowsTogether` rows each, one row
 * of sums after the other.
 */
export function layerNormBack(
  dy: usize,
  x: usize,
  weight: usize,
  mean: usize,
  inverse: usize,
  around: usize,
  rows: i32,
  columns: i32,
  dx: usize,
  dWeight: usize,
  dBias: usize,
): void {
  const stride = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++) {
    if (row % rowsTogether === 0) {
      if (row > 0) {
        dWeight += stride;
        dBias += stride;
      }
      memory.fill(dWeight, 0, stride);
      memory.fill(dBias, 0, stride);
    }
    normBackRow(
      dy,
      x,
      weight,
      load<f32>(mean),
      load<f32>(inverse),
      around,
      columns,
      dx,
      dWeight,
      dBias,
    );
    dy += stride;
    x += stride;
    dx += stride;
    mean += 4;
    inverse += 4;
    if (around) around += stride;
  }
}

function normBackRow(
  dy: usize,
  x: usize,
  weight: usize,
  center: f32,
  scale: f32,
  around: usize,
  count: i32,
  dx: usize,
  dWeight: usize,
  dBias: usize,
): void {
  const middle = f32x4.splat(center);
  const factor = f32x4.splat(scale);
  const whole = wholeBytes(count);
  const left = count & 3;
  let total = f32x4.splat(0);
  let along = f32x4.splat(0);
  for (let at: usize = 0; at < whole; at += 16) {
    const slope = v128.load(dy + at);
    const normed = f32x4.mul(f32x4.sub(v128.load(x + at), middle), factor);
    const inner = f32x4.mul(slope, v128.load(weight + at));
    total = f32x4.add(total, inner);
    along = fma(inner, normed, along);
    v128.store(dWeight + at, fma(slope, normed, v128.load(dWeight + at)));
    v128.store(dBias + at, f32x4.add(slope, v128.load(dBias + at)));
  }
  if (left) {
    const slope = loadPart(dy + whole, left);
    const normed = f32x4.mul(f32x4.sub(loadPart(x + whole, left), middle), factor);
    const inner = f32x4.mul(slope, loadPart(weight + whole, left));
    total = f32x4.add(total, inner);
    along = fma(inner, normed, along);
    storePart(dWeight + whole, fma(slope, normed, loadPart(dWeight + whole, left)), left);
    storePart(dBias + whole, f32x4.add(slope, loadPart(dBias + whole, left)), left);
  }
  const meanSlope = f32x4.splat(sumLanes(total) / <f32>count);
  const meanAlong = f32x4.splat(sumLanes(along) / <f32>count);
  for (let at: usize = 0; at < whole; at += 16) {
    const normed = f32x4.mul(f32x4.sub(v128.load(x + at), middle), factor);
    const inner = f32x4.sub(f32x4.mul(v128.load(dy + at), v128.load(weight + at)), meanSlope);
    const slope = f32x4.mul(f32x4.sub(inner, f32x4.mul(normed, meanAlong)), factor);
    v128.store(dx + at, around ? f32x4.add(slope, v128.load(around + at)) : slope);
  }
  if (left) {
    const normed = f32x4.mul(f32x4.sub(loadPart(x + whole, left), middle), factor);
    const inner = f32x4.sub(
      f32x4.mul(loadPart(dy + whole, left), loadPart(weight + whole, left)),
      meanSlope,
    );
    const slope = f32x4.mul(f32x4.sub(inner, f32x4.mul(normed, meanAlong)), factor);
    storePart(dx + whole, around ? f32x4.add(slope, loadPart(around + whole, left)) : slope, left);
  }
}

/** Rows of length 1: `x / max(|x|, epsilon)`; keeps the divisors. */
export function unitRows(
  x: usize,
  epsilon: f32,
  rows: i32,
  columns: i32,
  y: usize,
  norm: usize,
): void {
  const stride = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++) {
    const length = max(sqrt<f32>(squares(x, 0, columns)), epsilon);
    store<f32>(norm, length);
    divideRow(x, length, columns, y);
    x += stride;
    y += stride;
    norm += 4;
  }
}

function divideRow(x: usize, by: f32, count: i32, y: usize): void {
  const divisor = f32x4.splat(by);
  const end = x + wholeBytes(count);
  while (x < end) {
    v128.store(y, f32x4.div(v128.load(x), divisor));
    x += 16;
    y += 16;
  }
  storePart(y, f32x4.div(loadPart(x, count & 3), divisor), count & 3);
}

/** The gradient of `unitRows`. */
export function unitRowsBack(
  dy: usize,
  x: usize,
  norm: usize,
  epsilon: f32,
  rows: i32,
  columns: i32,
  dx: usize,
): void {
  const stride = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++) {
    const length = load<f32>(norm);
    // Where the norm was below epsilon, it was a constant.
    const along = length > epsilon ? alongUnit(dy, x, length, columns) : 0;
    awayFromUnit(dy, x, length, along, <f32>1 / length, columns, dx);
    dy += stride;
    x += stride;
    dx += stride;
    norm += 4;
  }
}

/** The product of `slope` with `x / length`. */
function alongUnit(slope: usize, x: usize, length: f32, count: i32): f32 {
  const divisor = f32x4.splat(length);
  const whole = wholeBytes(count);
  let total = f32x4.splat(0);
  for (let at: usize = 0; at < whole; at += 16) {
    total = fma(v128.load(slope + at), f32x4.div(v128.load(x + at), divisor), total);
  }
  const left = count & 3;
  const unit = f32x4.div(loadPart(x + whole, left), divisor);
  return sumLanes(fma(loadPart(slope + whole, left), unit, total));
}

/** `(slope - along * x / length) * factor` into `to`, which may be `slope`. */
function awayFromUnit(
  slope: usize,
  x: usize,
  length: f32,
  along: f32,
  factor: f32,
  count: i32,
  to: usize,
): void {
  const divisor = f32x4.splat(length);
  const back = f32x4.splat(along);
  const by = f32x4.splat(factor);
  const whole = wholeBytes(count);
  for (let at: usize = 0; at < whole; at += 16) {
    const unit = f32x4.div(v128.load(x + at), divisor);
    const away = f32x4.sub(v128.load(slope + at), f32x4.mul(unit, back));
    v128.store(to + at, f32x4.mul(away, by));
  }
  const left = count & 3;
  const unit = f32x4.div(loadPart(x + whole, left), divisor);
  const away = f32x4.sub(loadPart(slope + whole, left), f32x4.mul(unit, back));
  storePart(to + whole, f32x4.mul(away, by), left);
}

/** The rows `gain * direction / |direction|` of a weight, and the lengths. */
export function normedWeight(
  direction: usize,
  gain: usize,
  rows: i32,
  columns: i32,
  weight: usize,
  norm: usize,
): void {
  const stride = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++) {
    const length = sqrt<f32>(squares(direction, 0, columns));
    store<f32>(norm, length);
    scaleRow(direction, load<f32>(gain) / length, columns, weight);
    direction += stride;
    weight += stride;
    gain += 4;
    norm += 4;
  }
}

function scaleRow(x: usize, by: f32, count: i32, y: usize): void {
  const factor = f32x4.splat(by);
  const end = x + wholeBytes(count);
  while (x < end) {
    v128.store(y, f32x4.mul(v128.load(x), factor));
    x += 16;
    y += 16;
  }
  storePart(y, f32x4.mul(loadPart(x, count & 3), factor), count & 3);
}

/** The gradients of `normedWeight`: `dDirection` holds the weight's, and is overwritten. */
export function normedWeightBack(
  direction: usize,
  gain: usize,
  norm: usize,
  rows: i32,
  columns: i32,
  dDirection: usize,
  dGain: usize,
): void {
  const stride = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++) {
    const length = load<f32>(norm);
    const along = alongUnit(dDirection, direction, length, columns);
    store<f32>(dGain, along);
    const factor = load<f32>(gain) / length;
    awayFromUnit(dDirection, direction, length, along, factor, columns, dDirection);
    direction += stride;
    dDirection += stride;
    gain += 4;
    norm += 4;
    dGain += 4;
  }
}
