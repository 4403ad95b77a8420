import { evaluationView } from "@dino/augmentations";
import {
  decodePicture,
  heldPictures,
  imageFiles,
  labeledImages,
  type NamedFile,
} from "@dino/data/browser";
import { extractFeatures, type Features, knn } from "@dino/evaluation";
import type { Pixels } from "@dino/ops";
import {
  type AttentionMaps,
  classAttention,
  type PatchTokens,
  patchPca,
  patchTokens,
  pcaColors,
  toTensor,
} from "@dino/visualization";
import * as tf from "@tensorflow/tfjs-core";
import { lastingEngine } from "../engine/lasting-engine.ts";
import { type Model, type ModelSource, openModel } from "../model/open-model.ts";
import { fitted } from "../pictures/fitted.ts";
import type { Tell } from "../remote/protocol.ts";
import { serve } from "../remote/serve.ts";
import { emojiSet } from "../sets/emoji.ts";

/** What the model makes of a picture. */
export interface Seen {
  /** The picture as the model saw it. */
  readonly picture: Pixels;
  /** The class token's attention in the last block. */
  readonly attention: AttentionMaps;
  readonly tokens: PatchTokens;
  /** The patches' three principal components as colours. */
  readonly colors: Pixels;
  readonly milliseconds: number;
}

/** Pictures that are compared with each other. */
export interface Compared {
  readonly names: readonly string[];
  /** Small squares, as the model saw the pictures. */
  readonly thumbnails: readonly Pixels[];
  readonly broken: number;
}

export interface ModelInfo {
  readonly depth: number;
  readonly heads: number;
  readonly embedDim: number;
  readonly patchSize: number;
  readonly imageSize: number;
}

let model: Model | undefined;
let source: ModelSource | undefined;
let image: tf.Tensor4D | undefined;
let picture: Pixels | undefined;
let features: Features | undefined;
let comparison: AbortController | undefined;

/** The side of the pictures that are compared, at least: a model of small ones sees more of larger. */
const leastCompared = 64;

/** On a lost device were the model and the picture. */
const engine = lastingEngine(async () => {
  if (source) use(await openModel(source));
  image?.dispose();
  image = picture && toTensor(picture);
});

const methods = {
  ...engine.methods,

  /** Opens a model in place of the one before. */
  open: (asked: ModelSource): Promise<ModelInfo> =>
    engine.lasting(async () => {
      const opened = await openModel(asked);
      comparison?.abort(); // it reads the parameters that go now
      use(opened);
      source = asked;
      return { ...opened.architecture };
    }),

  /** Looks at a picture file, at about `side` pixels square. */
  look: (file: Blob, side: number): Promise<Seen> =>
    engine.lasting(async () => {
      const { backbone, params } = current();
      const begun = performance.now();
      picture = fitted(
        await decodePicture(file, (file as Partial<File>).name),
        side,
        backbone.patchSize,
      );
      image?.dispose();
      image = toTensor(picture);
      const attention = await attentionOf(backbone.depth - 1);
      const [all] = backbone.intermediateTokens(params, image, { blocks: 1 });
      if (all === undefined) throw new Error("tokens: expected those of the last block, got none");
      const tokens = await patchTokens(all, picture, backbone).finally(() => all.dispose());
      const [colors] = pcaColors(await patchPca([tokens]));
      if (colors === undefined) throw new Error("colours: expected one picture, got none");
      return { picture, attention, tokens, colors, milliseconds: performance.now() - begun };
    }),

  /** The class token's attention in another block of the same picture. */
  attention: (block: number): Promise<AttentionMaps> => engine.lasting(() => attentionOf(block)),

  /**
   * Takes features of pictures: of files, or of the emoji that the page brings along. What was still
   * being compared is given up.
   */
  compare: async (
    from: { readonly files: readonly NamedFile[] } | { readonly sheet: string },
    most: number,
    tell: Tell<{ readonly done: number; readonly total: number }>,
  ): Promise<Compared> => {
    comparison?.abort();
    comparison = new AbortController();
    const { signal } = comparison;
    const set =
      "sheet" in from
        ? (await emojiSet(from.sheet)).test
        : await heldPictures(imageFiles(from.files.slice(0, most), { shortSide: 256 }), {
            signal,
          });
    features = await engine.lasting(() => {
      const { backbone, params } = current();
      const size = Math.max(leastCompared, Math.min(backbone.imageSize, 224));
      const images = labeledImages(set, { size, batchSize: 16, signal });
      return extractFeatures(backbone, params, images, { signal, onProgress: tell });
    });
    const pictures = await Promise.all(
      Array.from({ length: set.length }, (_, index) => set.read(index)),
    );
    return {
      names: Array.from({ length: set.length }, (_, index) => set.name(index)),
      thumbnails: pictures.map((each) => evaluationView(each, 72)),
      broken: set.broken?.length ?? 0,
    };
  },

  /** How alike each picture is to one of them: the cosine of their features. */
  similarities: (index: number): Float32Array => {
    const { rows, dim, count } = compared();
    const row = (i: number) => rows.subarray(i * dim, (i + 1) * dim);
    return Float32Array.from({ length: count }, (_, i) => cosine(row(index), row(i)));
  },

  /**
   * The name that each picture's nearest neighbours among the labelled ones vote for. `labels` has a
   * number from 0 for those that a person has sorted, -1 for the others.
   */
  classify: async (labels: Int32Array): Promise<Int32Array> => {
    const { rows, dim } = compared();
    const labelled = [...labels.keys()].filter((i) => (labels[i] as number) >= 0);
    if (labelled.length === 0) return labels;
    const known = new Float32Array(labelled.length * dim);
    for (const [place, i] of labelled.entries()) {
      known.set(rows.subarray(i * dim, (i + 1) * dim), place * dim);
    }
    const train = {
      ...{ rows: known, dim, count: labelled.length },
      labels: Int32Array.from(labelled, (i) => labels[i] as number),
    };
    const k = Math.min(5, labelled.length);
    const test = { ...compared(), labels: new Int32Array(labels.length) };
    const { predicted } = await engine.lasting(() => knn(train, test, { k: [k] }));
    return predicted[k] as Int32Array;
  },
};

export type LookMethods = typeof methods;

serve(methods);

function use(opened: Model): void {
  tf.dispose(model?.params ?? []);
  model = opened;
}

function current(): Model {
  if (model === undefined) throw new Error("model: expected one to be open, got none");
  return model;
}

function compared(): Features {
  if (features === undefined) throw new Error("pictures: expected some to compare, got none");
  return features;
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, ofA, ofB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    product += x * y;
    ofA += x * x;
    ofB += y * y;
  }
  return product / Math.max(Math.sqrt(ofA * ofB), 1e-12);
}

async function attentionOf(block: number): Promise<AttentionMaps> {
  const { backbone, params } = current();
  if (!image || !picture) throw new Error("picture: expected one to look at, got none");
  const weights = backbone.selfAttention(params, image, { block, classOnly: true });
  return classAttention(weights, picture, backbone).finally(() => weights.dispose());
}
