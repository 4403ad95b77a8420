import type { VisionTransformer } from "@dino/backbones/vit";
import type { Params, Pixels } from "@dino/ops";
import { type AttentionMaps, classAttention, toTensor } from "@dino/visualization";
import { tidy } from "@tensorflow/tfjs-core";

/** What the class token looks at in a picture, in a block counted from 0. */
export async function classAttentionOf(
  picture: Pixels,
  {
    backbone,
    params,
    block,
  }: { readonly backbone: VisionTransformer; readonly params: Params; readonly block: number },
): Promise<AttentionMaps> {
  const weights = tidy(() =>
    backbone.selfAttention(params, toTensor(picture), { block, classOnly: true }),
  );
  return classAttention(weights, picture, backbone).finally(() => weights.dispose());
}
