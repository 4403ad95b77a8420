import { fma, loadPart, storePart, sumLanes, wholeBytes } from "./vector.ts";

/** Values whose squares are summed in float32 before they join the others. */
const together: i32 = 4096;

/** The sum of the squares of all values. */
export function squaredNorm(x: usize, count: i32): f64 {
  let total: f64 = 0;
  for (let first = 0; first < count; first += together) {
    const some = min(together, count - first);
    const end = x + wholeBytes(some);
    let sum = f32x4.splat(0);
    while (x < end) {
      const value = v128.load(x);
      sum = fma(value, value, sum);
      x += 16;
    }
    const rest = loadPart(x, some & 3);
    total += <f64>sumLanes(fma(rest, rest, sum));
  }
  return total;
}

/** `y = factor * x`; `y` may be `x`. */
export function scale(x: usize, factor: f32, count: i32, y: usize): void {
  const by = f32x4.splat(factor);
  const whole = wholeBytes(count);
  for (let at: usize = 0; at < whole; at += 16) {
    v128.store(y + at, f32x4.mul(v128.load(x + at), by));
  }
  storePart(y + whole, f32x4.mul(loadPart(x + whole, count & 3), by), count & 3);
}

/** `average = momentum * average + (1 - momentum) * value`. */
export function movingAverage(average: usize, value: usize, momentum: f64, count: i32): void {
  const stays = f32x4.splat(<f32>momentum);
  const comes = f32x4.splat(<f32>(1 - momentum));
  const whole = wholeBytes(count);
  for (let at: usize = 0; at < whole; at += 16) {
    v128.store(
      average + at,
      averaged(v128.load(average + at), v128.load(value + at), stays, comes),
    );
  }
  const left = count & 3;
  const rest = averaged(
    loadPart(average + whole, left),
    loadPart(value + whole, left),
    stays,
    comes,
  );
  storePart(average + whole, rest, left);
}

/* @inline */
function averaged(average: v128, value: v128, stays: v128, comes: v128): v128 {
  return f32x4.add(f32x4.mul(average, stays), f32x4.mul(value, comes));
}

/**
 * AdamW in place: `clip` shortens the gradient, `rate` and `spread` are the learning rate over the
 * first bias correction and one over the root of the second.
 */
export function adamW(
  parameter: usize,
  gradient: usize,
  moment1: usize,
  moment2: usize,
  count: i32,
  clip: f64,
  decay: f64,
  beta1: f64,
  beta2: f64,
  rate: f64,
  spread: f64,
  epsilon: f64,
): void {
  const whole = wholeBytes(count);
  const left = count & 3;
  const shorter = f32x4.splat(<f32>clip);
  const kept = f32x4.splat(<f32>decay);
  const stay1 = f32x4.splat(<f32>beta1);
  const come1 = f32x4.splat(<f32>(1 - beta1));
  const stay2 = f32x4.splat(<f32>beta2);
  const come2 = f32x4.splat(<f32>(1 - beta2));
  const step = f32x4.splat(<f32>rate);
  const wide = f32x4.splat(<f32>spread);
  const least = f32x4.splat(<f32>epsilon);
  for (let at: usize = 0; at < whole; at += 16) {
    const slope = f32x4.mul(v128.load(gradient + at), shorter);
    const first = averaged(v128.load(moment1 + at), slope, stay1, come1);
    const second = averaged(v128.load(moment2 + at), f32x4.mul(slope, slope), stay2, come2);
    v128.store(moment1 + at, first);
    v128.store(moment2 + at, second);
    const divisor = f32x4.add(f32x4.mul(f32x4.sqrt(second), wide), least);
    const change = f32x4.div(f32x4.mul(first, step), divisor);
    const next = f32x4.sub(f32x4.mul(v128.load(parameter + at), kept), change);
    v128.store(parameter + at, next);
  }
  if (left === 0) return;
  const slope = f32x4.mul(loadPart(gradient + whole, left), shorter);
  const first = averaged(loadPart(moment1 + whole, left), slope, stay1, come1);
  const second = averaged(loadPart(moment2 + whole, left), f32x4.mul(slope, slope), stay2, come2);
  storePart(moment1 + whole, first, left);
  storePart(moment2 + whole, second, left);
  const divisor = f32x4.add(f32x4.mul(f32x4.sqrt(second), wide), least);
  const change = f32x4.div(f32x4.mul(first, step), divisor);
  const next = f32x4.sub(f32x4.mul(loadPart(parameter + whole, left), kept), change);
  storePart(parameter + whole, next, left);
}

/**
 * Gradient descent with momentum in place: `direction = ratio * (gradient + decay * parameter)`,
 * added to `momentum * buffer`, or by itself if it is the first.
 */
export function descend(
  parameter: usize,
  gradient: usize,
  buffer: usize,
  count: i32,
  isFirst: bool,
  rate: f64,
  decay: f64,
  momentum: f64,
  ratio: f64,
): void {
  const whole = wholeBytes(count);
  const left = count & 3;
  const kept = f32x4.splat(<f32>decay);
  const stays = f32x4.splat(<f32>momentum);
  const back = f32x4.splat(<f32>-rate);
  const factor = f32x4.splat(<f32>ratio);
  for (let at: usize = 0; at < whole; at += 16) {
    const value = v128.load(parameter + at);
    let next = f32x4.mul(fma(value, kept, v128.load(gradient + at)), factor);
    if (!isFirst) next = fma(v128.load(buffer + at), stays, next);
    v128.store(buffer + at, next);
    v128.store(parameter + at, fma(next, back, value));
  }
  if (left === 0) return;
  const value = loadPart(parameter + whole, left);
  let next = f32x4.mul(fma(value, kept, loadPart(gradient + whole, left)), factor);
  if (!isFirst) next = fma(loadPart(buffer + whole, left), stays, next);
  storePart(buffer + whole, next, left);
  storePart(parameter + whole, fma(next, back, value), left);
}

/** The sum of the squares of `gradient + decay * parameter`. */
export function squaredDirection(parameter: usize, gradient: usize, decay: f64, count: i32): f64 {
  let total: f64 = 0;
  const kept = f32x4.splat(<f32>decay);
  for (let first = 0; first < count; first += together) {
    const some = min(together, count - first);
    const whole = wholeBytes(some);
    let sum = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) {
      const value = fma(v128.load(parameter + at), kept, v128.load(gradient + at));
      sum = fma(value, value, sum);
    }
    const left = some & 3;
    const rest = fma(loadPart(parameter + whole, left), kept, loadPart(gradient + whole, left));
    total += <f64>sumLanes(fma(rest, rest, sum));
    parameter += (<usize>some) << 2;
    gradient += (<usize>some) << 2;
  }
  return total;
}
