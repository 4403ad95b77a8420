import type * as tf from "@tensorflow/tfjs-core";

/** A tensor came with another shape than the one that was asked for. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

/** Throws a `ShapeError` that names the tensor unless it has this shape; `null` stands for any size. */
export function assertShape(
  name: string,
  tensor: tf.Tensor,
  shape: readonly (number | null | undefined)[],
): void {
  const fits =
    tensor.rank === shape.length &&
    shape.every((size, axis) => size == null || size === tensor.shape[axis]);
  if (fits) return;
  const expected = shape.map((size) => size ?? "*").join(", ");
  throw new ShapeError(`${name}: expected shape [${expected}], got [${tensor.shape.join(", ")}]`);
}
