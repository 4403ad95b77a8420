import { applyViews, type CropPlace, evaluationView, type View } from "@dino/augmentations";
import type { Pixels } from "@dino/ops";

/** What to make of a picture. All of it can be posted to a worker, which shares the memory. */
export type RenderJob = {
  readonly picture: Pixels;
  /** Not 0 as soon as nobody wants the result any more. */
  readonly stop: Int32Array;
} & (Views | Evaluation);

/** Sampled views, each written to its place in its batch. */
interface Views {
  readonly views: readonly View[];
  readonly place: CropPlace;
}

/** What evaluation sees, `[size, size, 3]`. */
interface Evaluation {
  readonly size: number;
  readonly out: Uint8Array;
}

/** Does the job. */
export function render(job: RenderJob): void {
  if (Atomics.load(job.stop, 0) !== 0) return;
  if ("views" in job) applyViews(job.picture, job.views, job.place);
  else job.out.set(evaluationView(job.picture, job.size).data);
}
