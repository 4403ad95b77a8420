import { assertShape, l2Normalize, ShapeError } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { giveWay, type LongCall } from "../long-call.ts";
import { type AttendedBand, mixLabels } from "./mix-labels.ts";
import { assertSoftLabels, type PatchGrid, type SoftLabels } from "./soft-labels.ts";

/** A frame whose labels are known, or were found. */
export interface LabeledPatches {
  /** Of any length: `[rows * columns, dim]`. */
  readonly features: tf.Tensor2D;
  readonly labels: SoftLabels;
}

export interface PropagateLabelsOptions extends Pick<LongCall, "signal"> {
  /**
   * How many patches up, down, left and right of its own place a patch looks in other frames; 0
   * for no limit.
   */
  readonly neighborhood?: number;
  /** How many patches a patch takes its label from. */
  readonly topK?: number;
  /** How fast a patch's weight falls as it becomes less similar. */
  readonly temperature?: number;
}

/** Similarities that are held at once, at most: 64 MiB. */
const heldValues = 2 ** 24;

/**
 * The labels of a frame's patches by those of other frames: each patch takes the mean of the labels
 * of the `topK` most similar patches near its place, weighted by exp(similarity / temperature)
 * (Jabri et al. 2020, https://arxiv.org/abs/2006.14613, as in facebookresearch/dino's
 * eval_video_segmentation.py). Patches as similar as the last of these count as well. `features` is
 * `[rows * columns, dim]`; nothing is disposed of.
 */
export async function propagateLabels(
  features: tf.Tensor2D,
  sources: readonly LabeledPatches[],
  options: PropagateLabelsOptions = {},
): Promise<SoftLabels> {
  const { neighborhood = 12, topK = 5, temperature = 0.1, signal } = options;
  const grid = assertSources(features, sources);
  assertWhole("neighborhood", neighborhood, 0);
  assertWhole("topK", topK, 1);
  if (!(temperature > 0)) {
    throw new RangeError(`temperature: expected a number above 0, got ${temperature}`);
  }
  const { rows, columns, classes } = grid;
  const reach = neighborhood === 0 ? Math.max(rows, columns) : neighborhood;
  const labels = sources.map((source) => source.labels.values);
  const values = new Float32Array(classes * rows * columns);

  const target = tf.tidy(() => l2Normalize(features));
  const turned = sources.map((source) => tf.tidy(() => tf.transpose(l2Normalize(source.features)))); // [dim, patches]
  try {
    const height = bandHeight(grid, sources.length, reach);
    for (let top = 0; top < rows; top += height) {
      signal?.throwIfAborted();
      const bottom = Math.min(top + height, rows);
      const first = Math.max(top - reach, 0);
      const last = Math.min(bottom + reach, rows);
      const similarities: Float32Array[] = [];
      for (const source of turned) {
        similarities.push(await products(target, source, { columns, top, bottom, first, last }));
      }
      const band: AttendedBand = { ...grid, top, bottom, first, last, similarities, labels };
      mixLabels(band, { reach, topK, temperature }, values);
      await giveWay();
    }
  } finally {
    tf.dispose([target, ...turned]);
  }
  return { rows, columns, classes, values };
}

interface Bands {
  readonly columns: number;
  readonly top: number;
  readonly bottom: number;
  readonly first: number;
  readonly last: number;
}

/** The similarities of some rows of patches with some rows of another frame's. */
async function products(
  target: tf.Tensor2D,
  source: tf.Tensor2D,
  { columns, top, bottom, first, last }: Bands,
): Promise<Float32Array> {
  const dim = target.shape[1];
  const product = tf.tidy(() =>
    tf.matMul(
      tf.slice(target, [top * columns, 0], [(bottom - top) * columns, dim]),
      tf.slice(source, [0, first * columns], [dim, (last - first) * columns]),
    ),
  );
  try {
    return await product.data<"float32">();
  } finally {
    product.dispose();
  }
}

/** How many rows of patches are compared at once: as many as memory allows for. */
function bandHeight({ rows, columns }: PatchGrid, sources: number, reach: number): number {
  for (let height = rows; height > 1; height--) {
    const compared = Math.min(height + 2 * reach, rows);
    if (sources * height * columns * compared * columns <= heldValues) return height;
  }
  return 1;
}

function assertSources(features: tf.Tensor2D, sources: readonly LabeledPatches[]): SoftLabels {
  const [first] = sources;
  if (first === undefined) throw new RangeError("sources: expected at least one frame, got none");
  const { rows, columns, classes } = first.labels;
  assertShape("features", features, [rows * columns, null]);
  sources.forEach(({ features: others, labels }, i) => {
    assertShape(`sources[${i}].features`, others, features.shape);
    assertSoftLabels(`sources[${i}].labels`, labels);
    if (labels.rows === rows && labels.columns === columns && labels.classes === classes) return;
    throw new ShapeError(
      `sources[${i}].labels: expected ${classes} classes of ${rows} x ${columns} patches, ` +
        `got ${labels.classes} of ${labels.rows} x ${labels.columns}`,
    );
  });
  return first.labels;
}

function assertWhole(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new RangeError(`${name}: expected a whole number from ${least}, got ${value}`);
}
