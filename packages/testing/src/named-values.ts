import * as tf from "@tensorflow/tfjs-core";
import { crc32 } from "./crc32.ts";

/**
 * The values behind a name: every input and weight of the goldens is made from its name, so that
 * a golden can cover a full ViT-B without storing it. `name` includes the file's salt.
 */
export function namedValues(name: string, length: number, low = -1, high = 1): Float32Array {
  let state = crc32(name);
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    values[i] = low + ((high - low) * ((t ^ (t >>> 14)) >>> 0)) / 2 ** 32;
  }
  return values;
}

/** The tensor behind a name, `[low, high)`. */
export function named<T extends tf.Tensor = tf.Tensor>(
  name: string,
  shape: readonly number[],
  low = -1,
  high = 1,
): T {
  const values = namedValues(name, tf.util.sizeFromShape([...shape]), low, high);
  return tf.tensor(values, [...shape], "float32") as T;
}

/** A picture tensor behind a name: made as `[pictures, 3, rows, columns]`, given as NHWC. */
export function namedImages(name: string, shape: readonly number[]): tf.Tensor4D {
  return tf.tidy(() => tf.transpose(named<tf.Tensor4D>(name, shape), [0, 2, 3, 1]));
}

/** A model's parameters behind their names, in the ranges that suit each kind. */
export function namedParameters(
  prefix: string,
  shapes: Readonly<Record<string, readonly number[]>>,
): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(shapes)
      .filter(([name]) => !name.endsWith("num_batches_tracked"))
      .map(([name, shape]) => {
        if (name.endsWith("weight_g")) return [name, tf.ones([...shape])];
        const [low, high] = range(name, shape);
        return [name, named(prefix + name, shape, low, high)];
      }),
  );
}

function range(name: string, shape: readonly number[]): readonly [number, number] {
  if (name.endsWith("running_var")) return [0.5, 1.5];
  if (name.endsWith("running_mean")) return [-0.2, 0.2];
  if (name.endsWith("pos_embed") || name.endsWith("cls_token")) return [-0.5, 0.5];
  if (shape.length === 1) return name.endsWith("weight") ? [0.5, 1.5] : [-0.2, 0.2];
  const bound = Math.sqrt(3 / shape.slice(1).reduce((a, b) => a * b, 1));
  return [-bound, bound];
}
