import type * as tf from "@tensorflow/tfjs-core";

export function assert(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}

/** Plain values are compared by what they hold. */
export function assertSame(name: string, actual: unknown, expected: unknown): void {
  const [got, wanted] = [actual, expected].map((value) => JSON.stringify(value));
  assert(got === wanted, `${name}: expected ${wanted}, got ${got}`);
}

/** The largest difference of two tensors, relative to the second's largest value. */
export function difference(a: tf.Tensor, b: tf.Tensor): number {
  assertSame("shape", a.shape, b.shape);
  const [one, other] = [a.dataSync(), b.dataSync()];
  let apart = 0;
  let largest = Number.MIN_VALUE;
  for (let i = 0; i < one.length; i++) {
    const distance = Math.abs((one[i] as number) - (other[i] as number));
    if (!(distance <= apart)) apart = distance; // keeps a NaN
    largest = Math.max(largest, Math.abs(other[i] as number));
  }
  return apart / largest;
}
