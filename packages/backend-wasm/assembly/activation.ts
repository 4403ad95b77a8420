import { geluSlope, loadPart, normalCdf, storePart, wholeBytes } from "./vector.ts";

/** The exact GELU of every value; `y` may be `x`. */
export function gelu(x: usize, y: usize, count: i32): void {
  const end = x + wholeBytes(count);
  while (x < end) {
    const value = v128.load(x);
    v128.store(y, f32x4.mul(value, normalCdf(value)));
    x += 16;
    y += 16;
  }
  const value = loadPart(x, count & 3);
  storePart(y, f32x4.mul(value, normalCdf(value)), count & 3);
}

/** The exact GELU of every value and its derivative. */
export function geluParts(x: usize, y: usize, slope: usize, count: i32): void {
  const end = x + wholeBytes(count);
  while (x < end) {
    const value = v128.load(x);
    const cdf = normalCdf(value);
    v128.store(y, f32x4.mul(value, cdf));
    v128.store(slope, geluSlope(value, cdf));
    x += 16;
    y += 16;
    slope += 16;
  }
  const value = loadPart(x, count & 3);
  const cdf = normalCdf(value);
  storePart(y, f32x4.mul(value, cdf), count & 3);
  storePart(slope, geluSlope(value, cdf), count & 3);
}

/** `dy` times the GELU's derivative at `x`; `dx` may be `dy`. */
export function geluBack(dy: usize, x: usize, dx: usize, count: i32): void {
  const end = x + wholeBytes(count);
  while (x < end) {
    const value = v128.load(x);
    v128.store(dx, f32x4.mul(v128.load(dy), geluSlope(value, normalCdf(value))));
    dy += 16;
    x += 16;
    dx += 16;
  }
  const value = loadPart(x, count & 3);
  const slope = geluSlope(value, normalCdf(value));
  storePart(dx, f32x4.mul(loadPart(dy, count & 3), slope), count & 3);
}

/** What is positive of every value, else 0; `y` may be `x`. A NaN stays one. */
export function relu(x: usize, y: usize, count: i32): void {
  const zero = f32x4.splat(0);
  const end = x + wholeBytes(count);
  while (x < end) {
    v128.store(y, f32x4.max(v128.load(x), zero));
    x += 16;
    y += 16;
  }
  storePart(y, f32x4.max(loadPart(x, count & 3), zero), count & 3);
}

/** `dy` where `x` is positive, else 0; `dx` may be `dy`. */
export function reluBack(dy: usize, x: usize, dx: usize, count: i32): void {
  const zero = f32x4.splat(0);
  const end = x + wholeBytes(count);
  while (x < end) {
    v128.store(dx, v128.and(v128.load(dy), f32x4.gt(v128.load(x), zero)));
    dy += 16;
    x += 16;
    dx += 16;
  }
  const positive = f32x4.gt(loadPart(x, count & 3), zero);
  storePart(dx, v128.and(loadPart(dy, count & 3), positive), count & 3);
}
