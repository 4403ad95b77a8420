import * as tf from "@tensorflow/tfjs-core";

/** Pictures with `padding` more rows and columns of `value` on each side. */
export function padPictures(x: tf.Tensor4D, padding: number, value: number): tf.Tensor4D {
  if (padding === 0) return x;
  const both: [number, number] = [padding, padding];
  return tf.pad(x, [[0, 0], both, both, [0, 0]], value);
}

/** The pictures without what `padPictures` put around them. */
export function unpadPictures(x: tf.Tensor4D, padding: number): tf.Tensor4D {
  if (padding === 0) return x;
  const [pictures, rows, columns, channels] = x.shape;
  return tf.slice(
    x,
    [0, padding, padding, 0],
    [pictures, rows - 2 * padding, columns - 2 * padding, channels],
  );
}
