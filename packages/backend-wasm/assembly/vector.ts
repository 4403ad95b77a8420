/** `a * b + c`, in one rounding where the host has relaxed SIMD. */
/* @inline */
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** The sum of the four lanes. */
/* @inline */
export function sumLanes(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) +
    f32x4.extract_lane(x, 1) +
    (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

/** The largest of the four lanes. */
/* @inline */
export function maxLanes(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}

/** The exponential, to some units in the last place, from e^-87 (and everything below) to e^88. */
/* @inline */
export function exp(x: v128): v128 {
  const inRange = f32x4.min(f32x4.max(x, f32x4.splat(-87)), f32x4.splat(88));
  // Added to a small number, 1.5 * 2^23 leaves its nearest integer in the lowest bits.
  const shift = f32x4.splat(12582912);
  const shifted = fma(inRange, f32x4.splat(<f32>Math.LOG2E), shift);
  const whole = f32x4.sub(shifted, shift);
  let rest = fma(whole, f32x4.splat(-0.693359375), inRange);
  rest = fma(whole, f32x4.splat(2.1219444e-4), rest);
  let y = f32x4.splat(1.98756915e-4);
  y = fma(y, rest, f32x4.splat(1.3981999507e-3));
  y = fma(y, rest, f32x4.splat(8.3334519073e-3));
  y = fma(y, rest, f32x4.splat(4.1665795894e-2));
  y = fma(y, rest, f32x4.splat(1.6666665459e-1));
  y = fma(y, rest, f32x4.splat(5.0000001201e-1));
  y = fma(f32x4.mul(rest, rest), y, rest);
  y = f32x4.add(y, f32x4.splat(1));
  const power = i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(0x3f800000));
  return f32x4.mul(y, power);
}

/** The error function by a rational one, to some 1e-7. */
/* @inline */
function erf(x: v128): v128 {
  const inRange = f32x4.min(f32x4.max(x, f32x4.splat(-4)), f32x4.splat(4));
  const square = f32x4.mul(inRange, inRange);
  let p = f32x4.splat(-2.72614225801306e-10);
  p = fma(p, square, f32x4.splat(2.77068142495902e-8));
  p = fma(p, square, f32x4.splat(-2.10102402082508e-6));
  p = fma(p, square, f32x4.splat(-5.69250639462346e-5));
  p = fma(p, square, f32x4.splat(-7.34990630326855e-4));
  p = fma(p, square, f32x4.splat(-2.95459980854025e-3));
  p = fma(p, square, f32x4.splat(-1.60960333262415e-2));
  let q = f32x4.splat(-1.45660718464996e-5);
  q = fma(q, square, f32x4.splat(-2.13374055278905e-4));
  q = fma(q, square, f32x4.splat(-1.68282697438203e-3));
  q = fma(q, square, f32x4.splat(-7.37332916720468e-3));
  q = fma(q, square, f32x4.splat(-1.42647390514189e-2));
  return f32x4.div(f32x4.mul(inRange, p), q);
}

/** The normal distribution function, of which the exact GELU is `x * normalCdf(x)`. */
/* @inline */
export function normalCdf(x: v128): v128 {
  return fma(erf(f32x4.mul(x, f32x4.splat(<f32>Math.SQRT1_2))), f32x4.splat(0.5), f32x4.splat(0.5));
}

/** The derivative of the exact GELU, of `x` and its `normalCdf`. */
/* @inline */
export function geluSlope(x: v128, cdf: v128): v128 {
  const density = f32x4.mul(
    exp(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5))),
    f32x4.splat(0.3989422804014327),
  );
  return fma(x, density, cdf);
}

/** The first `count` (fewer than four) values, the others 0. */
export function loadPart(from: usize, count: i32): v128 {
  let x = f32x4.splat(0);
  if (count > 0) x = f32x4.replace_lane(x, 0, load<f32>(from));
  if (count > 1) x = f32x4.replace_lane(x, 1, load<f32>(from, 4));
  if (count > 2) x = f32x4.replace_lane(x, 2, load<f32>(from, 8));
  return x;
}

/** Stores the first `count` (fewer than four) values. */
export function storePart(to: usize, x: v128, count: i32): void {
  if (count > 0) store<f32>(to, f32x4.extract_lane(x, 0));
  if (count > 1) store<f32>(to, f32x4.extract_lane(x, 1), 4);
  if (count > 2) store<f32>(to, f32x4.extract_lane(x, 2), 8);
}

/** Bytes of the whole vectors among so many values. */
/* @inline */
export function wholeBytes(count: i32): usize {
  return (<usize>(count & ~3)) << 2;
}
