import { startBackend } from "@dino/backend";
import { decodePicture } from "@dino/data/browser";
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
import { type Model, type ModelSource, openModel } from "../model/open-model.ts";
import { fitted } from "../pictures/fitted.ts";
import { serve } from "../remote/serve.ts";

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

export interface ModelInfo {
  readonly depth: number;
  readonly heads: number;
  readonly embedDim: number;
  readonly patchSize: number;
  readonly imageSize: number;
}

let model: Model | undefined;
let image: tf.Tensor4D | undefined;
let picture: Pixels | undefined;

const methods = {
  /** Starts an engine, and says in one line which and why. */
  start: (engine: string): Promise<string> => startBackend(engine),

  /** Opens a model in place of the one before. */
  open: async (source: ModelSource): Promise<ModelInfo> => {
    const opened = await openModel(source);
    tf.dispose(model?.params ?? []);
    model = opened;
    return { ...opened.architecture };
  },

  /** Looks at a picture file, at about `side` pixels square. */
  look: async (file: Blob, side: number): Promise<Seen> => {
    const { backbone, params } = current();
    const begun = performance.now();
    picture = fitted(await decodePicture(file), side, backbone.patchSize);
    image?.dispose();
    image = toTensor(picture);
    const attention = await attentionOf(backbone.depth - 1);
    const [all] = backbone.intermediateTokens(params, image, { blocks: 1 });
    if (all === undefined) throw new Error("tokens: expected those of the last block, got none");
    const tokens = await patchTokens(all, picture, backbone).finally(() => all.dispose());
    const [colors] = pcaColors(await patchPca([tokens]));
    if (colors === undefined) throw new Error("colours: expected one picture, got none");
    return { picture, attention, tokens, colors, milliseconds: performance.now() - begun };
  },

  /** The class token's attention in another block of the same picture. */
  attention: (block: number): Promise<AttentionMaps> => attentionOf(block),
};

export type LookMethods = typeof methods;

serve(methods);

function current(): Model {
  if (model === undefined) throw new Error("model: expected one to be open, got none");
  return model;
}

async function attentionOf(block: number): Promise<AttentionMaps> {
  const { backbone, params } = current();
  if (!image || !picture) throw new Error("picture: expected one to look at, got none");
  const weights = backbone.selfAttention(params, image, { block, classOnly: true });
  return classAttention(weights, picture, backbone).finally(() => weights.dispose());
}
