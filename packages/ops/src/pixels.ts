import * as tf from "@tensorflow/tfjs-core";

/** A decoded picture: RGB bytes, row by row, `3 * width * height` of them. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Mean and standard deviation of ImageNet's channels, in [0, 1]: what the published weights expect. */
export const imagenet: {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
} = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/**
 * RGB bytes as a normalised tensor `[pictures, rows, columns, 3]`: divided by 255, less
 * ImageNet's mean, divided by its standard deviation.
 */
export function imageTensor(
  data: Uint8Array,
  [pictures, rows, columns]: readonly [pictures: number, rows: number, columns: number],
): tf.Tensor4D {
  const length = 3 * pictures * rows * columns;
  if (data.length !== length) {
    throw new RangeError(
      `data: expected ${length} bytes for ${pictures} pictures of ${rows} x ${columns}, got ${data.length}`,
    );
  }
  const values = new Float32Array(length);
  for (let i = 0; i < length; i += 3) {
    for (let channel = 0; channel < 3; channel++) {
      values[i + channel] = (table[channel] as Float32Array)[data[i + channel] as number] as number;
    }
  }
  return tf.tensor4d(values, [pictures, rows, columns, 3]);
}

/** The 256 normalised values of each channel. */
const table = imagenet.mean.map((mean, channel) =>
  Float32Array.from({ length: 256 }, (_, byte) =>
    Math.fround((Math.fround(byte / 255) - mean) / (imagenet.std[channel] as number)),
  ),
);
