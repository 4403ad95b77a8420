import * as tf from "@tensorflow/tfjs-core";
import { type NativeKernel, nativeKernel } from "./native-kernel.ts";

/**
 * tfjs's kernels that change shapes alone. The stock ones look at the values, which then count as
 * seen: their memory would never be used again.
 */
export const shapeKernels: readonly NativeKernel[] = [
  nativeKernel<{ readonly x: tf.TensorInfo }, { readonly shape: readonly number[] }>(
    tf.Reshape,
    ({ inputs: { x }, attributes, backend }) => {
      const size = tf.util.sizeFromShape(x.shape);
      const shape = tf.util.inferFromImplicitShape([...attributes.shape], size);
      tf.util.assert(
        tf.util.sizeFromShape(shape) === size,
        () => `x: expected ${size} elements, got the new shape [${shape}]`,
      );
      return backend.same(x, shape);
    },
  ),

  nativeKernel<{ readonly input: tf.TensorInfo }, { readonly dim: number }>(
    tf.ExpandDims,
    ({ inputs: { input }, attributes: { dim }, backend }) => {
      const rank = input.shape.length;
      tf.util.assert(
        dim >= -(rank + 1) && dim <= rank,
        () => `dim: expected from ${-(rank + 1)} to ${rank}, got ${dim}`,
      );
      const shape = [...input.shape];
      shape.splice(dim < 0 ? rank + 1 + dim : dim, 0, 1);
      return backend.same(input, shape);
    },
  ),
];
