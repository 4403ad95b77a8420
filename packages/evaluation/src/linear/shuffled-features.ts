import { fold, key, type Random, random } from "@dino/random";
import * as tf from "@tensorflow/tfjs-core";
import { collectFeatures, type FeatureSource, featureSource } from "../feature-source.ts";
import { assertLabels, assertWhole, type Features } from "../features.ts";
import { giveWay } from "../long-call.ts";
import type { FeatureStream } from "./feature-stream.ts";

export interface ShuffledFeaturesOptions {
  /** Rows in a batch; the last of an epoch may have fewer. */
  readonly batchSize: number;
  /** Fixes the order of every epoch. */
  readonly seed: number;
  /** Bytes of features in memory. Default 1 GiB. */
  readonly memoryBytes?: number;
}

/** Rows that are read together where not all fit into memory. */
const stretch = 64;

/**
 * Batches of features in an order of its own in each epoch. Where they do not all fit into memory,
 * stretches of neighbouring rows are drawn in random order, as many as fit are mixed, and then come
 * the next ones.
 */
export function shuffledFeatures(
  features: Features | FeatureSource,
  { batchSize, seed, memoryBytes = 2 ** 30 }: ShuffledFeaturesOptions,
): FeatureStream {
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`batchSize: expected a whole number from 1, got ${batchSize}`);
  }
  assertWhole("features", features);
  assertLabels("features", features);
  const source = featureSource(features);
  const { count, dim, labels } = source;
  const perEpoch = Math.ceil(count / batchSize);
  const fits = 4 * dim * count <= memoryBytes;
  const stretches = fits ? 1 : Math.max(1, Math.floor(memoryBytes / (4 * dim * stretch)));
  let whole: Promise<Features> | undefined;

  /** Pools of rows of an epoch, each mixed, from the one that has row `from` of the epoch on. */
  async function* pools(epoch: number, from: number): AsyncGenerator<Pool, void> {
    const stream = random(fold(key(seed), epoch));
    if (fits) {
      whole ??= "rows" in features ? Promise.resolve(features) : collectFeatures(source);
      const { rows } = await whole;
      yield { rows, order: stream.permutation(count), labels, first: 0 };
      return;
    }
    const order = stream.permutation(Math.ceil(count / stretch));
    let first = 0;
    for (let at = 0; at < order.length; at += stretches) {
      const own = random(fold(key(seed), epoch, at));
      const parts = [...order.subarray(at, at + stretches)].map((part) => partOf(part, count));
      const size = parts.reduce((sum, part) => sum + part.count, 0);
      if (first + size > from) yield await pool(source, parts, own, first);
      first += size;
    }
  }

  return {
    perEpoch,
    async *steps({ from, to, signal }) {
      let step = from;
      while (step < to) {
        const epoch = Math.floor(step / perEpoch);
        const end = Math.min(to, (epoch + 1) * perEpoch);
        const begin = (step - epoch * perEpoch) * batchSize;
        let batch = emptyBatch(Math.min(batchSize, count - begin), dim);
        for await (const { rows, order, labels, first } of pools(epoch, begin)) {
          for (let at = Math.max(0, begin - first); at < order.length && step < end; at++) {
            batch.take(rows, labels, order[at] as number);
            if (!batch.isFull()) continue;
            signal?.throwIfAborted();
            yield batch.tensors();
            await giveWay();
            step++;
            const done = (step - epoch * perEpoch) * batchSize;
            batch = emptyBatch(Math.max(0, Math.min(batchSize, count - done)), dim);
          }
          if (step >= end) break;
        }
      }
    },
  };
}

/** Rows in memory, and the order in which they come. */
interface Pool {
  readonly rows: Float32Array;
  readonly order: Uint32Array;
  readonly labels: Int32Array;
  /** Which row of the epoch the first one is. */
  readonly first: number;
}

interface Part {
  readonly first: number;
  readonly count: number;
}

const partOf = (part: number, count: number): Part => ({
  first: part * stretch,
  count: Math.min(stretch, count - part * stretch),
});

async function pool(
  source: FeatureSource,
  parts: readonly Part[],
  random: Random,
  first: number,
): Promise<Pool> {
  const size = parts.reduce((sum, { count }) => sum + count, 0);
  const rows = new Float32Array(size * source.dim);
  const labels = new Int32Array(size);
  let done = 0;
  for (const { first, count } of parts) {
    rows.set(await source.read(first, count), done * source.dim);
    labels.set(source.labels.subarray(first, first + count), done);
    done += count;
  }
  return { rows, order: random.permutation(size), labels, first };
}

/** A batch that is filled row by row. */
function emptyBatch(size: number, dim: number) {
  const values = new Float32Array(size * dim);
  const classes = new Int32Array(size);
  let taken = 0;
  return {
    isFull: () => taken === size,
    take: (rows: Float32Array, labels: Int32Array, row: number) => {
      values.set(rows.subarray(row * dim, (row + 1) * dim), taken * dim);
      classes[taken] = labels[row] as number;
      taken++;
    },
    tensors: () => ({ features: tf.tensor2d(values, [size, dim]), labels: classes }),
  };
}
