export type {
  Crops,
  LabeledBatch,
  LabeledImages,
  LabeledLoader,
  Loader,
  StepsOptions,
} from "./batches.ts";
export type { BrokenPicture, Dataset, Progress, ReadOptions } from "./dataset.ts";
export { DataError } from "./errors.ts";
export { type EpochOrderOptions, epochOrder, type ViewKeyOptions, viewKey } from "./keys.ts";
