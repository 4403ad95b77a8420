import {
  applyViews,
  evaluationView,
  type MultiCropOptions,
  multiCrop,
  type View,
} from "@dino/augmentations";
import type { Pixels } from "@dino/ops";
import { viewKey } from "./keys.ts";

/** What to make of pictures. All of it can be posted to a worker, which shares the memory. */
export type RenderJob = CropsJob | EvaluationJob;

interface Stoppable {
  /** Not 0 as soon as nobody wants the result any more. */
  readonly stop: Int32Array;
}

/** Crops of pictures of a batch, each written to its place. */
export interface CropsJob extends Stoppable {
  readonly pictures: readonly BatchPicture[];
  readonly epoch: number;
  /** A block for each group of crops: `[views * batch, size, size, 3]`. */
  readonly blocks: readonly Uint8Array[];
  readonly batch: number;
}

export interface BatchPicture {
  /** The picture's index in the data set. */
  readonly index: number;
  /** Its place in the batch. */
  readonly slot: number;
  /** Without it, the one that the thread was told to keep under this index. */
  readonly picture?: Pixels;
  /** Whether the picture comes again, so that a thread does well to keep it. */
  readonly keep: boolean;
  /** Without them, they are sampled where they are made. */
  readonly views?: readonly View[];
}

/** What evaluation sees of a picture, `[size, size, 3]`. */
export interface EvaluationJob extends Stoppable {
  readonly picture: Pixels;
  readonly size: number;
  readonly out: Uint8Array;
}

/** How views are sampled; it can be posted to a worker. */
export interface Sampling {
  readonly options: MultiCropOptions;
  readonly seed: number;
}

/** Does jobs, part by part: each part is one picture. */
export type Render = (job: RenderJob) => Iterable<void>;

/** Does jobs with what it was told before: how to sample, and pictures to keep. */
export function createRender(sampling?: Sampling): Render {
  const views = sampling && multiCrop(sampling.options);
  const kept = new Map<number, Pixels>();

  const pictureOf = ({ index, picture, keep }: BatchPicture): Pixels => {
    if (picture === undefined) return kept.get(index) as Pixels;
    if (keep) kept.set(index, picture);
    return picture;
  };
  const sample = (picture: Pixels, index: number, epoch: number): readonly View[] => {
    if (views === undefined) throw new Error("render: expected views or a way to sample them");
    return views.sample(picture, viewKey({ seed: sampling?.seed as number, epoch, index }));
  };

  return function* (job) {
    const wanted = (): boolean => Atomics.load(job.stop, 0) === 0;
    if (!("pictures" in job)) {
      if (wanted()) job.out.set(evaluationView(job.picture, job.size).data);
      yield;
      return;
    }
    const { epoch, blocks, batch } = job;
    const pictures = job.pictures.map(pictureOf); // kept even if the job is stopped
    for (const [i, each] of job.pictures.entries()) {
      if (!wanted()) return;
      const picture = pictures[i] as Pixels;
      const sampled = each.views ?? sample(picture, each.index, epoch);
      applyViews(picture, sampled, { blocks, index: each.slot, batch });
      yield;
    }
  };
}
