import { applyView, evaluationView, type ViewPolicy } from "@dino/augmentations";
import type { VisionTransformer } from "@dino/backbones/vit";
import { type Dataset, type LabeledImages, viewKey } from "@dino/data";
import { extractFeatures, knn, knnLeaveOneOut, viewRetrieval } from "@dino/evaluation";
import { imageTensor, type Params, type Pixels } from "@dino/ops";
import type { Evaluation } from "@dino/trainer";
import { classAttention, normalize, toTensor } from "@dino/visualization";
import type { PictureSet } from "../sets/emoji.ts";

/** How good a model is, and what it looks at: plain data that goes into the run's record. */
export interface Judgement extends Evaluation {
  /** Percent of pictures that another view of them finds among all. */
  readonly viewRetrieval: number;
  /** For each shown picture, what the class token attends to, 0 to 255, row by row. */
  readonly strip: readonly (readonly number[])[];
}

export interface Judge {
  /** The pictures of the strip, as the model sees them. */
  readonly shown: readonly Pixels[];
  judge(backbone: VisionTransformer, params: Params): Promise<Judgement>;
}

/** Pictures that are looked at each time, at most: more would take from the training. */
const bankSize = 600;
const testSize = 300;
const shownCount = 6;
/** Patches along a side of the strip's pictures. */
const stripPatches = 12;
const neighbours = 10;

/**
 * Measures k-NN where there are classes, how well views find their picture, and attention on a few
 * pictures. The pictures are prepared once, so that each time costs the network alone.
 */
export async function createJudge(
  { training, test }: PictureSet,
  { views, size, patchSize }: { views: ViewPolicy; size: number; patchSize: number },
): Promise<Judge> {
  const tested = await spread(test, testSize);
  const bank = training === test ? tested : await spread(training, bankSize);
  const labelled = new Set(bank.labels).size > 1 && !bank.labels.includes(-1);
  const plain = (some: Some) => some.pictures.map((picture) => evaluationView(picture, size));
  const seen = {
    bank: images(plain(bank), bank.labels),
    tested: images(plain(tested), tested.labels),
    // A view as training sees them, under a key that no training uses.
    distorted: images(
      tested.pictures.map((picture, index) => {
        const [view] = views.sample(picture, viewKey({ seed: 2 ** 31, epoch: 0, index }));
        if (view === undefined) throw new Error("views: expected one or more, got none");
        return applyView(picture, view);
      }),
      tested.labels,
    ),
  };
  const shown = (await spread(test, shownCount)).pictures.map((picture) =>
    evaluationView(picture, stripPatches * patchSize),
  );

  return {
    shown,
    judge: async (backbone, params) => {
      const features = await extractFeatures(backbone, params, seen.tested);
      const found = await viewRetrieval(
        features,
        await extractFeatures(backbone, params, seen.distorted),
      );
      const strip: number[][] = [];
      for (const picture of shown) strip.push(await attentionOf(backbone, params, picture));
      if (!labelled) return { viewRetrieval: found, strip };
      const k = [Math.min(neighbours, bank.pictures.length - 1)];
      const { top1 } =
        bank === tested
          ? await knnLeaveOneOut(features, { k })
          : await knn(await extractFeatures(backbone, params, seen.bank), features, { k });
      return { knn: top1, viewRetrieval: found, strip };
    },
  };
}

async function attentionOf(
  backbone: VisionTransformer,
  params: Params,
  picture: Pixels,
): Promise<number[]> {
  const image = toTensor(picture);
  const weights = backbone.selfAttention(params, image, { classOnly: true });
  image.dispose();
  const { mean } = await classAttention(weights, picture, backbone).finally(() =>
    weights.dispose(),
  );
  return Array.from(normalize(mean), (value) => Math.round(255 * value));
}

interface Some {
  readonly pictures: readonly Pixels[];
  readonly labels: Int32Array;
}

/** At most `count` pictures, from all over the data set. */
async function spread(dataset: Dataset, count: number): Promise<Some> {
  const number = Math.min(count, dataset.length);
  const indices = Array.from({ length: number }, (_, i) =>
    Math.floor(((i + 0.5) * dataset.length) / number),
  );
  return {
    pictures: await Promise.all(indices.map((index) => dataset.read(index))),
    labels: Int32Array.from(indices, (index) => dataset.label(index)),
  };
}

/** Pictures of one size, in batches. */
function images(pictures: readonly Pixels[], labels: Int32Array): LabeledImages {
  const batch = 60;
  const size = pictures[0]?.width ?? 0;
  return {
    length: pictures.length,
    broken: [],
    async *[Symbol.asyncIterator]() {
      for (let first = 0; first < pictures.length; first += batch) {
        const some = pictures.slice(first, first + batch);
        const data = new Uint8Array(some.length * 3 * size * size);
        for (const [i, picture] of some.entries()) data.set(picture.data, i * 3 * size * size);
        yield {
          images: imageTensor(data, [some.length, size, size]),
          labels: labels.slice(first, first + batch),
        };
      }
    },
  };
}
