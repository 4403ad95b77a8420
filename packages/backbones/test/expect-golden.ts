import { type Digest, expectClose, expectDigest, type GoldenArray } from "@dino/testing";
import type * as tf from "@tensorflow/tfjs-core";

/** An array, or what stands for one that is too large to store. */
export type Golden = GoldenArray | Digest;

/** Fails unless `actual` is what the golden says, within `tolerance` of its largest value. */
export function expectGolden(actual: tf.Tensor, golden: Golden, tolerance?: number): void {
  if ("data" in golden) expectClose(actual, golden, tolerance);
  else expectDigest(actual, golden, tolerance);
}
