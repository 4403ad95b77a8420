import {
  imagenet,
  imageTensor,
  type Normalization,
  normalizationTable,
  type Pixels,
} from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { applyViews, cropBlocks } from "./crop-blocks.ts";
import { hueTables } from "./hue.ts";
import { packedBytes, packViews } from "./pack-views.ts";
import type { View } from "./view.ts";
import type { CropGroup } from "./view-policy.ts";

/** A picture and the views of it, group after group. */
export interface Seen {
  readonly picture: Pixels;
  readonly views: readonly View[];
}

/** The kernel of a backend that makes crops itself. */
const onDevice = "DinoViews";

/**
 * The crops of a batch as normalised tensors, one for each group: `[views * batch, size, size, 3]`,
 * crop-major, which the caller owns. Where the backend has a kernel for it (`@dino/backend-webgpu`),
 * the pictures are uploaded once as bytes, in parts where all are too much for a tensor of the
 * device, and everything else is done there; elsewhere on this thread. The values are the same.
 */
export function viewTensors(
  batch: readonly Seen[],
  groups: readonly CropGroup[],
  normalization: Normalization = imagenet,
): tf.Tensor4D[] {
  const wanted = groups.reduce((sum, { views }) => sum + views, 0);
  for (const { views } of batch) {
    if (views.length === wanted) continue;
    throw new RangeError(`views: expected ${wanted} of every picture, got ${views.length}`);
  }
  if (tf.getKernel(onDevice, tf.getBackend()) === undefined) {
    return madeHere(batch, groups, normalization);
  }
  const parts = fittingParts(batch, (tf.backend() as Limited).mostBytes);
  return tf.tidy(() => {
    const made = parts.map((part) => madeOnDevice(part, groups, normalization));
    if (made.length === 1) return made[0] as tf.Tensor4D[];
    return groups.map(({ size, views }, group) => {
      const rows = made.map((crops) => tf.reshape(crops[group] as tf.Tensor4D, [views, -1]));
      return tf.reshape(tf.concat(rows, 1), [views * batch.length, size, size, 3]) as tf.Tensor4D;
    });
  });
}

/** A backend may say how large a tensor of it may be. */
interface Limited {
  readonly mostBytes?: number;
}

/** The batch in as few parts as hold no more bytes of pictures than `most`, but for a picture that does alone. */
function fittingParts(
  batch: readonly Seen[],
  most = Number.POSITIVE_INFINITY,
): readonly (readonly Seen[])[] {
  const parts: Seen[][] = [];
  let room = 0;
  for (const seen of batch) {
    const bytes = packedBytes(seen.picture);
    if (parts.length === 0 || bytes > room) {
      parts.push([]);
      room = most;
    }
    parts.at(-1)?.push(seen);
    room -= bytes;
  }
  return parts;
}

function madeOnDevice(
  batch: readonly Seen[],
  groups: readonly CropGroup[],
  normalization: Normalization,
): tf.Tensor4D[] {
  const { pictures, axes, records } = packViews(batch, groups);
  const { hues, saturations } = hueTables();
  const shared = {
    pictures: tf.tensor1d(pictures, "int32"),
    axes: tf.tensor1d(axes, "int32"),
    table: tf.tensor1d(normalizationTable(normalization)),
  };
  return groups.map(({ size, views }, i) => {
    const inputs = { ...shared, records: tf.tensor1d(records[i] as Int32Array, "int32") };
    const attributes = { size, crops: views * batch.length, hues, saturations };
    return tf.engine().runKernel<tf.Tensor4D>(onDevice, inputs, attributes);
  });
}

function madeHere(
  batch: readonly Seen[],
  groups: readonly CropGroup[],
  normalization: Normalization,
): tf.Tensor4D[] {
  const blocks = cropBlocks(groups, batch.length);
  batch.forEach(({ picture, views }, index) => {
    applyViews(picture, views, { blocks, index, batch: batch.length });
  });
  return groups.map(({ size, views }, i) =>
    imageTensor(blocks[i] as Uint8Array, [views * batch.length, size, size], normalization),
  );
}
