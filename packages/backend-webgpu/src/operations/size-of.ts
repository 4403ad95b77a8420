import type * as tf from "@tensorflow/tfjs-core";

/** How many elements a tensor has. */
export function sizeOf({ shape }: tf.TensorInfo): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Groups of 64 threads for so many elements, one each. */
export function groupsFor(elements: number): number {
  return Math.ceil(elements / 64);
}
