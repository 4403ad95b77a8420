import type { LabeledBatch, LabeledLoader } from "../batches.ts";
import type { Dataset } from "../dataset.ts";
import { type CropStep, cropSteps } from "./crop-steps.ts";
import type { LoaderOptions } from "./loader.ts";

/**
 * Batches of pictures with their classes, for training a classifier: as `loader`, of one crop a
 * picture (`views` such as `randomResizedCrop`), and with an epoch's last batch, which may be
 * smaller. A picture that stands in for a broken one comes with its own class.
 */
export function labeledLoader(dataset: Dataset, options: LoaderOptions): LabeledLoader {
  const { groups } = options.views;
  if (groups.length !== 1 || groups[0]?.views !== 1) {
    const got = groups.map(({ size, views }) => `${views} of ${size} pixels`).join(" and ");
    throw new RangeError(`views: expected one crop a picture, got ${got}`);
  }
  const made = cropSteps(dataset, { ...options, keepLast: true });
  return {
    perEpoch: made.perEpoch,
    batchSize: made.batchSize,
    get broken() {
      return made.broken;
    },
    get waited() {
      return made.waited;
    },
    steps: (some) => labeled(made.steps(some), dataset),
    close: () => made.close(),
  };
}

async function* labeled(
  steps: AsyncIterable<CropStep>,
  dataset: Dataset,
): AsyncGenerator<LabeledBatch> {
  for await (const { crops, indices } of steps) {
    const [images] = crops;
    if (images) yield { images, labels: Int32Array.from(indices, (index) => dataset.label(index)) };
  }
}
