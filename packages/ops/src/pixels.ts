import * as tf from "@tensorflow/tfjs-core";

/** A decoded picture: RGB bytes, row by row, `3 * width * height` of them. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** What is taken from each channel in [0, 1], and what it is then divided by. */
export interface Normalization {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** Mean and standard deviation of ImageNet's channels, in [0, 1]: what the published weights expect. */
export const imagenet: Normalization = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/**
 * RGB bytes as a normalised tensor `[pictures, rows, columns, 3]`: divided by 255, less the mean,
 * divided by the standard deviation, which are ImageNet's unless others are given.
 */
export function imageTensor(
  data: Uint8Array,
  [pictures, rows, columns]: readonly [pictures: number, rows: number, columns: number],
  normalization: Normalization = imagenet,
): tf.Tensor4D {
  const length = 3 * pictures * rows * columns;
  if (data.length !== length) {
    throw new RangeError(
      `data: expected ${length} bytes for ${pictures} pictures of ${rows} x ${columns}, got ${data.length}`,
    );
  }
  const table = tableOf(normalization);
  const shape: [number, number, number, number] = [pictures, rows, columns, 3];
  if (tf.getKernel(onDevice, tf.getBackend()) !== undefined) return converted(data, table, shape);
  const values = new Float32Array(length);
  for (let i = 0; i < length; i += 3) {
    for (let channel = 0; channel < 3; channel++) {
      values[i + channel] = (table[channel] as Float32Array)[data[i + channel] as number] as number;
    }
  }
  return tf.tensor4d(values, shape);
}

/** The kernel of a backend that makes pictures of bytes itself, so that a quarter is uploaded. */
const onDevice = "DinoImageTensor";

/** Four bytes to a number, and the table by which the backend converts them. */
function converted(
  data: Uint8Array,
  table: Table,
  shape: [number, number, number, number],
): tf.Tensor4D {
  const words = new Int32Array(Math.ceil(data.length / 4));
  new Uint8Array(words.buffer).set(data);
  return tf.tidy(() => {
    const inputs = { bytes: tf.tensor1d(words, "int32"), table: tf.tensor1d(joined(table)) };
    return tf.engine().runKernel<tf.Tensor4D>(onDevice, inputs, { shape });
  });
}

/** What each byte of each channel becomes: `[3 * 256]`. */
export function normalizationTable(normalization: Normalization = imagenet): Float32Array {
  return joined(tableOf(normalization));
}

function joined(table: Table): Float32Array {
  const values = new Float32Array(3 * 256);
  table.forEach((channel, i) => {
    values.set(channel, 256 * i);
  });
  return values;
}

/** The 256 normalised values of each channel. */
type Table = readonly Float32Array[];

const tables = new WeakMap<Normalization, Table>();

function tableOf(normalization: Normalization): Table {
  const known = tables.get(normalization);
  if (known) return known;
  const table = normalization.mean.map((mean, channel) =>
    Float32Array.from({ length: 256 }, (_, byte) =>
      Math.fround((Math.fround(byte / 255) - mean) / (normalization.std[channel] as number)),
    ),
  );
  tables.set(normalization, table);
  return table;
}
