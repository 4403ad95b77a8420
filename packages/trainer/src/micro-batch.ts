import * as tf from "@tensorflow/tfjs-core";

/** A part of a batch: pictures `first` to `first + count - 1`. */
export interface Part {
  readonly first: number;
  readonly count: number;
}

/** `batch` pictures in parts of at most `size`, as equal as can be. */
export function parts(batch: number, size: number): readonly Part[] {
  const count = Math.ceil(batch / Math.min(size, batch));
  const start = (part: number) => Math.floor((part * batch) / count);
  return Array.from({ length: count }, (_, part) => ({
    first: start(part),
    count: start(part + 1) - start(part),
  }));
}

/** The crops of some pictures: `[views * batch, ...]` crop-major to `[views * count, ...]`. */
export function cropsOf(crops: tf.Tensor4D, batch: number, { first, count }: Part): tf.Tensor4D {
  const [rows, height, width, channels] = crops.shape;
  if (count === batch) return tf.clone(crops);
  return tf.tidy(() => {
    const apart = tf.reshape(crops, [rows / batch, batch, height * width * channels]);
    const some = tf.slice(apart, [0, first, 0], [-1, count, -1]);
    return tf.reshape(some, [-1, height, width, channels]);
  });
}

/** The targets of some pictures: `[globals, batch, prototypes]` to `[globals, count, prototypes]`. */
export function targetsOf(targets: tf.Tensor3D, { first, count }: Part): tf.Tensor3D {
  return tf.slice(targets, [0, first, 0], [-1, count, -1]);
}
