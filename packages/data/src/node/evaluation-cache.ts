import { totalmem } from "node:os";
import type { Dataset } from "../dataset.ts";

/** A sixteenth of what the machine has, but at most 256 MiB. */
export const defaultEvaluationBytes: number = Math.min(2 ** 28, Math.floor(totalmem() / 16));

/** What evaluation sees of all pictures of a data set: RGB bytes, `[length, size, size, 3]`. */
interface EvaluationViews {
  readonly size: number;
  readonly data: Uint8Array;
}

const made = new WeakMap<Dataset, EvaluationViews>();

/** What was kept of a data set at this size, as long as the data set is in use. */
export function keptViews(dataset: Dataset, size: number): Uint8Array | undefined {
  const views = made.get(dataset);
  return views?.size === size ? views.data : undefined;
}

/** Keeps what evaluation saw, instead of another size. */
export function keepViews(dataset: Dataset, views: EvaluationViews): void {
  made.set(dataset, views);
}
