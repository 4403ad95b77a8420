import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { type Digest, decode, type GoldenArray } from "./golden.ts";

/**
 * Fails unless shapes agree and no element is further off than `tolerance` times the golden's
 * largest value. `golden` may be a golden array, a number, or plain values of `actual`'s shape.
 */
export function expectClose(
  actual: tf.Tensor,
  golden: GoldenArray | number | ArrayLike<number>,
  tolerance = 1e-5,
): void {
  if (typeof golden === "object" && "dtype" in golden) {
    expect(actual.shape).toEqual(golden.shape);
    expectValues(actual.dataSync(), decode(golden), tolerance);
  } else {
    expectValues(actual.dataSync(), typeof golden === "number" ? [golden] : golden, tolerance);
  }
}

/** The same for plain values. */
export function expectValues(
  actual: ArrayLike<number>,
  golden: ArrayLike<number>,
  tolerance = 1e-5,
): void {
  expect(actual.length).toBe(golden.length);
  let scale = Number.MIN_VALUE;
  let worst = 0;
  for (let i = 0; i < golden.length; i++) {
    scale = Math.max(scale, Math.abs(golden[i] as number));
    const difference = Math.abs((actual[i] as number) - (golden[i] as number));
    worst = Math.max(difference, worst); // a NaN stays
  }
  expect(worst / scale).toBeLessThanOrEqual(tolerance);
}

/**
 * Fails unless `actual` has the digest's size, norm, mean, first and last values. The first and
 * last are compared with the largest value of `actual`, the mean with the root mean square.
 */
export function expectDigest(
  actual: tf.Tensor,
  digest: Digest,
  tolerance = 1e-5,
  parts: "all" | "ends" = "all",
): void {
  const values = actual.dataSync();
  expect(values.length).toBe(digest.shape_numel);
  let scale = Number.MIN_VALUE;
  for (const value of values) scale = Math.max(scale, Math.abs(value));
  const off = (value: number, expected: number) => Math.abs(value - expected) / scale;
  digest.head.forEach((value, i) => {
    expect(off(values[i] as number, value)).toBeLessThanOrEqual(tolerance);
  });
  digest.tail.forEach((value, i) => {
    const at = values.length - digest.tail.length + i;
    expect(off(values[at] as number, value)).toBeLessThanOrEqual(tolerance);
  });
  if (parts === "ends") return;
  let squares = 0;
  let sum = 0;
  for (const value of values) {
    squares += value * value;
    sum += value;
  }
  expect(
    Math.abs(Math.sqrt(squares) - digest.l2) / Math.max(digest.l2, Number.MIN_VALUE),
  ).toBeLessThanOrEqual(tolerance);
  expect(off(sum / values.length, digest.mean)).toBeLessThanOrEqual(tolerance);
}

/** Fails if `run` leaves behind a tensor that it does not return. */
export function expectNoLeak(run: () => tf.TensorContainer): void {
  const before = tf.memory().numTensors;
  tf.dispose(run());
  expect(tf.memory().numTensors).toBe(before);
}
