import { type VisionTransformer, type VitArchitecture, vit } from "@dino/backbones/vit";
import { backboneWeights, httpSource, loadWeights, openCheckpoint } from "@dino/checkpoint";
import type { Params } from "@dino/ops";
import { architectureOf } from "./architecture.ts";

/** A trained backbone in a worker. */
export interface Model {
  readonly backbone: VisionTransformer;
  /** Owned by whoever opened the model. */
  readonly params: Params;
  readonly architecture: VitArchitecture;
}

/** Where a model's file is: in hand, part of the page, or on a server that answers ranges. */
export type ModelSource =
  | { readonly kind: "file"; readonly file: File }
  | { readonly kind: "own"; readonly url: string }
  | { readonly kind: "address"; readonly url: string };

/** The Vision Transformer in a `.pth` or safetensors file, under any of the usual namings. */
export async function openModel(source: ModelSource): Promise<Model> {
  const checkpoint = await openCheckpoint(await bytesOf(source));
  const architecture = architectureOf(checkpoint, backboneWeights(checkpoint));
  const backbone = vit(architecture);
  return { backbone, architecture, params: await loadWeights(backbone, checkpoint) };
}

async function bytesOf(source: ModelSource) {
  switch (source.kind) {
    case "file":
      return source.file;
    case "address":
      return httpSource(source.url);
    case "own": {
      const response = await fetch(source.url);
      if (!response.ok) throw new Error(`${source.url}: expected a model, got ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    }
  }
}
